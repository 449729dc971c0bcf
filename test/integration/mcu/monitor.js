#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Says something to QEMU's monitor: monitor.js SOCKET COMMAND. Exits 0 when it has been obeyed.
'use strict';
const net = require('net');

const [path, command] = process.argv.slice(2);
const socket = net.createConnection(path);
const fail = (why) => {
    console.error(`monitor.js: ${why}`);
    process.exit(1);
};
let prompts = 0;
let input = '';
socket.setTimeout(10000, () => fail('no answer'));
socket.on('error', (error) => fail(error.message));
socket.on('data', (data) => {
    input += data;
    const seen = input.split('(qemu) ').length - 1;
    if (prompts === 0 && seen === 1) {
        prompts = 1;
        input = '';
        socket.write(`${command}\n`);
    } else if (prompts === 1 && seen >= 1) {
        if (/[Ee]rror|unknown command|not found/.test(input)) fail(input);
        process.exit(0);
    }
});
