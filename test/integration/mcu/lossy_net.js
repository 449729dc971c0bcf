// SPDX-License-Identifier: Apache-2.0
// QEMU's user network behind a wire that loses frames: a second QEMU without a machine has the
// network, and every frame between it and the guest passes here.
//   node lossy_net.js [--drop PERCENT] [--double PERCENT] [--swap PERCENT] [--delay MS] [--seed N]
//                     [--user OPTIONS]
// Says "nic OPTIONS", to be given to the guest as -nic OPTIONS,model=lan9118 or -netdev OPTIONS.
// --user goes to the second QEMU's -netdev user (restrict=on, guestfwd=...). "count" on standard input says how many
// frames came and how many of them were lost.
'use strict';
const dgram = require('dgram');
const { spawn } = require('child_process');
const { readOptions, followCommands } = require('./peer.js');

const options = readOptions({ drop: 0, double: 0, swap: 0, delay: 0, seed: 1, user: '' });
const count = { frames: 0, lost: 0 };
let state = options.seed >>> 0 || 1;

function chance(percent) { // the same for the same seed and order of frames
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % 100 < percent;
}

function bind() {
    return new Promise((resolve) => {
        const socket = dgram.createSocket('udp4');
        socket.bind(0, '127.0.0.1', () => resolve(socket));
    });
}

async function freePort() {
    const socket = await bind();
    const { port } = socket.address();
    await new Promise((resolve) => socket.close(resolve));
    return port;
}

// Frames from `from` leave by `to` to `port`. A frame to be swapped waits for the next one.
function pass(from, to, port) {
    let kept = null;
    const sendNow = (frame) => to.send(frame, port, '127.0.0.1');
    const send = (frame) =>
        options.delay > 0 ? setTimeout(sendNow, options.delay, frame) : sendNow(frame);
    from.on('message', (frame) => {
        count.frames++;
        if (chance(options.drop)) {
            count.lost++;
            return;
        }
        if (!kept && chance(options.swap)) {
            kept = frame;
            return;
        }
        send(frame);
        if (chance(options.double)) send(frame);
        if (kept) send(kept);
        kept = null;
    });
}

function netdev(id, port, peer) {
    return `socket,id=${id},udp=127.0.0.1:${peer},localaddr=127.0.0.1:${port}`;
}

async function main() {
    const [guestSide, netSide] = [await bind(), await bind()];
    const [guestPort, netPort] = [await freePort(), await freePort()];
    pass(guestSide, netSide, netPort);
    pass(netSide, guestSide, guestPort);
    const network = spawn('qemu-system-arm', [
        '-M', 'none', '-nodefaults', '-display', 'none', '-monitor', 'none',
        '-netdev', `user,id=u${options.user && ','}${options.user}`,
        '-netdev', netdev('d', netPort, netSide.address().port),
        '-netdev', 'hubport,id=a,hubid=0,netdev=u', '-netdev', 'hubport,id=b,hubid=0,netdev=d',
    ], { stdio: ['ignore', 'ignore', 'inherit'] });
    const end = (code) => {
        network.kill('SIGKILL');
        process.exit(code);
    };
    network.on('exit', () => process.exit(1));
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => end(0));
    followCommands(options, () => end(0), {
        count: () => console.log(`frames ${count.frames} lost ${count.lost}`),
    });
    console.log(`nic ${netdev('net', guestPort, guestSide.address().port)}`);
}
main();
