# SPDX-License-Identifier: Apache-2.0
# A small world in one folder: a hub, signing keys, a trust store object, devices with their hosts.
# Functions for the demo and for the tests that run the real programs against each other. Source it.
#
#   world_open BIN [KIND]     makes the folder $world; programs are taken from BIN. KIND is what the
#                             devices are: linux (default), or a board of machine.sh, emulated,
#                             whose firmware lies in BIN/../arm or BIN/../rv32
#   world_close               ends every process that was started, and removes the folder
#   world_hub_start           starts the hub in $world/hub; the second time on the same ports
#   world_hub_stop            ends it in order
#   world_keys                makes release.key, root.key and trust.bin for this hub
#   world_device NAME [OPTION...]   a device of the hub's enrolment group: NAME.conf, or for a
#                             board NAME.bin, its flash, provisioned (with more OPTIONs of that;
#                             $world_server, $world_port, $world_trust: other ones than the hub's)
#   world_host_start NAME [OPTION...]   starts its host: board lines in NAME.board, log in NAME.log
#                             (a board has one console for both), pid in ${world_host[NAME]}
#   world_host_kill NAME SIGNAL     for a board, KILL is a power cut
#   world_type NAME LINE      types a line into a board's console
#   world_says NAME TEXT      true when its log has said so since the last world_board_mark NAME
#   world_starts NAME         how often its host has started
#   world_plugin FOLDER VERSION [BUILD OPTION...]   builds and signs a plug-in; sets $world_file
#   world_wait SECONDS COMMAND...            until the command succeeds; 1 when time is over
#   world_twin NAME FILTER    true when jq's FILTER is true of the device's twin
#   world_board NAME          the lines of its board since the last world_board_mark NAME
# Ports are the system's choice, so several worlds live side by side.
# shellcheck shell=bash
world_tools=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
source "$world_tools/machine.sh"

declare -A world_host world_mark world_console
world_hub_pid=
world_ports=()
world_dns_pid=
world_dns_port=0

world_open() {
    world_bin=$(cd "$1" && pwd)
    world_kind=${2:-linux}
    world_hub_name=localhost
    # For a board, this machine is another one. Whatever ends in .localhost is this one to the
    # command line and to the board's name server alike, each in its way.
    [ "$world_kind" = linux ] || world_hub_name=hub.localhost
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
    world_dns_stop
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
    "$world_bin/airgraft-hub" --data "$world/hub" --hostname "$world_hub_name" \
        --mqtt-port "${world_ports[0]:-0}" --https-port "${world_ports[1]:-0}" >>"$world/hub.log" 2>&1 </dev/null &
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

# The name server of the boards; the second time on the same port.
world_dns_start() { # [NAME=ADDRESS...]: more names than the hub's
    [ -z "$world_dns_pid" ] || return 0
    rm -f "$world/dns.log"
    node "$world_tools/../test/integration/mcu/dns_peer.js" --port "$world_dns_port" --ttl 2 \
        "$world_hub_name=$machine_host" "$@" >"$world/dns.log" 2>&1 </dev/null &
    world_dns_pid=$!
    disown "$!"
    world_wait 20 grep -q '^listening [0-9]' "$world/dns.log" || return 1
    world_dns_port=$(sed -n '1s/listening //p' "$world/dns.log")
}

world_dns_stop() {
    [ -z "$world_dns_pid" ] || world_end_process "$world_dns_pid" TERM
    world_dns_pid=
}

world_device() { # NAME [OPTION...]
    (umask 077 && world_hub groupKey >"$world/group.key")
    if [ "$world_kind" = linux ]; then
        world_write_conf "$1"
    else
        world_dns_start && world_provision "$@"
    fi
}

world_write_conf() { # NAME
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

world_provision() { # NAME [OPTION...]
    local name=$1
    shift
    world_airgraft provision --image "$world/$name.bin" --id-scope "$(world_hub idScope)" \
        --registration-id "$name" --group-key-file "$world/group.key" \
        --dps-host "${world_server:-$(world_hub hostName)}" \
        --dps-port "${world_port:-$(world_hub mqttPort)}" \
        --hub-port "${world_port:-$(world_hub mqttPort)}" --trust "$world/${world_trust:-trust.bin}" \
        --dns "$machine_host:$world_dns_port" "$@"
}

world_host_start() { # NAME [OPTION...]
    if [ "$world_kind" = linux ]; then
        world_program_start "$@"
    else
        world_board_start "$@"
    fi
}

world_program_start() { # NAME [OPTION...]
    local name=$1
    shift
    "$world_bin/airgraft-host" --config "$world/$name.conf" "$@" >>"$world/$name.board" \
        2>>"$world/$name.log" </dev/null &
    world_host[$name]=$!
    disown "$!" # no word from the shell when it is killed
}

# The console's input is a fifo that this shell holds open; a new one each time, so that nothing
# waits in it.
world_board_start() { # NAME [OPTION OF THE EMULATOR...]
    local name=$1 console
    shift
    touch "$world/$name.board"
    ln -sf "$name.board" "$world/$name.log"
    rm -f "$world/$name.in"
    mkfifo "$world/$name.in"
    exec {console}<>"$world/$name.in"
    world_console[$name]=$console
    machine_command "$world_kind" "$(machine_firmware "$world_kind" "$world_bin/..")" \
        "$world/$name.bin"
    "${machine_command[@]}" "$@" <&"$console" >>"$world/$name.board" 2>>"$world/$name.emulator" &
    world_host[$name]=$!
    disown "$!"
}

world_host_kill() { # NAME SIGNAL
    world_end_process "${world_host[$1]}" "$2"
    unset "world_host[$1]"
    local console=${world_console[$1]:-}
    [ -z "$console" ] || exec {console}>&-
    unset "world_console[$1]"
}

world_type() { # NAME LINE
    printf '%s\n' "$2" >&"${world_console[$1]}"
}

world_says() { # NAME TEXT
    world_board "$1" | grep -v '^board: ' | grep -qF -- "$2"
}

world_starts() { # NAME
    grep -cE 'airgraft(-host)? [0-9]' "$world/$1.log"
}

world_plugin() { # FOLDER VERSION [BUILD OPTION...]
    local folder=$1 version=$2
    shift 2
    world_file=$world/plugins/$(jq -er .name "$folder/plugin.json")-$version.wasm
    world_airgraft build "$folder" --version "$version" --output "$world/plugins" "$@" &&
        world_airgraft sign "$world_file" --key "$world/release.key"
}

world_twin() { # NAME FILTER
    local twin # by itself: of no input at all, jq -e says that it is true
    twin=$(world_airgraft twin get "$1") && jq -e "$2" <<<"$twin" >/dev/null
}

# Reported facts of a plug-in: world_reports demo blinky '.state == "running" and .version == 11'
world_reports() { # NAME PLUGIN FILTER
    world_twin "$1" ".properties.reported.firmware_modules.\"$2\" | $3"
}

world_board_mark() { # NAME
    world_mark[$1]=$(wc -c <"$world/$1.board")
}

# Without a board's prompt and carriage returns.
world_board() { # NAME
    tail -c "+$((${world_mark[$1]:-0} + 1))" "$world/$1.board" | sed 's/^\(> \)*//; s/\r$//'
}
