#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Writes bytes into an emulated board's memory, code included, through QEMU's debugger port:
//   gdb_poke.js SOCKET ADDRESS HEX
// Exits 0 when the board has them and goes on.
'use strict';
const net = require('net');

const [path, address, hex] = process.argv.slice(2);
if (!/^([0-9a-f]{2})+$/.test(hex)) {
    console.error('gdb_poke.js: SOCKET ADDRESS HEX');
    process.exit(2);
}

const packet = (text) => {
    const sum = [...Buffer.from(text)].reduce((total, byte) => (total + byte) & 255, 0);
    return `$${text}#${sum.toString(16).padStart(2, '0')}`;
};
// The stub stops the machine when somebody connects, and lets it go on when told to detach.
const steps = [`M${address},${(hex.length / 2).toString(16)}:${hex}`, 'D'];
const socket = net.createConnection(path);
let input = '';
const next = () => socket.write(packet(steps[0]));
socket.setTimeout(10000, () => {
    console.error('gdb_poke.js: no answer');
    process.exit(1);
});
socket.on('error', (error) => {
    console.error(`gdb_poke.js: ${error.message}`);
    process.exit(1);
});
socket.on('connect', next);
socket.on('data', (data) => {
    input += data;
    input = input.replace(/\$[ST][^#]*#[0-9a-f]{2}/g, ''); // that it has stopped
    const answer = /\$([^#]*)#[0-9a-f]{2}/.exec(input);
    if (!answer) return;
    input = input.slice(answer.index + answer[0].length);
    socket.write('+');
    if (answer[1] !== 'OK') {
        console.error(`gdb_poke.js: ${steps[0]}: ${answer[1] || 'not known'}`);
        process.exit(1);
    }
    steps.shift();
    if (steps.length === 0) process.exit(0);
    next();
});
