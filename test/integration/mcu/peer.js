// SPDX-License-Identifier: Apache-2.0
// What the peers of the emulated board share: options, commands on standard input, and the end.
'use strict';

// Options are --name VALUE; the rest are words. `known` names them with their defaults.
function readOptions(known) {
    const options = { ...known, words: [] };
    const list = process.argv.slice(2);
    while (list.length > 0) {
        const item = list.shift();
        if (!item.startsWith('--')) {
            options.words.push(item);
            continue;
        }
        const name = item.slice(2);
        if (!(name in known) || list.length === 0) {
            console.error(`unknown option ${item}, or its value is missing`);
            process.exit(2);
        }
        options[name] = typeof known[name] === 'number' ? Number(list.shift()) : list.shift();
    }
    return options;
}

// Commands are lines "name value" on standard input and change options while the peer runs. The
// peer lives until it is killed or told "quit": the end of its input alone does not end it. `others`
// are more commands, functions by their names.
function followCommands(options, onQuit, others = {}) {
    let rest = '';
    process.stdin.on('data', (bytes) => {
        const lines = (rest + bytes).split('\n');
        rest = lines.pop();
        for (const line of lines) {
            const [name, ...value] = line.trim().split(' ');
            if (name === '') continue;
            if (name === 'quit') onQuit();
            else if (name in others) others[name]();
            else if (name in options)
                options[name] = typeof options[name] === 'number' ? Number(value[0]) : value.join(' ');
            else console.error(`unknown command ${line}`);
            console.log(`done ${line}`);
        }
    });
}

module.exports = { readOptions, followCommands };
