#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Direct methods by Microsoft's service SDK: called at the hub, served by the real host, whose plug-in
// is built from C with the SDK of this project. By the command line, too.
//
// azure-iothub always connects to port 443, so the hub listens there on a loopback address of its
// own; where the system does not let us, all tests here are skipped aloud.
'use strict';
const assert = require('assert');
const { execFileSync, spawn } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { main_with_peers, program, until } = require('./harness');

const build = path.dirname(program);
const folder = process.env.AG_METHODS_FOLDER;
const host_string = (c) => c.facts.connectionString.replace(/;GatewayHostName=.*/, '');
const client = (c) => require(`${process.env.AG_PEERS_MODULES}/azure-iothub`).Client.fromConnectionString(host_string(c));
const registry = (c) => require(`${process.env.AG_PEERS_MODULES}/azure-iothub`).Registry.fromConnectionString(host_string(c));
const invoke = async (c, methodName, payload, more) =>
    (await client(c).invokeDeviceMethod('gateway', { methodName, payload, responseTimeoutInSeconds: 30, ...more })).result;

const source = `#include <airgraft.h>
int32_t initialize(void) { airgraft_log("up"); return 0; }
void execute(void) {}
AIRGRAFT_ON_METHOD void on_method(void)
{
    char name[16];
    char payload[256];
    int32_t name_size = airgraft_method_name(name, sizeof name);
    int32_t size = airgraft_method_payload(payload, sizeof payload);
    if (name_size == 4 && name[0] == 't')
        __builtin_trap();
    airgraft_method_reply(name_size == 4 && name[0] == 'e' ? 201 : 418, payload, (size_t)size);
}
`;

const airgraft = (c, ...args) => execFileSync(path.join(build, 'airgraft'), args,
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, AIRGRAFT_HUB: path.dirname(c.facts.ca), AIRGRAFT_CONNECTION: '' } });

function write_device(c) {
    fs.writeFileSync(`${folder}/gateway.conf`, `id_scope = ${c.facts.idScope}\nregistration_id = gateway\ngroup_key_file = group.key\n` +
        `dps_host = ${c.facts.hostName}\ndps_port = ${c.facts.mqttPort}\nhub_port = ${c.facts.mqttPort}\ntrust = trust.bin\n` +
        'store = gateway.img\nstore_size = 256K\n');
    fs.writeFileSync(`${folder}/group.key`, c.facts.groupKey, { mode: 0o600 });
}

let host;
function start_host() {
    const log = fs.openSync(`${folder}/host.log`, 'a');
    host = spawn(path.join(build, 'airgraft-host'), ['--config', `${folder}/gateway.conf`], { stdio: ['ignore', 'ignore', log] });
    host.ended = new Promise((done) => host.once('exit', done));
    process.on('exit', () => host.kill('SIGKILL'));
}
const reported = async (c) => (await registry(c).getTwin('gateway')).responseBody.properties.reported;

const tests = [
    ['a plug-in with on_method is built, published and confirmed', async (c) => {
        fs.mkdirSync(`${folder}/probe`);
        fs.writeFileSync(`${folder}/probe/plugin.json`, '{"name": "probe", "version": 1, "period_ms": 1000}');
        fs.writeFileSync(`${folder}/probe/probe.c`, source);
        airgraft(c, 'keygen', `${folder}/release`);
        airgraft(c, 'keygen', `${folder}/root`);
        airgraft(c, 'trust', 'new', '--key', `${folder}/root.key`, '--plugin-key', `${folder}/release.pub`, '--tls-root', c.facts.ca, '--output', `${folder}/trust.bin`);
        airgraft(c, 'build', `${folder}/probe`, '--output', folder);
        airgraft(c, 'sign', `${folder}/probe-1.wasm`, '--key', `${folder}/release.key`);
        write_device(c);
        start_host();
        await until('the device is registered', async () => registry(c).getTwin('gateway').then(() => true, () => false));
        airgraft(c, 'deploy', 'gateway', `${folder}/probe-1.wasm`);
        await until('the plug-in runs', async () => { const r = await reported(c); return r.firmware_modules && r.firmware_modules.probe && r.firmware_modules.probe.state === 'running'; });
        assert.equal((await reported(c)).airgraft.capabilities.method, 1);
    }],
    ['status tells what runs', async (c) => {
        const { status, payload } = await invoke(c, 'status');
        assert.equal(status, 200);
        assert.deepEqual(payload.plugins.map((p) => [p.name, p.state, p.version]), [['probe', 'running', 1]]);
        assert.equal(payload.link, 'online');
    }],
    ['a method of the plug-in gets its payload and answers', async (c) => {
        assert.deepEqual(await invoke(c, 'probe.echo', { times: 3, text: 'ä' }), { status: 201, payload: { times: 3, text: 'ä' } });
        assert.deepEqual(await invoke(c, 'probe.other', [1, null]), { status: 418, payload: [1, null] });
        assert.deepEqual(await invoke(c, 'call', { name: 'probe', method: 'echo', payload: 7 }), { status: 201, payload: 7 });
    }],
    ['unknown methods and wrong payloads are the device\'s to refuse', async (c) => {
        assert.equal((await invoke(c, 'no-such-method')).status, 404);
        assert.equal((await invoke(c, 'nobody.echo')).status, 404);
        const wrong = await invoke(c, 'status', [1]);
        assert.equal(wrong.status, 400);
        assert.equal(wrong.payload.code, 1527);
        assert.equal((await invoke(c, 'probe.echo', 'x'.repeat(2000))).status, 413);
    }],
    ['logs gives the plug-in\'s and the host\'s lines', async (c) => {
        const own = await invoke(c, 'logs', { name: 'probe' });
        assert.ok(own.payload.lines.some((line) => line.text === 'up' && line.level === 'info'));
        const host_lines = await invoke(c, 'logs', { lines: 50 });
        assert.ok(host_lines.payload.lines.some((line) => line.text === 'probe 1: confirmed'));
        assert.match(airgraft(c, 'logs', 'gateway', 'probe'), /info +up/);
    }],
    ['a trap in on_method is told to the caller and reported', async (c) => {
        const answer = await invoke(c, 'probe.trap');
        assert.equal(answer.status, 504);
        assert.equal(answer.payload.code, 1207);
        await until('the report tells of it', async () => { const { error } = (await reported(c)).firmware_modules.probe; return error && error.code === 1207; });
        assert.equal((await invoke(c, 'restart', { name: 'probe' })).status, 200);
        assert.equal((await invoke(c, 'probe.echo', 1)).status, 201);
    }],
    ['many callers at once each get an answer of their own', async (c) => {
        const results = await Promise.all([1, 2, 3, 4].map((n) => invoke(c, 'logs', { lines: n })));
        results.forEach(({ status, payload }, n) => { assert.equal(status, 200); assert.ok(payload.lines.length <= n + 1); });
    }],
    ['the desired log level decides what is kept', async (c) => {
        await registry(c).updateTwin('gateway', { properties: { desired: { airgraft: { LogLevel: 'warning' } } } }, '*');
        await until('the level is reported', async () => (await reported(c)).airgraft.logLevel === 'warning');
        assert.equal((await invoke(c, 'status')).payload.logLevel, 'warning');
    }],
    ['the command line calls methods, and fails as the device says', async (c) => {
        assert.deepEqual(JSON.parse(airgraft(c, 'method', 'gateway', 'probe.echo', '{"a": 1}')), { a: 1 });
        assert.throws(() => airgraft(c, 'method', 'gateway', 'nobody.echo'), (error) => error.status === 1 && /answers nobody.echo with 404/.test(error.stderr));
        assert.throws(() => airgraft(c, 'method', 'nobody', 'status'), (error) => error.status === 1 && /no device 'nobody'/.test(error.stderr));
        assert.throws(() => airgraft(c, 'method', 'gateway', 'status', '{'), (error) => error.status === 1 && /not JSON/.test(error.stderr));
    }],
    ['restart of the host is answered, and the host ends for its supervisor to start it again', async (c) => {
        assert.equal((await invoke(c, 'restart')).status, 200);
        assert.equal(await host.ended, 3);
    }],
    ['a device that is not connected is told as 404103, or waited for', async (c) => {
        await assert.rejects(invoke(c, 'status'), (error) => /DeviceNotOnline/.test(`${error.name} ${error.message} ${error.responseBody}`));
        const waiting = invoke(c, 'status', null, { connectTimeoutInSeconds: 60 });
        start_host();
        assert.equal((await waiting).status, 200);
        const { payload } = await invoke(c, 'logs', { lines: 50 });
        assert.ok(payload.lines.some((line) => /restart asked for/.test(line.text)), 'the lines from before the restart are there');
    }],
    ['a device that does not answer is told as a time-out', async (c) => {
        host.kill('SIGSTOP');
        await assert.rejects(invoke(c, 'status', null, { responseTimeoutInSeconds: 5 }), (error) => /GatewayTimeout|504/.test(`${error.name} ${error.message} ${error.responseBody}`));
        host.kill('SIGCONT');
        await until('it answers again', async () => invoke(c, 'status').then(({ status }) => status === 200, () => false));
    }],
    ['the host ends in order', async () => {
        host.kill('SIGTERM');
        assert.equal(await host.ended, 0, fs.readFileSync(`${folder}/host.log`, 'utf8').slice(-2000));
    }],
];

const env = {};
if (!process.env.AG_HUB_FACTS) {
    env.AG_METHODS_FOLDER = fs.mkdtempSync(path.join(os.tmpdir(), 'ag-methods-'));
    process.on('exit', () => fs.rmSync(env.AG_METHODS_FOLDER, { recursive: true, force: true }));
}
main_with_peers(__filename, tests, env);
