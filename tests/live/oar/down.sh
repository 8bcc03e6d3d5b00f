#!/usr/bin/env bash
# Stop the live OAR, or the parts that are named: down.sh almighty. With --wipe also forget its jobs and its configuration.
set -u
. "$(dirname "${BASH_SOURCE[0]}")/where.sh"
if [ $# -gt 0 ] && [ "$1" != --wipe ]; then stop "$@"; exit; fi
stop almighty
stop sshd
stop postgres
if [ "${1:-}" = --wipe ]; then
    [ ! -e "$conf.before-cloudmesh" ] || mv "$conf.before-cloudmesh" "$conf"
    rm -rf "$state"
fi
say "stopped"
