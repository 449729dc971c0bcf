// SPDX-License-Identifier: Apache-2.0
// The protocols by hand, with nothing but Node: MQTT packets over TLS, HTTPS requests, SAS.
'use strict';
const crypto = require('crypto');
const https = require('https');
const tls = require('tls');
const { token } = require('./harness');

const text = (value) => {
    const bytes = Buffer.from(value);
    return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
};

function packet(first, ...parts) {
    const body = Buffer.concat(parts);
    const head = [first];
    let left = body.length;
    do {
        head.push((left & 127) | (left > 127 ? 128 : 0));
        left >>= 7;
    } while (left > 0);
    return Buffer.concat([Buffer.from(head), body]);
}

const publish = (topic, payload = '', qos = 0) =>
    packet(0x30 | (qos << 1), text(topic), qos ? Buffer.from([0, 7]) : Buffer.alloc(0), Buffer.from(payload));
const subscribe = (filter) => packet(0x82, Buffer.from([0, 1]), text(filter), Buffer.from([0]));
const connect = (id, user, password, clean = true) =>
    packet(0x10, text('MQTT'), Buffer.from([4, 0xc0 | (clean ? 2 : 0), 0, 60]), text(id), text(user), text(password));

// A TLS connection to the MQTT port; packets come by `next`, in order.
class Device {
    constructor(facts) {
        this.socket = tls.connect({ host: facts.address || facts.hostName, port: facts.mqttPort, servername: '' });
        this.bytes = Buffer.alloc(0);
        this.waiting = [];
        this.closed = new Promise((done) => this.socket.once('close', done));
        this.socket.on('error', () => { });
        this.socket.on('data', (data) => { this.bytes = Buffer.concat([this.bytes, data]); this.pump(); });
        this.socket.on('close', () => { this.ended = true; this.pump(); });
    }
    pump() {
        while (this.waiting.length > 0) {
            const found = this.take();
            if (found === undefined && !this.ended) return;
            this.waiting.shift()(found || null);
        }
    }
    take() {
        let length = 0;
        for (let i = 1; i < Math.min(5, this.bytes.length); i++) {
            length |= (this.bytes[i] & 127) << (7 * (i - 1));
            if (this.bytes[i] & 128) continue;
            if (this.bytes.length < i + 1 + length) return undefined;
            const first = this.bytes[0];
            const body = this.bytes.subarray(i + 1, i + 1 + length);
            this.bytes = this.bytes.subarray(i + 1 + length);
            if (first >> 4 !== 3) return { type: first >> 4, body };
            const size = body.readUInt16BE(0);
            return { type: 3, topic: body.toString('utf8', 2, 2 + size), payload: body.toString('utf8', 2 + size) };
        }
        return undefined;
    }
    // The next packet, or null when the hub has closed the connection.
    next() {
        return new Promise((done) => { this.waiting.push(done); this.pump(); });
    }
    send(...packets) {
        this.socket.write(Buffer.concat(packets));
    }
    end() {
        this.socket.destroy();
        return this.closed;
    }
}

async function connected_device(facts, id, key, filters = []) {
    const device = new Device(facts);
    device.send(connect(id, `${facts.hostName}/${id}/?api-version=2021-04-12`, token(`${facts.hostName}%2Fdevices%2F${id}`, key, 600)));
    const answer = await device.next();
    if (answer === null || answer.type !== 2 || answer.body[1] !== 0) throw new Error(`refused: ${answer && answer.body[1]}`);
    for (const filter of filters) {
        device.send(subscribe(filter));
        if ((await device.next()).type !== 9) throw new Error('no SUBACK');
    }
    return device;
}

// {status, headers, body}
function request(facts, method, path, headers = {}, body = undefined) {
    return new Promise((done, fail) => {
        const options = { host: facts.address || facts.hostName, port: facts.httpsPort, method, path, headers, servername: '', agent: false };
        const query = https.request(options, (answer) => {
            const parts = [];
            answer.on('data', (data) => parts.push(data));
            answer.on('end', () => done({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts) }));
            answer.on('error', fail);
        });
        query.on('error', fail);
        query.end(body);
    });
}

const owner = (facts) => token(facts.hostName, facts.connectionString.match(/SharedAccessKey=([^;]+)/)[1], 600, 'iothubowner');

// A REST request by the owner: {status, headers, json}.
async function rest(facts, method, path, body, headers = {}) {
    const bytes = body === undefined ? undefined : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const answer = await request(facts, method, `${path}${path.includes('?') ? '&' : '?'}api-version=2021-04-12`,
        { Authorization: owner(facts), ...(bytes ? { 'Content-Length': bytes.length } : {}), ...headers }, bytes);
    try {
        answer.json = JSON.parse(answer.body);
    } catch {
        answer.json = undefined;
    }
    return answer;
}

// The query of a service SAS for one blob.
function blob_sas(facts, name, permissions, extra = {}) {
    const key = facts.blobConnectionString.match(/AccountKey=([^;]+)/)[1];
    const fields = { sp: permissions, st: '', se: '2040-01-01T00:00:00Z', sip: '', spr: 'https', sv: '2021-12-02', sr: 'b', rscc: '', rscd: '', rsce: '', rscl: '', rsct: '', ...extra };
    const f = fields;
    const lines = [f.sp, f.st, f.se, `/blob/airgraft/${name}`, '', f.sip, f.spr, f.sv, f.sr, '', '', f.rscc, f.rscd, f.rsce, f.rscl, f.rsct].join('\n');
    fields.sig = crypto.createHmac('sha256', Buffer.from(key, 'base64')).update(lines).digest('base64');
    return Object.entries(fields).filter(([, value]) => value !== '').map(([name_, value]) => `${name_}=${encodeURIComponent(value)}`).join('&');
}

module.exports = { Device, blob_sas, connect, connected_device, owner, packet, publish, request, rest, subscribe, text };
