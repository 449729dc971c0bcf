# SPDX-License-Identifier: Apache-2.0
# Azurite, Microsoft's storage emulator, on a port of the system's choice, and Microsoft's own storage
# SDK beside it. Source it.
#
#   azurite_install               false when npm fails
#   azurite_certificate NAME SAN  $azurite_folder/NAME.pem and .key: its own root
#   azurite_start [OPTION...]     with the certificate `server`; everything it writes is in
#                                 $azurite_folder, which the caller makes and removes: its logs hold
#                                 signatures. Sets $azurite_port.
#   azurite_peer VERB ...         see azurite_peer.js
#   azurite_stop
# shellcheck shell=bash
azurite_account=fwstore
azurite_key=$(openssl rand -base64 64 | tr -d '\n')
azurite_pid=

azurite_install() {
    NODE_PATH=$(tools/setup-peers)/node_modules && export NODE_PATH
}

azurite_certificate() { # NAME SAN
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
        -addext "subjectAltName=$2" -keyout "$azurite_folder/$1.key" -out "$azurite_folder/$1.pem" 2>/dev/null
}

azurite_start() { # [OPTION...]
    AZURITE_ACCOUNTS="$azurite_account:$azurite_key" node "$NODE_PATH/azurite/dist/src/blob/main.js" \
        --blobHost 127.0.0.1 --blobPort 0 --cert "$azurite_folder/server.pem" \
        --key "$azurite_folder/server.key" -l "$azurite_folder/data" --disableTelemetry \
        --disableProductStyleUrl --skipApiVersionCheck --silent "$@" >"$azurite_folder/azurite.log" 2>&1 &
    azurite_pid=$!
    for _ in $(seq 300); do
        azurite_port=$(sed -n 's/.*successfully listens on .*:\([0-9]*\)$/\1/p' "$azurite_folder/azurite.log")
        [ -z "$azurite_port" ] && kill -0 "$azurite_pid" 2>/dev/null || break
        sleep 0.1
    done
    [ -n "$azurite_port" ]
}

azurite_peer() {
    NODE_EXTRA_CA_CERTS=$azurite_folder/server.pem node test/integration/azurite_peer.js "$@"
}

azurite_stop() {
    [ -z "$azurite_pid" ] || { kill "$azurite_pid" && wait "$azurite_pid"; } 2>/dev/null
    azurite_pid=
}
