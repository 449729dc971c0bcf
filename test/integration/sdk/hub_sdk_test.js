#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Microsoft's service, device, provisioning and storage SDKs against the hub.
//
// azure-iothub always connects to port 443, so the hub listens there on a loopback address of its
// own; where the system does not let us, all tests here are skipped aloud.
'use strict';
const assert = require('assert');
const { derive, main_with_peers, until, wait } = require('./harness');

const load = (name) => require(`${process.env.AG_PEERS_MODULES}/${name}`);
const host_string = (c) => c.facts.connectionString.replace(/;GatewayHostName=.*/, '');

function open_registry(c) {
    const { Registry } = load('azure-iothub');
    return Registry.fromConnectionString(host_string(c));
}

async function device_client(c, id, key) {
    const { Client } = load('azure-iot-device');
    const { NoRetry } = load('azure-iot-common');
    const { Mqtt } = load('azure-iot-device-mqtt');
    const client = Client.fromConnectionString(`HostName=${c.facts.hostName};DeviceId=${id};SharedAccessKey=${key}`, Mqtt);
    client.on('error', () => { });
    client.set_no_retry = () => client.setRetryPolicy(new NoRetry());
    return client;
}

async function new_device(c, id) {
    const device = (await open_registry(c).create({ deviceId: id })).responseBody;
    return device.authentication.symmetricKey;
}

async function connected(c, id) {
    const keys = await new_device(c, id);
    const client = await device_client(c, id, keys.primaryKey);
    await client.open();
    const twin = await client.getTwin();
    return { client, twin, keys };
}

const report = (twin, patch) => new Promise((done, fail) => twin.properties.reported.update(patch, (error) => (error ? fail(error) : done())));
const service_twin = async (c, id) => (await open_registry(c).getTwin(id)).responseBody;
const rejects = (promise, pattern) => assert.rejects(promise, (error) => {
    assert.match(`${error.name} ${error.message}`, pattern);
    return true;
});

// Desired patches in the order in which they come; the first is what the twin held.
function watch(twin) {
    const seen = [];
    twin.on('properties.desired', (delta) => seen.push(JSON.parse(JSON.stringify(delta))));
    return seen;
}

async function subscribed(c, id) { // the SDK subscribes behind getTwin: wait until the hub has it
    const marker = `m${Math.random()}`.replace('.', '');
    const { client, twin, keys } = await connected(c, id);
    const seen = watch(twin);
    await until('the subscription works', async () => {
        await open_registry(c).updateTwin(id, { properties: { desired: { [marker]: 1 } } }, '*');
        await wait(100);
        return seen.some((delta) => marker in delta);
    });
    return { client, twin, keys, seen };
}

function register(c, id, key) {
    const { ProvisioningDeviceClient } = load('azure-iot-provisioning-device');
    const { Mqtt } = load('azure-iot-provisioning-device-mqtt');
    const { SymmetricKeySecurityClient } = load('azure-iot-security-symmetric-key');
    const client = ProvisioningDeviceClient.create(c.facts.hostName, c.facts.idScope, new Mqtt(), new SymmetricKeySecurityClient(id, key));
    return client.register();
}

function enrollments(c) {
    const { ProvisioningServiceClient } = load('azure-iot-provisioning-service');
    return ProvisioningServiceClient.fromConnectionString(host_string(c));
}

function storage(c) {
    const { BlobServiceClient } = load('@azure/storage-blob');
    return BlobServiceClient.fromConnectionString(c.facts.blobConnectionString);
}

const tests = [
    ['a device is created with keys made by the hub', async (c) => {
        const device = (await open_registry(c).create({ deviceId: 'created' })).responseBody;
        assert.equal(device.status, 'enabled');
        assert.equal(device.connectionState, 'Disconnected');
        assert.equal(Buffer.from(device.authentication.symmetricKey.primaryKey, 'base64').length, 32);
        assert.notEqual(device.authentication.symmetricKey.primaryKey, device.authentication.symmetricKey.secondaryKey);
    }],
    ['creating it again is a conflict', async (c) => {
        await rejects(open_registry(c).create({ deviceId: 'created' }), /DeviceAlreadyExists/);
    }],
    ['a device with given keys keeps them', async (c) => {
        const key = Buffer.alloc(48, 7).toString('base64');
        const given = { deviceId: 'given', authentication: { type: 'sas', symmetricKey: { primaryKey: key, secondaryKey: key } } };
        await open_registry(c).create(given);
        assert.equal((await open_registry(c).get('given')).responseBody.authentication.symmetricKey.primaryKey, key);
    }],
    ['a bad key and a bad id are refused', async (c) => {
        const short = { deviceId: 'bad', authentication: { type: 'sas', symmetricKey: { primaryKey: 'AAAA', secondaryKey: 'AAAA' } } };
        await rejects(open_registry(c).create(short), /ArgumentError.*base64/);
        await rejects(open_registry(c).create({ deviceId: 'a b' }), /ArgumentError/);
        await rejects(open_registry(c).create({ deviceId: 'x'.repeat(129) }), /ArgumentError/);
    }],
    ['an id of all characters that are allowed goes through', async (c) => {
        const id = "a-:.+%_#*?!(),=@;$'";
        await open_registry(c).create({ deviceId: id });
        assert.equal((await open_registry(c).get(id)).responseBody.deviceId, id);
        assert.equal((await service_twin(c, id)).deviceId, id);
        await open_registry(c).delete(id);
    }],
    ['devices are listed', async (c) => {
        const ids = (await open_registry(c).list()).responseBody.map((device) => device.deviceId);
        assert.deepEqual(ids, ['created', 'given']);
    }],
    ['an update keeps the keys that it does not name', async (c) => {
        const before = (await open_registry(c).get('created')).responseBody;
        await open_registry(c).update({ deviceId: 'created', status: 'disabled', statusReason: 'test' });
        const after = (await open_registry(c).get('created')).responseBody;
        assert.equal(after.status, 'disabled');
        assert.equal(after.statusReason, 'test');
        assert.notEqual(after.etag, before.etag);
        assert.deepEqual(after.authentication.symmetricKey, before.authentication.symmetricKey);
    }],
    ['a deleted device is gone', async (c) => {
        await open_registry(c).delete('created');
        await rejects(open_registry(c).get('created'), /DeviceNotFound/);
        await rejects(open_registry(c).getTwin('created'), /DeviceNotFound/);
        await rejects(open_registry(c).delete('created'), /DeviceNotFound/);
    }],
    ['a wrong service key is refused', async (c) => {
        const { Registry } = load('azure-iothub');
        const forged = host_string(c).replace(/SharedAccessKey=.*/, `SharedAccessKey=${Buffer.alloc(32).toString('base64')}`);
        await rejects(Registry.fromConnectionString(forged).list(), /Unauthorized/);
    }],
    ['a twin is patched under its etag, and a stale etag is refused', async (c) => {
        const before = await service_twin(c, 'given');
        assert.equal(before.version, 2);
        const after = (await open_registry(c).updateTwin('given', { tags: { ring: 1 }, properties: { desired: { a: { b: 1, c: [1, 2] } } } }, before.etag)).responseBody;
        assert.deepEqual(after.tags, { ring: 1 });
        assert.equal(after.properties.desired.$version, before.properties.desired.$version + 1);
        assert.equal(after.properties.desired.$metadata.a.b.$lastUpdatedVersion, after.properties.desired.$version);
        await rejects(open_registry(c).updateTwin('given', { tags: { ring: 2 } }, before.etag), /412|PreconditionFailed|InvalidEtag/i);
    }],
    ['null deletes, arrays are replaced whole', async (c) => {
        const after = (await open_registry(c).updateTwin('given', { tags: { ring: null }, properties: { desired: { a: { b: null, c: [3] } } } }, '*')).responseBody;
        assert.deepEqual(after.tags, {});
        assert.deepEqual(after.properties.desired.a, { c: [3] });
    }],
    ['a patch beyond the limits is refused and changes nothing', async (c) => {
        const before = await service_twin(c, 'given');
        const patch = (desired) => open_registry(c).updateTwin('given', { properties: { desired } }, '*');
        await rejects(patch({ 'a.b': 1 }), /ArgumentError.*key/);
        await rejects(patch({ a: 'x'.repeat(4097) }), /ArgumentError.*4096/);
        await rejects(patch({ a: [null] }), /ArgumentError.*null/);
        await rejects(patch(Object.fromEntries([...Array(9).keys()].map((i) => [`k${i}`, 'x'.repeat(4000)]))), /ArgumentError.*32768/);
        assert.deepEqual((await service_twin(c, 'given')).properties, before.properties);
    }],
    ['all twins are listed page by page', async (c) => {
        for (let i = 0; i < 5; i++) await open_registry(c).create({ deviceId: `page-${i}` });
        const query = open_registry(c).createQuery('SELECT * FROM devices', 2);
        const ids = [];
        while (query.hasMoreResults) ids.push(...(await query.nextAsTwin()).result.map((twin) => twin.deviceId));
        assert.deepEqual(ids, ['given', 'page-0', 'page-1', 'page-2', 'page-3', 'page-4']);
    }],
    ['another query is refused with a reason', async (c) => {
        await rejects(open_registry(c).createQuery('SELECT COUNT() FROM devices').nextAsTwin(), /ArgumentError/);
    }],
    ['a device connects with its second key and reads its twin', async (c) => {
        const keys = await new_device(c, 'second');
        await open_registry(c).updateTwin('second', { properties: { desired: { x: 'y' } } }, '*');
        const client = await device_client(c, 'second', keys.secondaryKey);
        await client.open();
        const twin = await client.getTwin();
        assert.equal(twin.properties.desired.x, 'y');
        assert.equal((await service_twin(c, 'second')).connectionState, 'Connected');
        await client.close();
        await until('it is seen as gone', async () => (await service_twin(c, 'second')).connectionState === 'Disconnected');
        const device = (await open_registry(c).get('second')).responseBody;
        assert.ok(Date.now() - Date.parse(device.lastActivityTime) < 60000);
    }],
    ['desired changes reach a connected device, with nulls and versions in order', async (c) => {
        const { client, seen } = await subscribed(c, 'desired');
        const begin = seen.length;
        await open_registry(c).updateTwin('desired', { properties: { desired: { n: { a: 1 }, gone: 2 } } }, '*');
        await open_registry(c).updateTwin('desired', { properties: { desired: { gone: null, l: [{ v: 1 }] } } }, '*');
        await until('two changes', () => seen.length >= begin + 2);
        const [first, second] = seen.slice(begin);
        assert.deepEqual(first, { n: { a: 1 }, gone: 2, $version: first.$version });
        assert.deepEqual(second, { gone: null, l: [{ v: 1 }], $version: first.$version + 1 });
        await client.close();
    }],
    ['changes of tags alone are not sent to the device', async (c) => {
        const { client, seen } = await subscribed(c, 'tags');
        const begin = seen.length;
        await open_registry(c).updateTwin('tags', { tags: { a: 1 } }, '*');
        await open_registry(c).updateTwin('tags', { properties: { desired: { last: 1 } } }, '*');
        await until('the change behind it', () => seen.length > begin);
        assert.equal(seen.length, begin + 1);
        assert.equal(seen[begin].last, 1);
        await client.close();
    }],
    ['reported patches reach the twin, and null deletes', async (c) => {
        const { client, twin } = await connected(c, 'reported');
        await report(twin, { fw: { app: { version: 1 } }, gone: true });
        await report(twin, { gone: null, fw: { boot: { version: 2 } } });
        const reported = (await service_twin(c, 'reported')).properties.reported;
        assert.deepEqual(reported.fw, { app: { version: 1 }, boot: { version: 2 } });
        assert.ok(!('gone' in reported));
        assert.equal(reported.$version, 3);
        assert.ok(Date.now() - Date.parse(reported.$metadata.fw.boot.version.$lastUpdated) < 60000);
        await client.close();
    }],
    ['a report beyond the limits is refused, and the connection stays', async (c) => {
        const { client, twin } = await connected(c, 'refused');
        let deep = 1;
        for (let i = 0; i < 12; i++) deep = { d: deep };
        await assert.rejects(report(twin, deep));
        await assert.rejects(report(twin, { l: [null] }));
        await report(twin, { fine: 1 });
        assert.equal((await service_twin(c, 'refused')).properties.reported.fine, 1);
        await client.close();
    }],
    ['telemetry is taken', async (c) => {
        const { Message } = load('azure-iot-device');
        const { client } = await connected(c, 'telemetry');
        const message = new Message(JSON.stringify({ t: 21.5 }));
        message.contentType = 'application/json';
        message.contentEncoding = 'utf-8';
        message.properties.add('a key', 'a=value&');
        await client.sendEvent(message);
        await client.sendEvent(new Message(Buffer.alloc(200000, 65)));
        assert.match(await c.log(), /telemetry from telemetry: {"t":21.5}/);
        await client.close();
    }],
    ['a second connection with the same id evicts the first', async (c) => {
        const { client, keys } = await connected(c, 'twice');
        client.set_no_retry();
        const gone = new Promise((done) => client.once('disconnect', done));
        const second = await device_client(c, 'twice', keys.primaryKey);
        await second.open();
        await gone;
        await second.getTwin();
        await second.close();
        await client.close().catch(() => { });
    }],
    ['a wrong device key is refused', async (c) => {
        await new_device(c, 'forged');
        const client = await device_client(c, 'forged', Buffer.alloc(32).toString('base64'));
        client.set_no_retry();
        await rejects(client.open(), /Unauthorized|NotConnected/);
        assert.match(await c.log(), /'forged' refused: the token is for something else or signed with another key/);
        await client.close().catch(() => { });
    }],
    ['disabling a device ends its connection and refuses the next', async (c) => {
        const { client, keys } = await connected(c, 'disabled');
        client.set_no_retry();
        const gone = new Promise((done) => client.once('disconnect', done));
        await open_registry(c).update({ deviceId: 'disabled', status: 'disabled' });
        await gone;
        const again = await device_client(c, 'disabled', keys.primaryKey);
        again.set_no_retry();
        await rejects(again.open(), /Unauthorized|NotConnected/);
        for (const each of [client, again]) await each.close().catch(() => { });
    }],
    ['a device with a key derived from the group registers itself and connects', async (c) => {
        const key = derive(c.facts.groupKey, 'Self-1');
        const result = await register(c, 'Self-1', key);
        assert.equal(result.status, 'assigned');
        assert.equal(result.assignedHub, c.facts.hostName);
        assert.equal(result.deviceId, 'Self-1');
        const client = await device_client(c, result.deviceId, key);
        await client.open();
        await client.close();
    }],
    ['registering again keeps the device and its twin', async (c) => {
        await open_registry(c).updateTwin('Self-1', { tags: { kept: true } }, '*');
        const result = await register(c, 'Self-1', derive(c.facts.groupKey, 'Self-1'));
        assert.equal(result.status, 'assigned');
        assert.deepEqual((await service_twin(c, 'Self-1')).tags, { kept: true });
    }],
    ['a registration with another key is refused', async (c) => {
        await assert.rejects(register(c, 'Self-2', derive(Buffer.alloc(32).toString('base64'), 'Self-2')));
        await assert.rejects(register(c, 'Self-2', derive(c.facts.groupKey, 'Self-3')));
        await rejects(open_registry(c).get('Self-2'), /DeviceNotFound/);
    }],
    ['an individual enrolment gives its device id and initial twin', async (c) => {
        const made = (await enrollments(c).createOrUpdateIndividualEnrollment({
            registrationId: 'one-1', deviceId: 'the-one', attestation: { type: 'symmetricKey' },
            initialTwin: { tags: { from: 'dps' }, properties: { desired: { level: 3 } } },
        })).responseBody;
        const key = made.attestation.symmetricKey.primaryKey;
        const result = await register(c, 'one-1', key);
        assert.equal(result.deviceId, 'the-one');
        const client = await device_client(c, 'the-one', key);
        await client.open();
        assert.equal((await client.getTwin()).properties.desired.level, 3);
        assert.deepEqual((await service_twin(c, 'the-one')).tags, { from: 'dps' });
        await client.close();
    }],
    ['an individual enrolment hides the group', async (c) => {
        await assert.rejects(register(c, 'one-1', derive(c.facts.groupKey, 'one-1')));
    }],
    ['an enrolment is read without its keys, which are asked for apart', async (c) => {
        const read = (await enrollments(c).getIndividualEnrollment('one-1')).responseBody;
        assert.equal(read.provisioningStatus, 'enabled');
        assert.equal(read.attestation.symmetricKey, undefined);
        const mechanism = (await enrollments(c).getIndividualEnrollmentAttestationMechanism('one-1')).responseBody;
        assert.ok(mechanism.symmetricKey.primaryKey);
    }],
    ['a disabled enrolment registers nobody', async (c) => {
        const key = (await enrollments(c).getIndividualEnrollmentAttestationMechanism('one-1')).responseBody.symmetricKey.primaryKey;
        const read = (await enrollments(c).getIndividualEnrollment('one-1')).responseBody;
        await enrollments(c).createOrUpdateIndividualEnrollment({ ...read, provisioningStatus: 'disabled' });
        await rejects(register(c, 'one-1', key), /disabled/);
    }],
    ['a group enrolment is made, used and removed', async (c) => {
        const made = (await enrollments(c).createOrUpdateEnrollmentGroup({ enrollmentGroupId: 'fleet', attestation: { type: 'symmetricKey' } })).responseBody;
        const key = derive(made.attestation.symmetricKey.secondaryKey, 'fleet-1');
        assert.equal((await register(c, 'fleet-1', key)).status, 'assigned');
        await enrollments(c).deleteEnrollmentGroup('fleet');
        await assert.rejects(register(c, 'fleet-1', key));
        await assert.rejects(enrollments(c).getEnrollmentGroup('fleet'));
    }],
    ["Microsoft's storage SDK makes a container and puts and gets a blob by shared key", async (c) => {
        const container = storage(c).getContainerClient('plugins');
        await container.create();
        await assert.rejects(container.create(), (error) => error.statusCode === 409);
        const blob = container.getBlockBlobClient('dir/app 1.wasm');
        const bytes = Buffer.from([...Array(5000).keys()].map((i) => i % 251));
        const put = await blob.upload(bytes, bytes.length, { blobHTTPHeaders: { blobContentType: 'application/wasm' } });
        assert.ok((await blob.downloadToBuffer()).equals(bytes));
        assert.ok((await blob.downloadToBuffer(1000, 500)).equals(bytes.subarray(1000, 1500)));
        const facts = await blob.getProperties();
        assert.equal(facts.contentType, 'application/wasm');
        assert.equal(facts.contentLength, 5000);
        assert.equal(facts.etag, put.etag);
    }],
    ['its conditions hold', async (c) => {
        const blob = storage(c).getContainerClient('plugins').getBlockBlobClient('dir/app 1.wasm');
        const none = { conditions: { ifNoneMatch: '*' } };
        const status = (code) => (error) => error.statusCode === code;
        await assert.rejects(blob.upload('x', 1, none), status(409));
        await assert.rejects(blob.upload('x', 1, { conditions: { ifMatch: '"0x0"' } }), status(412));
        await assert.rejects(blob.download(0, 10, { conditions: { ifMatch: '"0x0"' } }), status(412));
        await assert.rejects(blob.download(9000, 10), status(416));
        await assert.rejects(blob.download(0, 10, { conditions: { ifNoneMatch: (await blob.getProperties()).etag } }), status(304));
    }],
    ['a SAS made by it opens one blob for reading only, until it ends', async (c) => {
        const { BlobSASPermissions, BlockBlobClient } = load('@azure/storage-blob');
        const blob = storage(c).getContainerClient('plugins').getBlockBlobClient('dir/app 1.wasm');
        const sas = (permissions, seconds) => blob.generateSasUrl({ permissions: BlobSASPermissions.parse(permissions), expiresOn: new Date(Date.now() + seconds * 1000) });
        const reader = new BlockBlobClient(await sas('r', 600));
        assert.equal((await reader.downloadToBuffer()).length, 5000);
        const code = (name) => (error) => { assert.equal(error.code || error.details.errorCode, name); return true; };
        await assert.rejects(reader.upload('x', 1), code('AuthorizationPermissionMismatch'));
        const once = { retryOptions: { maxTries: 1 } };
        await assert.rejects(new BlockBlobClient(await sas('r', -1), undefined, once).download(), code('AuthenticationFailed'));
        await assert.rejects(new BlockBlobClient((await sas('r', 600)).replace('app%201', 'other')).download(), code('AuthenticationFailed'));
        await assert.rejects(new BlockBlobClient(await sas('c', 600)).upload('x', 1), code('UnauthorizedBlobOverwrite'));
        await new BlockBlobClient(await sas('w', 600)).upload('xyz', 3);
        assert.equal((await reader.downloadToBuffer()).toString(), 'xyz');
        await blob.delete();
        await assert.rejects(reader.download(), code('BlobNotFound'));
    }],
    ['after the hub was killed and came back, the SDK reconnects and still hears desired changes', async (c) => {
        const { client, twin, seen } = await subscribed(c, 'survivor');
        await report(twin, { before: 1 });
        await c.kill_and_restart();
        assert.equal((await service_twin(c, 'survivor')).properties.reported.before, 1);
        await until('the device is back', async () => (await service_twin(c, 'survivor')).connectionState === 'Connected');
        await open_registry(c).updateTwin('survivor', { properties: { desired: { after: 1 } } }, '*');
        await until('the change', () => seen.some((delta) => delta.after === 1));
        await report(twin, { after: 1 });
        await client.close();
    }],
];

main_with_peers(__filename, tests);
