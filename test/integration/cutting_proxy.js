// SPDX-License-Identifier: Apache-2.0
// A TCP proxy that stops or cuts what comes from the server after so many bytes:
//   node cutting_proxy.js TARGET_PORT      prints "PORT CONTROL_PORT" when it listens on both
// It knows nothing of what it carries. Plain HTTP on the control port:
//   /cut?after=N     so many bytes from now on its connections are ended, once; 0: now
//   /hold?after=N    so many bytes from now on nothing more is given to the client
//   /pass            everything passes, also what was held
//   /                nothing changes
// Each answers with {"given": bytes given to clients so far, "held": whether bytes wait, "cuts"}.
'use strict';
const http = require('http');
const net = require('net');

const target = Number(process.argv[2]);
const pairs = new Set();
let given = 0;
let limit = Infinity; // of `given`
let cutsThere = false; // at the limit; otherwise it holds
let cuts = 0;

function pass() {
    limit = Infinity;
    cutsThere = false;
}

function cut() {
    pass();
    cuts++;
    for (const pair of pairs) {
        pair.waiting = Buffer.alloc(0);
        pair.server.destroy();
        pair.client.end(); // after what was given
    }
}

function flow(pair) {
    const bytes = pair.waiting.subarray(0, Math.min(pair.waiting.length, limit - given));
    pair.waiting = pair.waiting.subarray(bytes.length);
    given += bytes.length;
    if (bytes.length > 0) pair.client.write(bytes);
    if (cutsThere && given === limit) cut();
    if (pair.isEnded && pair.waiting.length === 0) pair.client.end();
}

function accept(client) {
    const server = net.connect(target, '127.0.0.1');
    const pair = { client, server, waiting: Buffer.alloc(0), isEnded: false };
    pairs.add(pair);
    client.pipe(server);
    server.on('data', (bytes) => {
        pair.waiting = Buffer.concat([pair.waiting, bytes]);
        flow(pair);
    });
    server.on('end', () => {
        pair.isEnded = true;
        flow(pair);
    });
    const close = () => {
        pairs.delete(pair);
        server.destroy();
        client.destroy();
    };
    client.on('error', close).on('close', close);
    server.on('error', close);
}

function control(request, response) {
    const url = new URL(request.url, 'http://localhost');
    if (url.pathname !== '/') {
        pass();
        if (url.pathname !== '/pass') {
            limit = given + Number(url.searchParams.get('after'));
            cutsThere = url.pathname === '/cut';
        }
        if (cutsThere && given === limit) cut();
        for (const pair of pairs) flow(pair);
    }
    const held = [...pairs].some((pair) => pair.waiting.length > 0);
    response.end(JSON.stringify({ given, held, cuts }));
}

const proxy = net.createServer({ allowHalfOpen: true }, accept).listen(0, '127.0.0.1', () => {
    const controls = http.createServer(control).listen(0, '127.0.0.1', () => {
        console.log(`${proxy.address().port} ${controls.address().port}`);
    });
});
