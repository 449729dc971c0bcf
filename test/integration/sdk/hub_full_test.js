#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// A hub whose files cannot grow any more: what it cannot keep it refuses, and what it acknowledged is kept.
'use strict';
const assert = require('assert');
const { main } = require('./harness');
const { blob_sas, connected_device, publish, request, rest } = require('./wire');

const put_blob = (c, name, size) =>
    request(c.facts, 'PUT', `/airgraft/${name}?${blob_sas(c.facts, name, 'cw')}`, { 'x-ms-blob-type': 'BlockBlob', 'Content-Length': size }, Buffer.alloc(size, 1));

const kept = []; // devices that the hub said it has
const tests = [
    ['devices are made until the disk is full, and then refused with 500', async (c) => {
        const device = await rest(c.facts, 'PUT', '/devices/early', {});
        c.key = device.json.authentication.symmetricKey.primaryKey;
        c.early = await connected_device(c.facts, 'early', c.key, ['$iothub/twin/res/#']);
        for (let i = 0; ; i++) {
            assert.ok(i < 2000, 'the limit was never met');
            const answer = await rest(c.facts, 'PUT', `/devices/d${i}`, { statusReason: 'x'.repeat(120) });
            if (answer.status === 500) {
                assert.match(answer.json.Message, /^ErrorCode:ServerError;/);
                break;
            }
            assert.equal(answer.status, 200);
            kept.push(`d${i}`);
        }
        assert.ok(kept.length > 0);
    }],
    ['reading goes on', async (c) => {
        assert.equal((await rest(c.facts, 'GET', `/devices/${kept[0]}`)).status, 200);
        assert.equal((await rest(c.facts, 'GET', '/twins/early')).json.connectionState, 'Connected');
    }],
    ['a refused device is not there', async (c) => {
        assert.equal((await rest(c.facts, 'GET', `/devices/d${kept.length}`)).status, 404);
    }],
    ['a report that cannot be kept is not acknowledged', async (c) => {
        c.early.send(publish('$iothub/twin/PATCH/properties/reported/?$rid=1', JSON.stringify({ a: 'x'.repeat(4000) })));
        assert.equal(await c.early.next(), null); // closed: the device will try again
    }],
    ['a blob that cannot be kept is refused with 500', async (c) => {
        const answer = await put_blob(c, 'con/large', 2000000);
        assert.equal(answer.status, 500);
        assert.equal(answer.headers['x-ms-error-code'], 'InternalError');
    }],
    ['with room again, all that was acknowledged is there, and writing works', async (c) => {
        await c.kill_and_restart();
        const ids = (await rest(c.facts, 'GET', '/devices')).json.map((device) => device.deviceId);
        assert.deepEqual(ids.sort(), [...kept, 'early'].sort());
        assert.equal((await rest(c.facts, 'PUT', '/devices/late', {})).status, 200);
        assert.equal((await put_blob(c, 'con/large', 2000000)).status, 201);
        await (await connected_device(c.facts, 'early', c.key)).end();
    }],
];

const host = '127.0.0.1';
main(__filename, tests, ['--listen', host, '--hostname', host, '--https-port', '0', '--mqtt-port', '0'], {}, 700);
