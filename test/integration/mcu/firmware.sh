# SPDX-License-Identifier: Apache-2.0
# Firmware on an emulated board, for tests. Source it from the root of the sources.
#
#   firmware_builds KIND TARGET...            one test at a time, since they share the build tree
#   firmware_start KIND ELF IMAGE [ARG...]    in the background: console from $console, to $screen
#   firmware_says PATTERN [COUNT]             waits until so many lines match; shows $screen if that lasts
#   firmware_ends                             waits; its exit code is the emulator's
#   firmware_stop                             ends it
# State is kept in files, since each test runs in a shell of its own. Emulated time is that of 31 million
# instructions a second: a board that spins for ten seconds is done in one, and a busy machine takes no time away.
# shellcheck shell=bash
. tools/machine.sh

declare -A firmware_presets=([mps2]=arm [virt]=rv32)
folder=$(mktemp -d)
screen=$folder/screen
console=$folder/console
trap 'firmware_stop; rm -rf "$folder"' EXIT

firmware_builds() { # KIND TARGET...
    mkdir -p build
    flock build/firmware.lock tools/build "${firmware_presets[$1]}" "${@:2}"
}

firmware_elf() { echo "build/${firmware_presets[$1]}/$2.elf"; } # KIND NAME

firmware_image() { # FILE BYTE: a flash image of nothing but that byte (in octal)
    head -c 1M /dev/zero | tr '\0' "\\$2" >"$1"
    truncate -s 16M "$1"
}

firmware_start() { # KIND ELF IMAGE [ARG...]
    firmware_stop
    machine_command "$1" "$2" "$3"
    rm -f "$console" "$folder/pid" "$folder/status"
    mkfifo "$console"
    : >"$screen"
    {
        timeout 280 "${machine_command[@]}" -icount shift=5 "${@:4}" <>"$console" >"$screen" 2>&1 &
        echo $! >"$folder/pid"
        wait $!
        echo $? >"$folder/status"
    } >/dev/null 2>&1 &
    while [ ! -s "$folder/pid" ]; do sleep 0.02; done
}

firmware_type() { printf '%s' "$1" >"$console"; }

firmware_says() { # PATTERN [COUNT]
    local i
    for ((i = 0; i < 900; i++)); do
        [ "$(grep -acE "$1" "$screen")" -lt "${2:-1}" ] || return 0
        [ ! -e "$folder/status" ] || break
        sleep 0.1
    done
    [ "$(grep -acE "$1" "$screen")" -lt "${2:-1}" ] || return 0
    cat "$screen"
    return 1
}

firmware_ends() {
    while [ ! -s "$folder/status" ]; do sleep 0.1; done
    return "$(cat "$folder/status")"
}

firmware_stop() {
    [ -s "$folder/pid" ] && [ ! -e "$folder/status" ] || return 0
    kill "$(cat "$folder/pid")" 2>/dev/null
    firmware_ends
    return 0
}
