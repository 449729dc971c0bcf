# SPDX-License-Identifier: Apache-2.0
# TAP for shell tests. Source it, call `plan N`, then for each test one of:
#   ok NAME            not_ok NAME [REASON...]            skip NAME REASON...
#   check NAME COMMAND [ARG...]    passes if the command exits 0; its output is shown if it fails
# shellcheck shell=bash
tap_number=0
tap_failed=0

plan() { echo "1..$1"; }
ok() { echo "ok $((++tap_number)) - $1"; }
skip() { echo "ok $((++tap_number)) - $1 # SKIP ${*:2}"; }
not_ok() {
    tap_failed=1
    echo "not ok $((++tap_number)) - $1"
    [ "$#" -lt 2 ] || echo "${*:2}" | sed 's/^/# /'
}
check() {
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then
        ok "$name"
    else
        not_ok "$name" "$* exited with $?"$'\n'"$output"
    fi
}
finish() { exit "$tap_failed"; }
