// SPDX-License-Identifier: Apache-2.0
// A DNS server that knows the names it is told, and can be dead, late or wrong.
//   node dns_peer.js [--port N] [--mode answer|dead|refuse|garbage] [--late MS] [--ttl S] NAME=ADDRESS...
// A NAME of * is every other name. Says "listening PORT", then a line for each question.
'use strict';
const dgram = require('dgram');
const { readOptions, followCommands } = require('./peer.js');

const options = readOptions({ port: 0, mode: 'answer', late: 0, ttl: 60 });
const addresses = new Map(options.words.map((word) => word.toLowerCase().split('=')));
const socket = dgram.createSocket('udp4');

function readName(message) {
    const labels = [];
    let at = 12;
    while (message[at] > 0 && message[at] < 64) {
        labels.push(message.toString('latin1', at + 1, at + 1 + message[at]));
        at += 1 + message[at];
    }
    return { name: labels.join('.').toLowerCase(), end: at + 5 }; // the end, type and class
}

function answerTo(question) {
    const { name, end } = readName(question);
    const isAddress = question.readUInt16BE(end - 4) === 1;
    const address = addresses.get(name) ?? addresses.get('*');
    const isFound = options.mode !== 'refuse' && address !== undefined;
    const head = Buffer.from(question.subarray(0, end));
    head.writeUInt16BE(options.mode === 'refuse' ? 0x8185 : isFound ? 0x8180 : 0x8183, 2);
    head.writeUInt16BE(isFound && isAddress ? 1 : 0, 6);
    head.writeUInt32BE(0, 8);
    console.log(`${name} ${isFound ? address : '-'}`);
    if (!isFound || !isAddress) return head;
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.')]);
    record.writeUInt32BE(options.ttl, 6);
    return Buffer.concat([head, record]);
}

socket.on('message', (question, from) => {
    if (options.mode === 'dead' || question.length < 17) return;
    const answer = answerTo(question);
    if (options.mode === 'garbage') answer.fill(0xc0, 12);
    setTimeout(() => socket.send(answer, from.port, from.address), options.late);
});
socket.bind(options.port, '127.0.0.1', () => console.log(`listening ${socket.address().port}`));
followCommands(options, () => process.exit(0));
