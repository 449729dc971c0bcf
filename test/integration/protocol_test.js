#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The device's MQTT and HTTP clients against foreign implementations: mqtt-packet (the codec of
// MQTT.js and of Microsoft's SDK), Node's own HTTP server, and Azurite, Microsoft's emulator of
// Blob Storage.
'use strict';
const assert = require('assert');
const { spawn, spawnSync } = require('child_process');
const fs = require('fs');
const http = require('http');
const net = require('net');
const os = require('os');
const path = require('path');

const root = path.resolve(__dirname, '../..');
const driver = path.join(process.env.AG_BUILD || path.join(root, 'build/asan'), 'test/protocol_peer');

const peers = path.join(spawnSync(path.join(root, 'tools/setup-peers'),
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).stdout.trim(), 'node_modules');

function crc_hex(buffer) { // CRC-32, bit by bit
    let crc = 0xFFFFFFFF;
    for (const byte of buffer) {
        crc ^= byte;
        for (let i = 0; i < 8; i++) crc = crc & 1 ? crc >>> 1 ^ 0xEDB88320 : crc >>> 1;
    }
    return ((crc ^ 0xFFFFFFFF) >>> 0).toString(16).padStart(8, '0');
}

function pattern(size) {
    const buffer = Buffer.alloc(size);
    for (let i = 0; i < size; i++) buffer[i] = (i * 7 + (i >> 8)) & 255;
    return buffer;
}

const listen = (server) => new Promise((done) => server.listen(0, '127.0.0.1', () => done(server.address().port)));

// Runs the driver to its end: { code, lines }.
function run(...args) {
    return run_with('"e1"', ...args);
}

function run_with(if_match, ...args) {
    return new Promise((done) => {
        const child = spawn(driver, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, IF_MATCH: if_match } });
        let text = '';
        child.stdout.on('data', (data) => { text += data; });
        const timer = setTimeout(() => child.kill('SIGKILL'), 60000);
        child.on('close', (code) => { clearTimeout(timer); done({ code, lines: text.split('\n').slice(0, -1) }); });
    });
}

// A server that answers each packet of each connection by what `script` (packet, send, socket, number) does.
function mqtt_server(mqtt, script) {
    const packets = [];
    let number = 0;
    const server = net.createServer((socket) => {
        const connection = number++;
        const parser = mqtt.parser({ protocolVersion: 4 });
        const send = (packet) => socket.write(mqtt.generate(packet));
        parser.on('packet', (packet) => {
            packets.push({ connection, ...packet });
            script(packet, send, socket, connection);
        });
        parser.on('error', (error) => { packets.push({ cmd: 'broken', error: String(error) }); socket.destroy(); });
        socket.on('data', (data) => parser.parse(data));
        socket.on('error', () => { });
    });
    return { server, packets };
}

const stop = { cmd: 'publish', topic: 'b', payload: 'stop', qos: 0 };
const welcome = (packet, send, present = false) => {
    if (packet.cmd === 'connect') send({ cmd: 'connack', returnCode: 0, sessionPresent: present });
    if (packet.cmd === 'subscribe') send({ cmd: 'suback', messageId: packet.messageId, granted: [1, 128] });
    if (packet.cmd === 'pingreq') send({ cmd: 'pingresp' });
};

async function a_session_is_understood(mqtt) {
    const big = pattern(100000);
    const { server, packets } = mqtt_server(mqtt, (packet, send) => {
        welcome(packet, send);
        if (packet.cmd === 'publish' && packet.qos === 1) {
            send({ cmd: 'puback', messageId: packet.messageId });
            send({ cmd: 'publish', topic: 'a/big', payload: big, qos: 1, messageId: 4711 });
        }
        if (packet.cmd === 'puback') send(stop);
    });
    const result = await run('mqtt', String(await listen(server)));
    server.close();
    assert.deepStrictEqual(result.lines, ['connack 0 0', 'suback 1 128', 'puback',
        `message a/big 1 0 100000 ${crc_hex(big)}`, `message b 0 0 4 ${crc_hex(Buffer.from('stop'))}`, 'left 0']);
    assert.strictEqual(result.code, 0);
    const [connect, subscribe, first, second, puback, goodbye] = packets;
    assert.deepStrictEqual(packets.map((packet) => packet.cmd),
        ['connect', 'subscribe', 'publish', 'publish', 'puback', 'disconnect']);
    assert.strictEqual(connect.protocolId, 'MQTT');
    assert.strictEqual(connect.protocolVersion, 4);
    assert.strictEqual(connect.clean, false);
    assert.strictEqual(connect.clientId, 'peer-1');
    assert.strictEqual(String(connect.username), 'user é');
    assert.strictEqual(String(connect.password), 'pass');
    assert.strictEqual(connect.keepalive, 1);
    assert.strictEqual(connect.will, undefined);
    assert.deepStrictEqual(subscribe.subscriptions.map((s) => [s.topic, s.qos]), [['a/#', 1], ['b', 0]]);
    assert.deepStrictEqual([first.topic, String(first.payload), first.qos, first.dup], ['t/1', 'first é', 1, false]);
    assert.deepStrictEqual([second.topic, second.payload.length, second.qos, second.retain], ['t/2', 0, 0, false]);
    assert.strictEqual(puback.messageId, 4711);
    assert.strictEqual(goodbye.length, 0);
}

async function a_message_is_sent_again_after_a_break(mqtt) {
    const { server, packets } = mqtt_server(mqtt, (packet, send, socket, connection) => {
        welcome(packet, send, connection > 0);
        if (packet.cmd !== 'publish' || packet.qos !== 1) return;
        if (connection < 2) {
            socket.destroy(); // without PUBACK
            return;
        }
        send({ cmd: 'puback', messageId: packet.messageId });
        send(stop);
    });
    const result = await run('mqtt', String(await listen(server)));
    server.close();
    assert.strictEqual(result.code, 0);
    assert.strictEqual(result.lines.at(-1), 'left 0');
    assert.strictEqual(result.lines.filter((line) => line === 'connack 0 1').length, 2);
    const sent = packets.filter((packet) => packet.cmd === 'publish' && packet.qos === 1);
    assert.deepStrictEqual(sent.map((packet) => packet.dup), [false, true, true]);
    assert.strictEqual(new Set(sent.map((packet) => packet.messageId)).size, 1);
    assert.ok(sent.every((packet) => String(packet.payload) === 'first é'));
}

async function a_quiet_session_pings(mqtt) {
    let pings = 0;
    const { server } = mqtt_server(mqtt, (packet, send) => {
        welcome(packet, send);
        if (packet.cmd === 'pingreq' && ++pings === 2) send(stop);
    });
    const result = await run('mqtt', String(await listen(server)));
    server.close();
    assert.strictEqual(result.code, 0);
    assert.strictEqual(pings, 2);
}

async function a_refusal_is_told(mqtt) {
    const { server } = mqtt_server(mqtt, (packet, send) => send({ cmd: 'connack', returnCode: 5, sessionPresent: false }));
    const result = await run('mqtt', String(await listen(server)));
    server.close();
    assert.strictEqual(result.code, 1);
    assert.ok(result.lines.includes('mqtt mqtt_refused'));
}

const body = pattern(50000);

function serve(request, response) {
    const route = request.url.split('?')[0];
    response.setHeader('ETag', '"e1"');
    if (route === '/range') {
        const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range);
        const end = Math.min(Number(last), body.length - 1);
        if (Number(first) >= body.length) {
            response.writeHead(416, { 'Content-Range': `bytes */${body.length}` });
            response.end('<Error/>');
            return;
        }
        response.writeHead(206, { 'Content-Range': `bytes ${first}-${end}/${body.length}`, 'Content-Length': end - first + 1 });
        response.end(body.subarray(Number(first), end + 1));
    } else if (route === '/chunked') {
        for (let at = 0; at < body.length; at += 777) response.write(body.subarray(at, at + 777));
        response.end();
    } else if (route === '/close') {
        response.shouldKeepAlive = false;
        response.useChunkedEncodingByDefault = false;
        response.removeHeader('transfer-encoding');
        response.write(body);
        response.end();
    } else if (route === '/not-modified') {
        response.writeHead(304);
        response.end();
    } else {
        response.writeHead(route === '/plain' ? 200 : 404, { 'Content-Length': body.length });
        response.end(body);
    }
}

async function requests_and_bodies_are_understood() {
    const seen = [];
    const server = http.createServer((request, response) => {
        seen.push({ url: request.url, headers: request.headers, port: request.socket.remotePort });
        serve(request, response);
    });
    const port = await listen(server);
    const base = `https://localhost:${port}`;
    const result = await run('http', String(port), `${base}/plain?sig=a%2Fb%3D&x`, `${base}/chunked`,
        `1000-1999@${base}/range`, `49990-60000@${base}/range`, `50000-50001@${base}/range`, `${base}/not-modified`,
        `${base}/missing`, `${base}/close`, `${base}/plain`);
    server.close();
    assert.strictEqual(result.code, 0);
    const line = (code, bytes, first, reuse) =>
        `${code} ${bytes.length} ${crc_hex(bytes)} etag "e1" first ${first} reuse ${reuse}`;
    assert.deepStrictEqual(result.lines, [line(200, body, 0, 1), line(200, body, 0, 1),
        line(206, body.subarray(1000, 2000), 1000, 1), line(206, body.subarray(49990), 49990, 1),
        line(416, Buffer.from('<Error/>'), 0, 1), line(304, Buffer.alloc(0), 0, 1), line(404, body, 0, 1),
        line(200, body, 0, 0), line(200, body, 0, 1)]);
    assert.strictEqual(seen[0].url, '/plain?sig=a%2Fb%3D&x');
    assert.strictEqual(seen[0].headers.host, `localhost:${port}`);
    assert.strictEqual(seen[0].headers['user-agent'], 'protocol-peer/1');
    assert.strictEqual(seen[0].headers['x-ms-version'], '2021-12-02');
    assert.strictEqual(seen[0].headers['if-match'], '"e1"');
    assert.strictEqual(seen[0].headers.range, undefined);
    assert.strictEqual(seen[2].headers.range, 'bytes=1000-1999');
    assert.strictEqual(new Set(seen.slice(0, 8).map((request) => request.port)).size, 1);
    assert.notStrictEqual(seen[8].port, seen[7].port);
}

async function a_short_body_is_noticed() {
    const server = net.createServer((socket) => {
        socket.on('error', () => { });
        socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort'));
    });
    const port = await listen(server);
    const result = await run('http', String(port), `https://localhost:${port}/x`);
    server.close();
    assert.strictEqual(result.code, 1);
    assert.deepStrictEqual(result.lines, ['end truncated']);
}

// Azurite over plain TCP in a folder of its own: { port, key, stop }.
async function start_azurite() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ag-azurite-'));
    const key = Buffer.alloc(64, 7).toString('base64');
    const child = spawn(process.execPath, [`${peers}/azurite/dist/src/blob/main.js`, '--blobHost', '127.0.0.1', '--blobPort', '0',
        '-l', folder, '--disableTelemetry', '--disableProductStyleUrl', '--skipApiVersionCheck', '--silent'],
    { env: { ...process.env, AZURITE_ACCOUNTS: `acct:${key}` }, stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = new Promise((done) => child.on('exit', done));
    // At once, and only then its folder: on other signals Azurite writes into it once more.
    const stop = async () => {
        child.kill('SIGKILL');
        await exited;
        fs.rmSync(folder, { recursive: true, force: true });
    };
    process.on('exit', () => child.kill('SIGKILL'));
    const port = await new Promise((done, fail) => {
        let text = '';
        child.on('exit', () => fail(new Error(`Azurite ended: ${text}`)));
        child.stdout.on('data', (data) => {
            text += data;
            const match = /successfully listens on .*:(\d+)/.exec(text);
            if (match) done(match[1]);
        });
    });
    return { port, key, stop };
}

async function a_blob_is_fetched_from_azurite() {
    const storage = require(`${peers}/@azure/storage-blob`);
    const azurite = await start_azurite();
    const credential = new storage.StorageSharedKeyCredential('acct', azurite.key);
    const service = new storage.BlobServiceClient(`http://127.0.0.1:${azurite.port}/acct`, credential);
    const container = service.getContainerClient('plugins');
    await container.create();
    const blob = container.getBlockBlobClient('plug in-1.wasm');
    const etag = (await blob.upload(body, body.length)).etag;
    const signed = async (minutes) => (await blob.generateSasUrl({ permissions: storage.BlobSASPermissions.parse('r'),
        startsOn: new Date(Date.now() - 3600000), expiresOn: new Date(Date.now() + minutes * 60000) })).replace('http:', 'https:');
    const url = await signed(10);
    const base = `https://127.0.0.1:${azurite.port}/acct/plugins`;
    const good = await run_with(etag, 'http', azurite.port, url, `1000-1999@${url}`, `49990-60000@${url}`);
    const line = (code, bytes, first) => `${code} ${bytes.length} ${crc_hex(bytes)} etag ${etag} first ${first} reuse 1`;
    assert.deepStrictEqual(good.lines, [line(200, body, 0), line(206, body.subarray(1000, 2000), 1000),
        line(206, body.subarray(49990), 49990)]);
    const bad = await run_with('', 'http', azurite.port, await signed(-10), `${url}x`, `${base}/missing`,
        url.replace('plug%20in-1', 'missing'));
    assert.deepStrictEqual(bad.lines.map((text) => text.split(' ')[0]), ['403', '403', '403', '403']);
    const changed = await run_with('"0x0"', 'http', azurite.port, `0-9@${url}`);
    assert.strictEqual(changed.lines[0].split(' ')[0], '412');
    await azurite.stop();
}

const tests = [
    ["an MQTT session is understood by another implementation", a_session_is_understood],
    ["an MQTT message of QoS 1 is sent again after a break", a_message_is_sent_again_after_a_break],
    ["a quiet MQTT session pings", a_quiet_session_pings],
    ["a refused MQTT login is told", a_refusal_is_told],
    ["HTTP requests and bodies of every framing are understood", requests_and_bodies_are_understood],
    ["a short HTTP body is noticed", a_short_body_is_noticed],
    ["a blob is fetched from Azurite, whole and in ranges, and refusals are told apart", a_blob_is_fetched_from_azurite],
];

async function main() {
    console.log(`1..${tests.length}`);
    let failed = 0;
    for (const [index, [name, test]] of tests.entries()) {
        try {
            await test(require(`${peers}/mqtt-packet`));
            console.log(`ok ${index + 1} - ${name}`);
        } catch (error) {
            failed++;
            console.log(`not ok ${index + 1} - ${name}`);
            console.log(String(error && error.stack).replace(/^/gm, '# '));
        }
    }
    process.exit(failed ? 1 : 0);
}
main();
