// SPDX-License-Identifier: Apache-2.0
// An HTTPS server that answers as a hub in trouble would, for cli_faults_test:
//   node faulty_hub.js CERTIFICATE KEY     prints its port, then serves until it is killed
// What it does follows from the device's name in the path.
'use strict';
const fs = require('fs');
const https = require('https');

const seen = new Map();
const error = (code, text) => JSON.stringify({ Message: `ErrorCode:${code};${text}`, ExceptionMessage: 'Tracking ID:1' });
const twin = (modules) => JSON.stringify({
    deviceId: 'd', etag: 'AAA=', connectionState: 'Disconnected',
    properties: { desired: { firmware_modules: modules, $version: 3 }, reported: {} },
});

const answers = {
    denied: () => [401, {}, error('IotHubUnauthorizedAccess', 'Unauthorized')],
    new_form: () => [401, {}, JSON.stringify({ Message: JSON.stringify({ errorCode: 401002, message: 'Unauthorized' }) })],
    missing: () => [404, {}, error('DeviceNotFound', 'no such device')],
    broken: () => [500, {}, error('ServerError', 'failed')],
    plain: () => [502, { 'Content-Type': 'text/html' }, '<html>Bad Gateway</html>'],
    escape: () => [400, {}, error('A\u001b[31m', 'red\u001b[31m text')],
    garbage: () => [200, {}, 'this is not JSON'],
    list: () => [200, {}, '[]'],
    busy: (count) => count < 2 ? [429, { 'Retry-After': '1' }, error('ThrottlingException', 'slow down')] : [200, {}, twin({})],
    overloaded: () => [503, { 'Retry-After': '1' }, error('ServiceUnavailable', 'later')],
    contested: (count, request) => request.method === 'PATCH' && count < 4
        ? [412, {}, error('PreconditionFailed', 'changed')]
        : [200, {}, twin([{ Name: 'a', Url: 'https://x/a', Version: 1 }])],
    elsewhere: () => [307, { Location: 'https://example.invalid/' }, ''],
    huge: () => [200, {}, ' '.repeat(40 << 20)],
};

const server = https.createServer({ cert: fs.readFileSync(process.argv[2]), key: fs.readFileSync(process.argv[3]) }, (request, response) => {
    const name = request.url.replace(/\?.*/, '').split('/').pop();
    const count = seen.get(name) || 0;
    seen.set(name, count + 1);
    request.resume();
    if (request.headers.host !== 'hub.example' || !/^SharedAccessSignature sr=hub\.example&/.test(request.headers.authorization)) {
        response.writeHead(400).end(error('WrongIdentity', `Host ${request.headers.host}`));
    } else if (name === 'cut') {
        response.writeHead(200, { 'Content-Length': 100 });
        response.write('{"half":');
        setTimeout(() => request.socket.destroy(), 50);
    } else if (name === 'silent') {
        request.socket.destroy();
    } else {
        const [status, headers, body] = (answers[name] || answers.missing)(count, request);
        response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(body);
    }
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
