#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// A DNS server for emulated boards, which find a hub on this machine under a name of its own.
//   name-server.js PORT NAME=ADDRESS...     PORT 0: the system chooses
// Listens on 127.0.0.1 by UDP and prints its port. Names that were not given do not exist.
'use strict';
const dgram = require('node:dgram');

const HEADER = 12;
const TYPE_A = 1;
const TTL_S = 5;
const NO_ERROR = 0, FORMAT_ERROR = 1, NO_SUCH_NAME = 3;

// The one question of a query: {name, type, end}; null when it is malformed.
function readQuestion(query) {
    const labels = [];
    let at = HEADER;
    if (query.length < HEADER || query.readUInt16BE(4) !== 1)
        return null;
    while (at < query.length && query[at] !== 0) {
        const size = query[at];
        if (size > 63 || at + 1 + size > query.length)
            return null;
        labels.push(query.toString('latin1', at + 1, at + 1 + size));
        at += 1 + size;
    }
    if (at + 5 > query.length)
        return null;
    return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function makeHeader(query, code, answers, questions) {
    const header = Buffer.alloc(HEADER);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8580 | code, 2); // a response, authoritative, recursion as if available
    header.writeUInt16BE(questions, 4);
    header.writeUInt16BE(answers, 6);
    return header;
}

function answer(query, names) {
    const question = readQuestion(query);
    if (!question)
        return makeHeader(query, FORMAT_ERROR, 0, 0);
    const address = names.get(question.name);
    const echo = query.subarray(HEADER, question.end);
    if (!address)
        return Buffer.concat([makeHeader(query, NO_SUCH_NAME, 0, 1), echo]);
    if (question.type !== TYPE_A)
        return Buffer.concat([makeHeader(query, NO_ERROR, 0, 1), echo]);
    const record = Buffer.from([0xc0, HEADER, 0, TYPE_A, 0, 1, 0, 0, 0, TTL_S, 0, 4, ...address]);
    return Buffer.concat([makeHeader(query, NO_ERROR, 1, 1), echo, record]);
}

function main(port, pairs) {
    const names = new Map();
    for (const pair of pairs) {
        const [name, address] = pair.split('=');
        names.set(name.toLowerCase(), address.split('.').map(Number));
    }
    const socket = dgram.createSocket('udp4');
    socket.on('message', (query, peer) => {
        if (query.length >= 2)
            socket.send(answer(query, names), peer.port, peer.address);
    });
    socket.bind(port, '127.0.0.1', () => console.log(socket.address().port));
}

if (process.argv.length < 3) {
    console.error('usage: name-server.js PORT NAME=ADDRESS...');
    process.exit(2);
}
main(Number(process.argv[2]), process.argv.slice(3));
