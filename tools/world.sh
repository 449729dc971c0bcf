# SPDX-License-Identifier: Apache-2.0
# A small world in one folder: a hub, signing keys, a trust store object, devices with their hosts.
# Functions for the demo and for the tests that run the real programs against each other. Source it.
#
#   world_open BIN            makes the folder $world; programs are taken from BIN
#   world_close               ends every process that was started, and removes the folder
#   world_hub_start           starts the hub in $world/hub; the second time on the same ports
#   world_hub_stop            ends it in order
#   world_keys                makes release.key, root.key and trust.bin for this hub
#   world_device NAME         writes NAME.conf: a device of the hub's enrolment group
#   world_host_start NAME     starts its host: board lines in NAME.board, log in NAME.log, pid in
#                             ${world_host[NAME]}
#   world_host_kill NAME SIGNAL
#   world_plugin FOLDER VERSION [BUILD OPTION...]   builds and signs a plug-in; sets $world_file
#   world_wait SECONDS COMMAND...            until the command succeeds; 1 when time is over
#   world_twin NAME FILTER    true when jq's FILTER is true of the device's twin
#   world_board NAME          the lines of its board since the last world_board_mark NAME
# Ports are the system's choice, so several worlds live side by side.
# shellcheck shell=bash

declare -A world_host world_mark
world_hub_pid=
world_ports=()

world_open() {
    world_bin=$(cd "$1" && pwd)
    world=$(mktemp -d "${TMPDIR:-/tmp}/airgraft.XXXXXX")
    chmod 700 "$world"
    mkdir "$world/plugins"
    export AIRGRAFT_HUB=$world/hub
    unset AIRGRAFT_CONNECTION AIRGRAFT_CA AZURE_STORAGE_CONNECTION_STRING
}

world_close() {
    local name
    for name in "${!world_host[@]}"; do
        world_host_kill "$name" KILL
    done
    [ -z "$world_hub_pid" ] || world_end_process "$world_hub_pid" TERM
    world_hub_pid=
    [ -z "${world:-}" ] || rm -rf "$world"
}

# Sends a signal and waits; a process that is still there after 20 s is killed.
world_end_process() { # PID SIGNAL
    local i
    kill -s "$2" "$1" 2>/dev/null || return 0
    for ((i = 0; i < 200; i++)); do
        kill -0 "$1" 2>/dev/null || break
        sleep 0.1
    done
    kill -s KILL "$1" 2>/dev/null || true
}

world_wait() { # SECONDS COMMAND...
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}

world_hub() { jq -er ".$1" "$world/hub/hub.json"; }

world_hub_start() {
    rm -f "$world/hub/hub.json"
    "$world_bin/airgraft-hub" --data "$world/hub" --mqtt-port "${world_ports[0]:-0}" \
        --https-port "${world_ports[1]:-0}" >>"$world/hub.log" 2>&1 </dev/null &
    world_hub_pid=$!
    world_wait 60 world_hub mqttPort || return 1
    world_ports=("$(world_hub mqttPort)" "$(world_hub httpsPort)")
}

world_hub_stop() {
    world_end_process "$world_hub_pid" TERM
    world_hub_pid=
}

world_airgraft() { "$world_bin/airgraft" "$@"; }

world_keys() {
    world_airgraft keygen "$world/release" &&
        world_airgraft keygen "$world/root" &&
        world_airgraft trust new --key "$world/root.key" --plugin-key "$world/release.pub" \
            --tls-root "$(world_hub ca)" --output "$world/trust.bin"
}

world_device() { # NAME
    (umask 077 && world_hub groupKey >"$world/group.key")
    cat >"$world/$1.conf" <<END
# A device of the local hub's enrolment group.
id_scope        = $(world_hub idScope)
registration_id = $1
group_key_file  = group.key
dps_host        = $(world_hub hostName)
dps_port        = $(world_hub mqttPort)
hub_port        = $(world_hub mqttPort)
trust           = trust.bin
store           = $1.img
store_size      = 1M
END
}

world_host_start() { # NAME [OPTION...]
    local name=$1
    shift
    "$world_bin/airgraft-host" --config "$world/$name.conf" "$@" >>"$world/$name.board" \
        2>>"$world/$name.log" </dev/null &
    world_host[$name]=$!
    disown "$!" # no word from the shell when it is killed
}

world_host_kill() { # NAME SIGNAL
    world_end_process "${world_host[$1]}" "$2"
    unset "world_host[$1]"
}

world_plugin() { # FOLDER VERSION [BUILD OPTION...]
    local folder=$1 version=$2
    shift 2
    world_file=$world/plugins/$(jq -er .name "$folder/plugin.json")-$version.wasm
    world_airgraft build "$folder" --version "$version" --output "$world/plugins" "$@" &&
        world_airgraft sign "$world_file" --key "$world/release.key"
}

world_twin() { # NAME FILTER
    world_airgraft twin get "$1" | jq -e "$2" >/dev/null
}

# Reported facts of a plug-in: world_reports demo blinky '.state == "running" and .version == 11'
world_reports() { # NAME PLUGIN FILTER
    world_twin "$1" ".properties.reported.firmware_modules.\"$2\" | $3"
}

world_board_mark() { # NAME
    world_mark[$1]=$(wc -c <"$world/$1.board")
}

world_board() { # NAME
    tail -c "+$((${world_mark[$1]:-0} + 1))" "$world/$1.board"
}
