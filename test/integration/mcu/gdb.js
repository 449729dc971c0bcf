#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Breaks an emulated board from outside, by QEMU's port for debuggers, at the first time that it comes to an
// address:
//   gdb.js SOCKET ADDRESS fault [mps2|virt]      an instruction that there is not
//   gdb.js SOCKET ADDRESS hang [mps2|virt]       a loop without end
// The board runs on, without a debugger.
'use strict';

const net = require('node:net');

const [path, address, what, board = 'mps2'] = process.argv.slice(2);
// Thumb's udf and RISC-V's zeros, and a jump to itself. A reset loads the program anew.
const INSTRUCTIONS = {
    mps2: { fault: '00de', hang: 'fee7' },
    virt: { fault: '0000', hang: '01a0' },
}[board];

const socket = net.connect(path);
let received = '';
let wake = () => {};
socket.setEncoding('latin1');
socket.on('data', (text) => {
    received += text;
    wake();
});
socket.on('error', (error) => {
    console.error(`gdb: ${error.message}`);
    process.exit(1);
});

async function next() { // the payload of the next packet
    for (;;) {
        const match = /\$([^#]*)#[0-9a-f]{2}/.exec(received);
        if (match) {
            received = received.slice(match.index + match[0].length);
            socket.write('+');
            return match[1];
        }
        await new Promise((resolve) => { wake = resolve; });
    }
}

function send(payload) {
    let sum = 0;
    for (const character of payload) sum = (sum + character.charCodeAt(0)) & 255;
    socket.write(`$${payload}#${sum.toString(16).padStart(2, '0')}`);
}

async function ask(payload) {
    send(payload);
    let answer = await next();
    while (answer.startsWith('T')) answer = await next(); // that connecting has stopped it
    if (answer !== 'OK') throw new Error(`${payload} was answered with "${answer}"`);
}

async function main() {
    const at = (parseInt(address, 16) & ~1).toString(16);
    socket.write('+');
    await ask(`M${at},2:${INSTRUCTIONS[what]}`);
    await ask('D');
    socket.end();
}

main().catch((error) => {
    console.error(`gdb: ${error.message}`);
    process.exit(1);
});
