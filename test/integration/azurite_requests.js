// SPDX-License-Identifier: Apache-2.0
// What clients asked Azurite for, from its debug log, in the order in which it came:
//   node azurite_requests.js LOG HOST    of each GET for this Host: STATUS RANGE IF-MATCH
// A dash stands for none; for a status also: not answered yet.
'use strict';
const fs = require('fs');

const [, , log, host] = process.argv;
const asked = new Map(); // by Azurite's id of the request
for (const line of fs.readFileSync(log, 'utf8').split('\n')) {
    const [, id] = line.match(/^\S+ (\S+) /) ?? [];
    const begin = line.match(/RequestMethod=GET .* RequestHeaders:(\{.*\}) ClientIP=/);
    const end = line.match(/End response\..* StatusCode=(\d+) /);
    if (begin) asked.set(id, { headers: JSON.parse(begin[1]), status: '-' });
    if (end && asked.has(id)) asked.get(id).status = end[1];
}
for (const { headers, status } of asked.values())
    if (headers.host === host)
        console.log(`${status} ${headers.range ?? '-'} ${headers['if-match'] ?? '-'}`);
