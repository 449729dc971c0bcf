// SPDX-License-Identifier: Apache-2.0
// For tests in Node: TAP lines, and a hub of their own on a loopback address of their own.
//
// The outer process starts the hub and then itself once more with the hub's CA in
// NODE_EXTRA_CA_CERTS, which Node reads only at its start; the inner one runs the tests.
'use strict';
const { spawn, spawnSync, fork } = require('child_process');
const crypto = require('crypto');
const fs = require('fs');
const net = require('net');
const os = require('os');
const path = require('path');

const root = path.resolve(__dirname, '../../..');
const program = path.join(process.env.AG_BUILD || path.join(root, 'build/asan'), 'airgraft-hub');
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

// Polls until `probe` gives something true; a test that would wait for ever fails instead.
async function until(what, probe, seconds = 60) {
    for (let left = seconds * 20; left > 0; left--) {
        const result = await probe();
        if (result) return result;
        await wait(50);
    }
    throw new Error(`waited in vain: ${what}`);
}

class Hub {
    // With `limit_kb` no file of the hub can grow beyond it, as on a full disk.
    constructor(options = [], limit_kb = 0) {
        this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ag-hub-'));
        this.options = options;
        this.limit_kb = limit_kb;
    }
    async start() {
        const file = path.join(this.folder, 'data', 'hub.json');
        fs.rmSync(file, { force: true }); // a killed hub leaves it
        const log = fs.openSync(path.join(this.folder, 'log'), 'a');
        const limit = this.limit_kb > 0 ? `ulimit -f ${this.limit_kb}; ` : '';
        this.child = spawn('bash', ['-c', `${limit}exec "$0" "$@"`, program, '--data', path.join(this.folder, 'data'), '--log-level', 'debug', ...this.options],
            { stdio: ['ignore', log, log] });
        fs.closeSync(log);
        this.ended = new Promise((done) => this.child.once('exit', (code, signal) => done(code === null ? signal : code)));
        await until('the hub listens', () => this.child.exitCode !== null || fs.existsSync(file));
        if (this.child.exitCode !== null) throw new Error(`the hub ended with ${this.child.exitCode}: ${this.log()}`);
        return JSON.parse(fs.readFileSync(file));
    }
    async stop(signal) {
        this.child.kill(signal);
        return this.ended;
    }
    log() {
        return fs.readFileSync(path.join(this.folder, 'log'), 'utf8');
    }
    remove() {
        fs.rmSync(this.folder, { recursive: true, force: true });
    }
}

async function run_tests(tests, context) {
    console.log(`1..${tests.length}`);
    let failed = 0;
    for (const [index, [name, test]] of tests.entries()) {
        let timer;
        const limit = new Promise((_, fail) => { timer = setTimeout(() => fail(new Error('no end after 90 s')), 90000); });
        try {
            await Promise.race([test(context), limit]);
            console.log(`ok ${index + 1} - ${name}`);
        } catch (error) {
            failed++;
            console.log(`not ok ${index + 1} - ${name}`);
            console.log(String(error && error.stack).replace(/^/gm, '# '));
        }
        clearTimeout(timer);
    }
    return failed;
}

function skip_all(tests, reason) {
    console.log(`1..${tests.length}`);
    tests.forEach(([name], index) => console.log(`ok ${index + 1} - ${name} # SKIP ${reason}`));
}

// The hub must end cleanly on SIGTERM, with nothing found by the sanitizers, whatever it was put through.
async function finish(hub, status) {
    const code = await hub.stop('SIGTERM');
    if (code !== 0) {
        console.log(`# the hub ended with ${code}; its log:\n${hub.log().replace(/^/gm, '# ')}`);
        status = 1;
    } else if (status !== 0) {
        console.log(`# the hub's log ends:\n${hub.log().split('\n').slice(-60).map((line) => line.slice(0, 160)).join('\n').replace(/^/gm, '# ')}`);
    }
    hub.remove();
    process.exit(status);
}

async function run_outer(file, options, env, limit_kb) {
    const hub = new Hub(options, limit_kb);
    process.on('exit', () => hub.child && hub.child.kill('SIGKILL'));
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
    const facts = await hub.start();
    const inner = fork(file, {
        env: { ...process.env, ...env, AG_HUB_FACTS: JSON.stringify(facts), NODE_EXTRA_CA_CERTS: facts.ca },
    });
    const serve = async (message) => {
        if (message === 'SIGKILL' || message === 'SIGTERM') {
            const code = await hub.stop(message);
            if (code !== 0 && message === 'SIGTERM') throw new Error(`the hub ended with ${code}: ${hub.log()}`);
            hub.limit_kb = 0;
            inner.send(await hub.start());
        }
        if (message === 'log') inner.send(hub.log());
    };
    inner.on('message', (message) => serve(message).catch((error) => inner.send({ error: error.stack })));
    inner.on('exit', (code) => finish(hub, code === 0 ? 0 : 1));
}

// Runs `tests`, [name, async function (context)] each, against a hub with these options.
function main(file, tests, options, env = {}, limit_kb = 0) {
    if (!process.env.AG_HUB_FACTS) {
        run_outer(file, options, env, limit_kb).catch((error) => {
            console.log(`1..1\nnot ok 1 - the hub starts\n# ${error.stack}`);
            process.exit(1);
        });
        return;
    }
    const context = { facts: JSON.parse(process.env.AG_HUB_FACTS) };
    const ask = async (message) => {
        const answer = await new Promise((done) => { process.once('message', done); process.send(message); });
        if (answer.error) throw new Error(answer.error);
        return answer;
    };
    context.kill_and_restart = async (signal = 'SIGKILL') => { context.facts = await ask(signal); };
    context.log = () => ask('log');
    run_tests(tests, context).then((failed) => process.exit(failed ? 1 : 0));
}

// An address of this process's own: loopback has 16 million.
function own_address() {
    return `127.${61 + (process.pid >> 16) % 60}.${(process.pid >> 8) & 255}.${(process.pid & 255) || 1}`;
}

// A token of azure-protocol: `resource` goes in as it is signed.
function token(resource, key, seconds, policy) {
    const expiry = Math.floor(Date.now() / 1000) + seconds;
    const signature = crypto.createHmac('sha256', Buffer.from(key, 'base64')).update(`${resource}\n${expiry}`).digest('base64');
    return `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expiry}${policy ? `&skn=${policy}` : ''}`;
}

function derive(group_key, registration_id) {
    return crypto.createHmac('sha256', Buffer.from(group_key, 'base64')).update(registration_id).digest('base64');
}

function peers() {
    const result = spawnSync(path.join(root, 'tools/setup-peers'), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
    return result.status === 0 ? path.join(result.stdout.trim(), 'node_modules') : null;
}

// Whether this process may: azure-iothub knows no other port.
function can_listen_on_443(address) {
    return new Promise((done) => {
        const server = net.createServer();
        server.once('error', () => done(false));
        server.listen(443, address, () => server.close(() => done(true)));
    });
}

// Runs `tests` with the peers' modules installed, against a hub on port 443 of an address of its own:
// azure-iothub knows no other port. Where the system does not let us, all are skipped aloud.
async function main_with_peers(file, tests, env = {}) {
    if (process.env.AG_HUB_FACTS) return main(file, tests);
    const address = own_address();
    if (!await can_listen_on_443(address))
        return skip_all(tests, `port 443 of ${address} cannot be bound (not root?), and azure-iothub knows no other`);
    const modules = peers();
    if (modules === null) {
        console.log("1..1\nnot ok 1 - Microsoft's SDKs can be installed from npm");
        process.exitCode = 1;
        return undefined;
    }
    const options = ['--listen', address, '--hostname', address, '--https-port', '443', '--mqtt-port', '8883'];
    return main(file, tests, options, { ...env, AG_PEERS_MODULES: modules });
}

module.exports = { Hub, derive, main, main_with_peers, program, root, run_tests, token, until, wait };
