#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The hub on the wire: its service API and blobs in detail, bad input on both ports, slow clients, power cuts.
'use strict';
const assert = require('assert');
const crypto = require('crypto');
const fs = require('fs');
const net = require('net');
const path = require('path');
const tls = require('tls');
const { main, token, until, wait } = require('./harness');
const { Device, blob_sas, connect, connected_device, owner, packet, publish, request, rest, subscribe } = require('./wire');

const key_of = async (c, id) => {
    const answer = await rest(c.facts, 'PUT', `/devices/${id}`, { deviceId: id });
    return answer.json.authentication.symmetricKey.primaryKey;
};
const refused = (answer, status, name) => {
    assert.equal(answer.status, status, answer.body.toString());
    assert.match(answer.json.Message, new RegExp(`^ErrorCode:${name};.+`));
    assert.match(answer.headers['content-type'], /^application\/json/);
};

const put = (c, name, bytes, headers = {}, permissions = 'cw') =>
    request(c.facts, 'PUT', `/airgraft/${name}?${blob_sas(c.facts, name, permissions)}`,
        { 'x-ms-blob-type': 'BlockBlob', 'Content-Length': bytes.length, ...headers }, bytes);
const get = (c, name, headers = {}, extra = {}, method = 'GET') =>
    request(c.facts, method, `/airgraft/${name}?${blob_sas(c.facts, name, 'r', extra)}`, headers);
const code = (answer, status, name) => {
    assert.equal(answer.status, status, answer.body.toString());
    assert.equal(answer.headers['x-ms-error-code'], name);
    if (answer.body.length > 0) assert.match(answer.body.toString(), new RegExp(`<Error><Code>${name}</Code><Message>.+</Message></Error>`));
};
const digest = (bytes) => crypto.createHash('md5').update(bytes).digest('base64');

// Sends bytes to a port, in TLS or without, and waits until the hub closes or a moment has passed.
function throw_bytes(c, port, bytes, plain = false) {
    return new Promise((done) => {
        const at = { host: c.facts.hostName, port, servername: '' };
        const socket = plain ? net.connect(at) : tls.connect(at);
        const parts = [];
        const timer = setTimeout(() => socket.destroy(), 400);
        socket.on('error', () => { });
        socket.on('data', (data) => parts.push(data));
        socket.on('close', () => { clearTimeout(timer); done(Buffer.concat(parts).toString('latin1')); });
        socket.write(bytes);
    });
}

const lives = async (c) => assert.equal((await rest(c.facts, 'GET', '/devices?top=1')).status, 200);

const tests = [
    ['files and folder are readable by their owner only', async (c) => {
        const folder = path.dirname(c.facts.ca);
        assert.equal(fs.statSync(folder).mode & 0o777, 0o700);
        for (const name of ['hub.json', 'hub.db', 'ca.key', 'server.key']) assert.equal(fs.statSync(path.join(folder, name)).mode & 0o077, 0, name);
    }],
    ['hub.json says all that a client needs', async (c) => {
        for (const name of ['hostName', 'mqttPort', 'httpsPort', 'connectionString', 'idScope', 'groupId', 'groupKey', 'ca', 'blobConnectionString', 'blobEndpoint'])
            assert.ok(c.facts[name], name);
        assert.match(c.facts.connectionString, new RegExp(`^HostName=${c.facts.hostName};SharedAccessKeyName=iothubowner;SharedAccessKey=[^;]+;GatewayHostName=${c.facts.hostName}:${c.facts.httpsPort}$`));
    }],
    ['requests without a good token are refused', async (c) => {
        const host = c.facts.hostName;
        const key = c.facts.connectionString.match(/SharedAccessKey=([^;]+)/)[1];
        const with_token = async (Authorization) => {
            const answer = await request(c.facts, 'GET', '/devices?api-version=2021-04-12', Authorization ? { Authorization } : {});
            answer.json = JSON.parse(answer.body);
            return answer;
        };
        assert.equal((await with_token(token(host, key, 60, 'iothubowner'))).status, 200);
        for (const bad of [undefined, 'Bearer x', 'SharedAccessSignature sr=x', token(host, key, -1, 'iothubowner'), token('elsewhere', key, 60, 'iothubowner'),
            token(host, key, 60, 'service'), token(host, key, 60), token(`${host}/devices`, key, 60, 'iothubowner'), token(host, Buffer.alloc(32).toString('base64'), 60, 'iothubowner')])
            refused(await with_token(bad), 401, 'IotHubUnauthorizedAccess');
    }],
    ['what the API does not have is refused by name', async (c) => {
        refused(await rest(c.facts, 'GET', '/nothing'), 404, 'NotFound');
        refused(await rest(c.facts, 'POST', '/devices/x', {}), 405, 'MethodNotAllowed');
        refused(await rest(c.facts, 'GET', '/devices/x/y/z'), 404, 'NotFound');
        refused(await rest(c.facts, 'GET', '/devices?top=0'), 400, 'ArgumentInvalid');
        refused(await rest(c.facts, 'GET', '/devices?top=1x'), 400, 'ArgumentInvalid');
        const answer = await request(c.facts, 'GET', '/devices', { Authorization: owner(c.facts) });
        assert.equal(answer.status, 400);
        assert.match(answer.body.toString(), /api-version/);
    }],
    ['bodies that are no JSON objects, too large, or for another id are refused', async (c) => {
        for (const body of ['', '{', '[]', 'null', '{"a":1}x', '\xff', '['.repeat(100000), `{"deviceId":"other"}`, '{"deviceId":1}', '{"status":"on"}', '{"authentication":{"type":"x"}}',
            '{"authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"12"}}}', `{"statusReason":"${'x'.repeat(129)}"}`])
            refused(await rest(c.facts, 'PUT', '/devices/bad', body), 400, 'ArgumentInvalid');
        refused(await rest(c.facts, 'PUT', '/devices/bad', `{"x":"${'x'.repeat(1100000)}"}`), 413, 'MessageTooLarge');
        refused(await rest(c.facts, 'PUT', '/devices/a%20b', {}), 400, 'ArgumentInvalid');
        refused(await rest(c.facts, 'GET', '/devices/bad'), 404, 'DeviceNotFound');
    }],
    ['If-Match is taken bare, quoted and as a star', async (c) => {
        await rest(c.facts, 'PUT', '/devices/etag', {});
        for (const form of [(e) => e, (e) => `"${e}"`, () => '*', () => '"*"']) {
            const { etag } = (await rest(c.facts, 'GET', '/devices/etag')).json;
            assert.equal((await rest(c.facts, 'PUT', '/devices/etag', {}, { 'If-Match': form(etag) })).status, 200);
            const twin = (await rest(c.facts, 'GET', '/twins/etag')).json;
            assert.equal((await rest(c.facts, 'PATCH', '/twins/etag', { tags: { a: 1 } }, { 'If-Match': form(twin.etag) })).status, 200);
            refused(await rest(c.facts, 'PATCH', '/twins/etag', { tags: { a: 1 } }, { 'If-Match': twin.etag }), 412, 'PreconditionFailed');
            refused(await rest(c.facts, 'DELETE', '/devices/etag', undefined, { 'If-Match': `"${etag}"` }), 412, 'PreconditionFailed');
        }
        for (const bad of ['', '"', 'x', 'AAAA', '"AAAAAAAAAAE='])
            refused(await rest(c.facts, 'PUT', '/devices/etag', {}, { 'If-Match': bad }), 412, 'PreconditionFailed');
        refused(await rest(c.facts, 'PUT', '/devices/none', {}, { 'If-Match': '*' }), 404, 'DeviceNotFound');
        assert.equal((await rest(c.facts, 'DELETE', '/devices/etag')).status, 204);
    }],
    ['replacing a twin tells the device what is gone', async (c) => {
        const device = await connected_device(c.facts, 'replace', await key_of(c, 'replace'), ['$iothub/twin/PATCH/properties/desired/#']);
        await rest(c.facts, 'PATCH', '/twins/replace', { tags: { t: 1 }, properties: { desired: { a: 1, b: { c: 1, d: 2 } } } });
        assert.deepEqual(JSON.parse((await device.next()).payload), { a: 1, b: { c: 1, d: 2 }, $version: 2 });
        const twin = (await rest(c.facts, 'PUT', '/twins/replace', { tags: { u: 2 }, properties: { desired: { a: 1, b: { d: 3 } } } })).json;
        const told = await device.next();
        assert.equal(told.topic, '$iothub/twin/PATCH/properties/desired/?$version=3');
        assert.deepEqual(JSON.parse(told.payload), { a: 1, b: { c: null, d: 3 }, $version: 3 });
        assert.deepEqual(twin.tags, { u: 2 });
        assert.deepEqual(twin.properties.desired.b, { d: 3 });
        await device.end();
    }],
    ['a twin is sent back as it was read, and keeps its contents', async (c) => {
        await rest(c.facts, 'PUT', '/devices/round', {});
        await rest(c.facts, 'PATCH', '/twins/round', { properties: { desired: { a: [1, { b: 'é' }], f: 1.5, big: 4503599627370495 } } });
        const before = (await rest(c.facts, 'GET', '/twins/round')).json;
        const after = (await rest(c.facts, 'PUT', '/twins/round', before, { 'If-Match': before.etag })).json;
        const plain = ({ $metadata, $version, ...values }) => values;
        assert.deepEqual(plain(after.properties.desired), plain(before.properties.desired));
    }],
    ['twin sections of wrong types are refused', async (c) => {
        for (const bad of [{ tags: 1 }, { tags: [] }, { properties: [] }, { properties: { desired: 'x' } }, { tags: { $a: 1 } }, { properties: { desired: { a: { $b: 1 } } } }])
            refused(await rest(c.facts, 'PATCH', '/twins/round', bad), 400, 'ArgumentInvalid');
        refused(await rest(c.facts, 'PATCH', '/twins/none', {}), 404, 'DeviceNotFound');
        refused(await rest(c.facts, 'PATCH', '/twins/round', { tags: Object.fromEntries([...Array(9).keys()].map((i) => [`k${i}`, 'x'.repeat(1000)])) }), 400, 'ArgumentInvalid');
    }],
    ['enrolments of kinds that are not offered, bad keys and bad twins are refused', async (c) => {
        const attempt = (body, id = 'e') => rest(c.facts, 'PUT', `/enrollments/${id}`, body);
        refused(await attempt({ attestation: { type: 'tpm' } }), 501, 'NotImplemented');
        refused(await attempt({}), 400, 'ArgumentInvalid');
        refused(await attempt({ registrationId: 'f', attestation: { type: 'symmetricKey' } }), 400, 'ArgumentInvalid');
        refused(await attempt({ attestation: { type: 'symmetricKey', symmetricKey: { primaryKey: 'x' } } }), 400, 'ArgumentInvalid');
        refused(await attempt({ attestation: { type: 'symmetricKey' }, initialTwin: { tags: { 'a.b': 1 } } }), 400, 'ArgumentInvalid');
        refused(await attempt({ attestation: { type: 'symmetricKey' }, deviceId: 'a b' }), 400, 'ArgumentInvalid');
        refused(await attempt({ attestation: { type: 'symmetricKey' } }, 'a_'), 400, 'ArgumentInvalid');
        refused(await rest(c.facts, 'GET', '/enrollments/e'), 404, 'EnrollmentNotFound');
        assert.equal((await attempt({ attestation: { type: 'symmetricKey' } }, 'E')).status, 200);
        refused(await attempt({ attestation: { type: 'symmetricKey' } }), 409, 'EnrollmentAlreadyExists');
        assert.equal((await rest(c.facts, 'DELETE', '/enrollments/e')).status, 204);
    }],
    ['a blob comes back in every range that the service knows', async (c) => {
        const bytes = crypto.randomBytes(100000);
        const made = await put(c, 'plugins/r.bin', bytes, { 'Content-MD5': digest(bytes) });
        assert.equal(made.status, 201);
        assert.match(made.headers.etag, /^"0x[0-9A-F]+"$/);
        const whole = async (range) => {
            const answer = await get(c, 'plugins/r.bin', { Range: range });
            assert.equal(answer.status, 200, range);
            assert.ok(answer.body.equals(bytes));
            assert.equal(answer.headers['content-md5'], digest(bytes));
        };
        const part = async (headers, first, last) => {
            const answer = await get(c, 'plugins/r.bin', headers);
            assert.equal(answer.status, 206, JSON.stringify(headers));
            assert.ok(answer.body.equals(bytes.subarray(first, last + 1)));
            assert.equal(answer.headers['content-range'], `bytes ${first}-${last}/100000`);
            assert.equal(answer.headers['content-length'], String(last - first + 1));
            assert.equal(answer.headers['x-ms-blob-content-md5'], digest(bytes));
            return answer;
        };
        await part({ Range: 'bytes=0-0' }, 0, 0);
        await part({ Range: 'bytes=4095-4097' }, 4095, 4097);
        await part({ Range: 'bytes=99999-' }, 99999, 99999);
        await part({ Range: 'bytes=5000-' }, 5000, 99999);
        await part({ Range: 'bytes=99990-200000' }, 99990, 99999);
        await part({ Range: 'bytes=1-99999999999999999999999999' }, 1, 99999);
        await part({ Range: 'bytes=0-9', 'x-ms-range': 'bytes=20-29' }, 20, 29);
        assert.equal((await part({ Range: 'bytes=10-19', 'x-ms-range-get-content-md5': 'true' }, 10, 19)).headers['content-md5'], digest(bytes.subarray(10, 20)));
        for (const ignored of ['bytes=-10', 'bytes=0-1,5-6', 'bytes=9-5', 'bytes=x', 'bytes=1', 'items=0-1', 'bytes=1-2x', '']) await whole(ignored);
        for (const behind of ['bytes=100000-', 'bytes=100000-100001', 'bytes=99999999999999999999999999-']) {
            const answer = await get(c, 'plugins/r.bin', { Range: behind });
            code(answer, 416, 'InvalidRange');
            assert.equal(answer.headers['content-range'], 'bytes */100000');
        }
    }],
    ['conditions of blobs hold', async (c) => {
        const first = (await put(c, 'plugins/c.bin', Buffer.from('one'))).headers.etag;
        code(await put(c, 'plugins/c.bin', Buffer.from('x'), { 'If-None-Match': '*' }), 409, 'BlobAlreadyExists');
        code(await put(c, 'plugins/c.bin', Buffer.from('x'), { 'If-Match': '"0x1"' }), 412, 'ConditionNotMet');
        code(await put(c, 'plugins/new.bin', Buffer.from('x'), { 'If-Match': '*' }), 412, 'ConditionNotMet');
        assert.equal((await get(c, 'plugins/c.bin', { 'If-Match': first })).body.toString(), 'one');
        assert.equal((await get(c, 'plugins/c.bin', { 'If-None-Match': first })).status, 304);
        const second = (await put(c, 'plugins/c.bin', Buffer.from('two'), { 'If-Match': first })).headers.etag;
        assert.notEqual(second, first);
        code(await get(c, 'plugins/c.bin', { 'If-Match': first, Range: 'bytes=1-' }), 412, 'ConditionNotMet');
        assert.equal((await get(c, 'plugins/c.bin', { 'If-None-Match': first })).body.toString(), 'two');
        const head = await get(c, 'plugins/c.bin', {}, {}, 'HEAD');
        assert.equal(head.headers['content-length'], '3');
        assert.equal(head.headers.etag, second);
        assert.equal(head.body.length, 0);
        assert.equal((await get(c, 'plugins/none.bin', {}, {}, 'HEAD')).headers['x-ms-error-code'], 'BlobNotFound');
    }],
    ['blobs that contradict their MD5, their type or their length are refused', async (c) => {
        const bytes = Buffer.from('contents');
        code(await put(c, 'plugins/m.bin', bytes, { 'Content-MD5': digest(Buffer.from('other')) }), 400, 'Md5Mismatch');
        code(await put(c, 'plugins/m.bin', bytes, { 'Content-MD5': 'nonsense' }), 400, 'InvalidMd5');
        code(await put(c, 'plugins/m.bin', bytes, { 'x-ms-blob-content-md5': digest(Buffer.from('other')), 'Content-MD5': digest(bytes) }), 400, 'Md5Mismatch');
        code(await put(c, 'plugins/m.bin', bytes, { 'x-ms-blob-type': 'PageBlob' }), 400, 'InvalidHeaderValue');
        code(await request(c.facts, 'PUT', `/airgraft/plugins/m.bin?${blob_sas(c.facts, 'plugins/m.bin', 'cw')}`, { 'Content-Length': 8 }, bytes), 400, 'MissingRequiredHeader');
        code(await request(c.facts, 'PUT', `/airgraft/plugins/m.bin?comp=block&${blob_sas(c.facts, 'plugins/m.bin', 'cw')}`, { 'Content-Length': 8 }, bytes), 400, 'UnsupportedQueryParameter');
        code(await get(c, 'plugins/m.bin'), 404, 'BlobNotFound');
        assert.equal((await put(c, 'plugins/empty.bin', Buffer.alloc(0))).status, 201);
        assert.equal((await get(c, 'plugins/empty.bin')).body.length, 0);
        code(await get(c, 'plugins/empty.bin', { Range: 'bytes=0-' }), 416, 'InvalidRange');
    }],
    ['the largest blob goes through and a larger one does not', async (c) => {
        const bytes = Buffer.alloc(16 * 1024 * 1024, 90);
        assert.equal((await put(c, 'plugins/large.bin', bytes)).status, 201);
        assert.ok((await get(c, 'plugins/large.bin')).body.equals(bytes));
        code(await get(c, 'plugins/large.bin', { Range: 'bytes=0-4194304', 'x-ms-range-get-content-md5': 'true' }), 400, 'OutOfRangeInput');
        const answer = await put(c, 'plugins/large.bin', Buffer.alloc(bytes.length + 1)).catch((error) => ({ status: error.code }));
        assert.ok([413, 'ECONNRESET', 'EPIPE'].includes(answer.status), `${answer.status}`);
        assert.equal((await get(c, 'plugins/large.bin', {}, {}, 'HEAD')).headers['content-length'], String(bytes.length));
    }],
    ['a download goes on unharmed while its blob is replaced and deleted', async (c) => {
        const old = crypto.randomBytes(8 * 1024 * 1024);
        await put(c, 'plugins/swap.bin', old);
        const path_ = `/airgraft/plugins/swap.bin?${blob_sas(c.facts, 'plugins/swap.bin', 'rd')}`;
        const socket = tls.connect({ host: c.facts.hostName, port: c.facts.httpsPort, servername: '' });
        socket.write(`GET ${path_} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
        await new Promise((done) => socket.once('readable', done));
        assert.equal((await put(c, 'plugins/swap.bin', Buffer.from('new'))).status, 201);
        assert.equal((await request(c.facts, 'DELETE', path_)).status, 202);
        const parts = [];
        for await (const part of socket) parts.push(part);
        const all = Buffer.concat(parts);
        assert.ok(all.subarray(all.indexOf('\r\n\r\n') + 4).equals(old));
        code(await request(c.facts, 'DELETE', path_), 404, 'BlobNotFound');
    }],
    ['blobs need a SAS that says so', async (c) => {
        await put(c, 'plugins/s.bin', Buffer.from('secret'));
        const with_query = (query, method = 'GET', headers = {}) => request(c.facts, method, `/airgraft/plugins/s.bin?${query}`, headers);
        const sas = (permissions, extra) => blob_sas(c.facts, 'plugins/s.bin', permissions, extra);
        assert.equal((await with_query(sas('r'))).status, 200);
        code(await with_query(''), 401, 'NoAuthenticationInformation');
        code(await with_query(sas('r').replace(/sig=.{5}/, 'sig=AAAAA')), 403, 'AuthenticationFailed');
        code(await with_query(sas('r').replace(/sig=.*/, 'sig=')), 403, 'AuthenticationFailed');
        code(await with_query(sas('r').replace('2040', '2041')), 403, 'AuthenticationFailed');
        code(await with_query(blob_sas(c.facts, 'plugins/t.bin', 'r')), 403, 'AuthenticationFailed');
        code(await with_query(sas('r', { se: '2020-01-01T00:00:00Z' })), 403, 'AuthenticationFailed');
        code(await with_query(sas('r', { st: '2039-01-01T00:00:00Z' })), 403, 'AuthenticationFailed');
        code(await with_query(sas('r', { sip: '10.0.0.1' })), 403, 'AuthorizationSourceIPMismatch');
        code(await with_query(sas('w')), 403, 'AuthorizationPermissionMismatch');
        code(await with_query(sas('r'), 'DELETE'), 403, 'AuthorizationPermissionMismatch');
        code(await put(c, 'plugins/s.bin', Buffer.from('x'), {}, 'r'), 403, 'AuthorizationPermissionMismatch');
        code(await put(c, 'plugins/s.bin', Buffer.from('x'), {}, 'c'), 403, 'UnauthorizedBlobOverwrite');
        assert.equal((await with_query(sas('r', { rsct: 'text/plain' }))).headers['content-type'], 'text/plain');
        for (const forged of ['SharedKey airgraft:AAAA', 'SharedKey other:AAAA', 'SharedKey airgraft', 'x'])
            code(await with_query('', 'GET', { Authorization: forged }), 403, 'AuthenticationFailed');
        assert.doesNotMatch(await c.log(), /sig=/);
    }],
    ['blob paths cannot leave their place', async (c) => {
        for (const name of ['../hub.db', '..%2Fhub.db', 'a%00b', '%', 'UPPER/x', 'a/x', '-ab/x', `${'c'.repeat(64)}/x`, `con/${'n'.repeat(1025)}`])
            code(await request(c.facts, 'GET', `/airgraft/${name}`), 400, 'InvalidUri');
        assert.equal((await put(c, 'plugins/../../x', Buffer.from('odd'))).status, 201); // a name like any other
        assert.ok(fs.readdirSync(path.join(path.dirname(c.facts.ca), 'blobs')).every((name) => /^[0-9a-f]{32}$/.test(name)));
    }],
    ['garbage on either port is closed, in TLS and without', async (c) => {
        const key = await key_of(c, 'garbage');
        const good = connect('garbage', `${c.facts.hostName}/garbage/?api-version=1`, token(`${c.facts.hostName}/devices/garbage`, key, 60));
        const inputs = [Buffer.from('\r\n\r\n'), Buffer.alloc(70000, 0xff), Buffer.from('GET / HTTP/1.1\r\n\r\n'), crypto.randomBytes(3000), Buffer.from([0x10]), Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0xff]),
            Buffer.concat([good, Buffer.from([0xf0, 0])]), Buffer.concat([good, Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f])]), Buffer.concat([good, packet(0x62, Buffer.from([0, 1]))])];
        for (const bytes of inputs) {
            for (const port of [c.facts.mqttPort, c.facts.httpsPort]) {
                await throw_bytes(c, port, bytes);
                await throw_bytes(c, port, bytes, true);
            }
        }
        await lives(c);
    }],
    ['broken HTTP is refused or closed', async (c) => {
        const inputs = ['GET\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', 'GET /devices HTTP/1.1\r\nA\r\n\r\n', 'CONNECT x HTTP/1.1\r\n\r\n', 'BREW / HTTP/1.1\r\n\r\n',
            'PUT /devices/x HTTP/1.1\r\nContent-Length: -1\r\n\r\n', 'PUT /devices/x HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n', 'PUT /devices/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
            'GET /%zz HTTP/1.1\r\n\r\n', 'GET http://[ HTTP/1.1\r\n\r\n', 'GET /devices?%zz&&&=&x HTTP/1.1\r\n\r\n', `GET /${'x'.repeat(100000)} HTTP/1.1\r\n\r\n`,
            `GET / HTTP/1.1\r\n${`X: ${'y'.repeat(1000)}\r\n`.repeat(100)}\r\n`];
        for (const input of inputs) {
            const answer = await throw_bytes(c, c.facts.httpsPort, input);
            assert.ok(answer === '' || /^HTTP\/1\.[01] (100|4\d\d|5\d\d) /.test(answer), `${input.slice(0, 40)}: ${answer.slice(0, 80)}`);
        }
        await lives(c);
    }],
    ['every truncation of a CONNECT over TLS leaves the hub well', async (c) => {
        const bytes = connect('garbage', `${c.facts.hostName}/garbage/?api-version=1`, 'SharedAccessSignature sr=a&sig=b&se=1');
        const sockets = [];
        for (let size = 0; size < bytes.length; size += 3) {
            const device = new Device(c.facts);
            device.socket.once('secureConnect', () => device.socket.write(bytes.subarray(0, size)));
            sockets.push(device);
        }
        await until('all handshakes', () => sockets.every((device) => device.socket.authorized !== undefined && device.socket.encrypted));
        await wait(200);
        await Promise.all(sockets.map((device) => device.end()));
        await lives(c);
    }],
    ['a refused device reads code 5 even with more packets behind its CONNECT', async (c) => {
        for (let i = 0; i < 20; i++) {
            const device = new Device(c.facts);
            device.send(connect('nobody', `${c.facts.hostName}/nobody/?api-version=1`, 'x'), subscribe('$iothub/twin/res/#'), publish('$iothub/twin/GET/?$rid=1'));
            const answer = await device.next();
            assert.ok(answer !== null && answer.type === 2 && answer.body[1] === 5);
            assert.equal(await device.next(), null);
            device.end();
        }
    }],
    ['a device that does not read is cut off, and others are served', async (c) => {
        const slow_key = await key_of(c, 'slow');
        await rest(c.facts, 'PATCH', '/twins/slow', { properties: { desired: Object.fromEntries([...Array(7).keys()].map((i) => [`k${i}`, 'x'.repeat(4000)])) } });
        const slow = await connected_device(c.facts, 'slow', slow_key, ['$iothub/twin/res/#']);
        slow.socket.pause();
        const requests = Buffer.concat(Array(200).fill(publish('$iothub/twin/GET/?$rid=1')));
        await until('it is cut off', async () => {
            if (slow.socket.writable) slow.socket.write(requests);
            return /slow does not read what it is sent/.test(await c.log());
        });
        await lives(c);
        slow.end();
    }],
    ['a burst of the largest messages is taken whole', async (c) => {
        const device = await connected_device(c.facts, 'burst', await key_of(c, 'burst'));
        const topic = 'devices/burst/messages/events/';
        for (let i = 0; i < 40; i++) device.send(publish(topic, 'x'.repeat(262144), 1), publish(topic, 'small', 1));
        for (let i = 0; i < 80; i++) assert.equal((await device.next()).type, 4);
        device.send(publish(topic, 'x'.repeat(280000), 1)); // larger than any may be
        assert.equal(await device.next(), null);
        device.end();
    }],
    ['clients that go away before their answer do no harm', async (c) => {
        const body = '{"tags":{"a":1}}';
        await rest(c.facts, 'PUT', '/devices/away', {});
        const lines = (method, path_, more) => `${method} ${path_}?api-version=1 HTTP/1.1\r\nHost: x\r\nAuthorization: ${owner(c.facts)}\r\n${more}\r\n`;
        for (let i = 0; i < 60; i++) {
            const socket = tls.connect({ host: c.facts.hostName, port: c.facts.httpsPort, servername: '' });
            socket.on('error', () => { });
            await new Promise((done) => socket.once('secureConnect', done));
            socket.write(lines('PATCH', '/twins/away', `Content-Length: ${body.length}\r\n`) + body + (i % 2 ? lines('GET', '/devices', '') : ''));
            if (i % 3 === 0) socket.end();
            else setTimeout(() => socket.destroy(), i % 10);
        }
        await wait(100);
        await lives(c);
        await until('all patches arrived', async () => (await rest(c.facts, 'GET', '/twins/away')).json.tags.a === 1);
    }],
    ['SIGTERM ends the hub cleanly whatever is open', async (c) => {
        const key = await key_of(c, 'open');
        await put(c, 'plugins/open.bin', Buffer.alloc(8 * 1024 * 1024, 1));
        const device = await connected_device(c.facts, 'open', key, ['$iothub/twin/res/#']);
        const open = (port, bytes) => {
            const socket = tls.connect({ host: c.facts.hostName, port, servername: '' });
            socket.on('error', () => { });
            socket.write(bytes);
            return socket;
        };
        const sockets = [net.connect(c.facts.mqttPort, c.facts.hostName), net.connect(c.facts.httpsPort, c.facts.hostName), open(c.facts.mqttPort, Buffer.from([0x10, 50, 0])),
            open(c.facts.httpsPort, 'PUT /devices/x HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf'), open(c.facts.httpsPort, 'GET /dev'),
            open(c.facts.httpsPort, `GET /airgraft/plugins/open.bin?${blob_sas(c.facts, 'plugins/open.bin', 'r')} HTTP/1.1\r\n\r\n`)];
        sockets.forEach((socket) => { socket.on('error', () => { }); socket.pause(); });
        await wait(200);
        device.send(publish('$iothub/twin/PATCH/properties/reported/?$rid=1', '{"last":1}'));
        await device.next();
        await c.kill_and_restart('SIGTERM');
        assert.equal((await rest(c.facts, 'GET', '/twins/open')).json.properties.reported.last, 1);
        sockets.forEach((socket) => socket.destroy());
        device.end();
    }],
    ['a report that was acknowledged survives SIGKILL at that moment', async (c) => {
        const key = await key_of(c, 'durable');
        for (let round = 1; round <= 5; round++) {
            const device = await connected_device(c.facts, 'durable', key, ['$iothub/twin/res/#']);
            let last = 0;
            for (let i = 1; i <= round * 3; i++) {
                device.send(publish(`$iothub/twin/PATCH/properties/reported/?$rid=${i}`, JSON.stringify({ round, last: i })));
                const answer = await device.next();
                assert.match(answer.topic, /^\$iothub\/twin\/res\/204\//);
                last = i;
            }
            await c.kill_and_restart();
            const { reported } = (await rest(c.facts, 'GET', '/twins/durable')).json.properties;
            assert.deepEqual([reported.round, reported.last], [round, last]);
            await device.end();
        }
    }],
    ['a blob that was acknowledged survives it too, and no file is left over', async (c) => {
        const bytes = crypto.randomBytes(200000);
        assert.equal((await put(c, 'plugins/kill.bin', bytes)).status, 201);
        await c.kill_and_restart();
        assert.ok((await get(c, 'plugins/kill.bin')).body.equals(bytes));
        const folder = path.join(path.dirname(c.facts.ca), 'blobs');
        const before = fs.readdirSync(folder).length;
        fs.writeFileSync(path.join(folder, 'f'.repeat(32)), 'left behind by a crash');
        await c.kill_and_restart();
        assert.equal(fs.readdirSync(folder).length, before);
    }],
];

const host = '127.0.0.1';
main(__filename, tests, ['--listen', host, '--hostname', host, '--https-port', '0', '--mqtt-port', '0']);
