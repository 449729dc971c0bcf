# SPDX-License-Identifier: Apache-2.0
# Steps that the tests of the emulated boards share, on top of tools/world.sh. Source it after
# world_open.
#   step NAME COMMAND...          one result; what was printed, and the consoles, if it fails
#   connects NAME                 starts it, and waits for its first report
#   answers NAME COMMAND TEXT     types the command; the answer holds the text
#   says NAME TEXT [SECONDS]      its console has said so since the last mark, or does within that time
#   reports PLUGIN FILTER         of the device demo, in its twin
#   blinks NAME                   its LED 0 changes
#   is_within_budget NAME         the most that it has used of its stack leaves a quarter, of TLS's heap 2 KB
#   wire_start [OPTION...]        boards that are started from now on hang on a wire of mcu/lossy_net.js
#   wire OPTION VALUE             changes it
#   cable NAME on|off             plugs the cable of a board in and out
# shellcheck shell=bash

step() { # NAME COMMAND...: in this shell, since steps start processes
    if "${@:2}" >"$world/step.log" 2>&1; then
        ok "$1"
    else
        not_ok "$1" "$(tail -n 20 "$world/step.log"; last_words)"
    fi
}
last_words() {
    local console
    for console in "$world"/*.board; do
        echo "$(basename "$console"):"
        grep -v '^board: ' "$console" | tr -d '\r' | tail -n 12
    done
}

connects() {
    world_host_start "$1" && is_connected "$1"
}
is_connected() {
    world_wait 60 world_twin "$1" '.connectionState == "Connected" and .properties.reported.airgraft.abi == 1'
}
answers() {
    world_board_mark "$1"
    world_type "$1" "$2"
    says "$1" "$3" 10
}
says() {
    world_wait "${3:-20}" world_says "$1" "$2" || {
        echo "$1 does not say \"$2\""
        return 1
    }
}
reports() {
    world_wait 60 world_reports demo "$@" || {
        echo "not reported: $*"
        timeout 20 "$world_bin/airgraft" twin get demo | jq -c '.properties | del(.. | .["$metadata"]?)'
        return 1
    }
}
blinks() { # NAME [SECONDS]
    world_board_mark "$1"
    world_wait "${2:-20}" led_has_moved "$1" 0
}
led_has_moved() { # NAME LED
    world_board "$1" | grep -q "^board: led $2 "
}

is_within_budget() {
    local used size
    answers "$1" status "stack " && sleep 0.3 && world_board "$1"
    read -r used size < <(world_board "$1" | sed -n 's/^stack *at most \([0-9]*\) of \([0-9]*\) bytes/\1 \2/p')
    [ "${used:-0}" -gt 0 ] && [ "$used" -le $((size * 3 / 4)) ] || return 1
    read -r size used < <(world_board "$1" | sed -n 's/.*TLS [0-9]* of \([0-9]*\) bytes, at most \([0-9]*\)$/\1 \2/p')
    [ "${used:-0}" -gt 0 ] && [ "$used" -le $((size - 2048)) ]
}

wire_start() {
    coproc WIRE { exec node test/integration/mcu/lossy_net.js "$@"; }
    # Its descriptors go away with it; ours stay.
    exec {wire_out}<&"${WIRE[0]}" {wire_in}>&"${WIRE[1]}"
    wire_pid=$WIRE_PID
    read -r -t 20 _ machine_nic <&"$wire_out"
}
wire() {
    local answer
    echo "$*" >&"$wire_in"
    read -r -t 5 answer <&"$wire_out" && echo "$answer"
}
wire_stop() {
    machine_nic=user,id=net
    [ -z "${wire_pid:-}" ] || kill -TERM "$wire_pid"
    wire_pid=
}

# The emulator's own door, on a socket: start the board with these options.
control_options() { control_options=(-qmp "unix:$world/$1.qmp,server=on,wait=off"); }
cable() {
    node -e '
        const [path, up] = process.argv.slice(1);
        const socket = require("net").connect(path);
        socket.on("data", () => {});
        for (const [execute, given] of [["qmp_capabilities"], ["set_link", { name: "net", up: up === "on" }]])
            socket.write(JSON.stringify({ execute, arguments: given }) + "\n");
        setTimeout(() => process.exit(0), 300);
    ' "$world/$1.qmp" "$2"
}
