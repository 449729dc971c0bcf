// SPDX-License-Identifier: Apache-2.0
// An SNTP server that can lie.
//   node sntp_peer.js [--port N] [--mode answer|dead|kiss|unset|echo|short] [--offset S] [--time S]
// --offset is added to the right time; --time is told instead of it (seconds since 1970). kiss: asks
// to be left alone (RATE); unset: says that it has no time; echo: does not repeat the number of the
// question; short: leaves out the last byte. Says "listening PORT", then a line for each question.
'use strict';
const dgram = require('dgram');
const { readOptions, followCommands } = require('./peer.js');

const options = readOptions({ port: 0, mode: 'answer', offset: 0, time: 0 });
const socket = dgram.createSocket('udp4');

socket.on('message', (question, from) => {
    if (options.mode === 'dead' || question.length < 48) return;
    const seconds = options.time || Math.floor(Date.now() / 1000) + options.offset;
    const answer = Buffer.alloc(48);
    answer[0] = (options.mode === 'unset' ? 3 << 6 : 0) | (4 << 3) | 4; // version 4, server
    answer[1] = options.mode === 'kiss' ? 0 : 2; // stratum
    answer.write(options.mode === 'kiss' ? 'RATE' : 'LOCL', 12, 'latin1');
    if (options.mode !== 'echo') question.copy(answer, 24, 40, 48);
    for (const at of [16, 32, 40]) answer.writeUInt32BE((seconds + 2208988800) % 2 ** 32, at);
    console.log(`told ${seconds}`);
    socket.send(options.mode === 'short' ? answer.subarray(0, 47) : answer, from.port, from.address);
});
socket.bind(options.port, '127.0.0.1', () => console.log(`listening ${socket.address().port}`));
followCommands(options, () => process.exit(0));
