// SPDX-License-Identifier: Apache-2.0
// Boots the firmware from each image of the flash that a power cut can leave, and looks what runs.
//   node boot_images.js FIRMWARE IMAGE TRACE VERSIONS [--sample N] [--jobs N]
// IMAGE is the flash before; TRACE tells each store since, as power_cut.c writes it. A cut leaves
// the first k stores, or these and some bits of the next. There is no network. The board must come
// up, with one of VERSIONS of its one plug-in blinking the LED (0: none is installed), and a later
// cut never with one that comes before that of an earlier one. --sample boots N of the images,
// spread evenly. Prints a line for each failure, then one JSON object with counts.
'use strict';
const fs = require('fs');
const os = require('os');
const { spawn } = require('child_process');

const FILE_SIZE = 1 << 24;
const USED = 1 << 20; // of it, that the firmware takes for flash
const REAL_MS = 60000; // of a loaded machine; the board's own time runs as fast as it can
const TEXT_MAX = 4000; // of the console, after which nothing more is to be expected

const [firmware, image, trace, versionText, ...rest] = process.argv.slice(2);
const options = { sample: Infinity, jobs: os.cpus().length };
for (let i = 0; i + 1 < rest.length; i += 2) options[rest[i].slice(2)] = Number(rest[i + 1]);
const versions = versionText.split(',').map(Number);

function readStores() {
    return fs.readFileSync(trace, 'ascii').split('\n').filter(Boolean).map((line) => {
        const [offset, value] = line.split(' ');
        return { offset: parseInt(offset, 16), bytes: Buffer.from(value, 'hex') };
    });
}

// What a program or an erase that is cut short leaves of the bits that it changes.
function torn(before, after, number) {
    return Buffer.from(after.map((byte, i) =>
        before[i] ^ ((before[i] ^ byte) & ((number + i) * 0x9d & 0xff))));
}

// Makes `flash` each image that differs from the one before it, and yields its name.
function* images(stores, flash) {
    const file = fs.openSync(image, 'r');
    fs.readSync(file, flash, 0, USED, 0);
    fs.closeSync(file);
    yield '0';
    for (const [i, store] of stores.entries()) {
        const before = Buffer.from(flash.subarray(store.offset, store.offset + store.bytes.length));
        if (before.equals(store.bytes)) continue; // an erase of what is blank
        const part = torn(before, store.bytes, i + 1);
        if (!part.equals(before) && !part.equals(store.bytes)) {
            part.copy(flash, store.offset);
            yield `${i + 1} torn`;
        }
        store.bytes.copy(flash, store.offset);
        yield `${i + 1}`;
    }
}

function emulate(file) {
    return spawn('qemu-system-arm', [
        '-machine', 'mps2-an385,memory-backend=flash',
        '-object', `memory-backend-file,id=flash,size=16M,mem-path=${file},share=on`,
        '-nic', 'user,id=net,restrict=on,model=lan9118', '-kernel', firmware,
        '-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-no-reboot',
        '-semihosting-config', 'enable=on,target=native', '-icount', 'shift=5,sleep=off',
    ]);
}

// The version that blinks, 0 for none installed, or a text that says what is wrong.
function boot(file) {
    return new Promise((resolve) => {
        const board = emulate(file);
        let text = '';
        let result = 'it says nothing';
        let asked = 0;
        const timer = setTimeout(() => board.kill('SIGKILL'), REAL_MS);
        const end = (what) => {
            result = what;
            board.kill('SIGKILL');
        };
        const ask = () => {
            asked = text.length;
            board.stdin.write('plugins\n');
        };
        board.stdin.on('error', () => {});
        board.stdout.on('data', (chunk) => {
            text += chunk;
            if (/no host|fault|cannot be|damaged/.test(text)) return end(text.slice(0, 400));
            if (!asked && text.includes('airgraft-host')) return ask();
            const answer = text.slice(asked).match(/^(none|\w+ +\w+, version (\d+).*)\r?\n/m);
            if (text.length > TEXT_MAX) return end(`nothing blinks: ${text.slice(0, 400)}`);
            if (!asked || !answer) return;
            if (answer[1] === 'none' || answer[2] === '0') return end(0);
            const blinks = /led 0 on[^]*led 0 off/.test(text.slice(0, asked));
            if (blinks) return end(Number(answer[2]));
            if (/led 0 on[^]*led 0 off/.test(text)) ask(); // what blinks now
        });
        board.on('close', () => {
            clearTimeout(timer);
            resolve(result === 'it says nothing' ? `it is silent after ${text.slice(0, 400)}` : result);
        });
    });
}

async function main() {
    const stores = readStores();
    const flash = Buffer.alloc(USED);
    const count = [...images(stores, flash)].length;
    const step = Math.max(1, count / options.sample);
    const names = [];
    const results = [];
    const all = images(stores, flash);
    let at = -1;
    let wanted = 0;
    const next = () => { // its place among those that are booted, or -1
        for (;;) {
            const { value, done } = all.next();
            if (done) return -1;
            at++;
            if (at < Math.floor(wanted) && at < count - 1) continue;
            wanted += step;
            return names.push(value) - 1;
        }
    };
    const work = async (job) => {
        const file = `${image}.${job}`;
        for (let place = next(); place >= 0; place = next()) {
            fs.writeFileSync(file, flash);
            fs.truncateSync(file, FILE_SIZE);
            results[place] = await boot(file);
        }
        fs.rmSync(file, { force: true });
    };
    await Promise.all(Array.from({ length: options.jobs }, (_, job) => work(job)));

    let failures = 0;
    let reached = 0; // the furthest of `versions` so far
    const counts = {};
    results.forEach((result, i) => {
        const place = versions.indexOf(result);
        counts[result] = (counts[result] || 0) + 1;
        if (place < reached) {
            failures++;
            console.log(`cut at ${names[i]}: ${result}`);
        }
        reached = Math.max(reached, place);
    });
    if (!counts[versions[versions.length - 1]]) {
        failures++;
        console.log(`no image had version ${versions[versions.length - 1]}`);
    }
    const ran = Object.fromEntries(versions.map((version) => [version, counts[version] || 0]));
    console.log(JSON.stringify({
        stores: stores.length, images: count, boots: names.length, ran, failures }));
    process.exit(failures > 0 ? 1 : 0);
}
main();
