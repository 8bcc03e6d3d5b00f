#!/usr/bin/env bash
# Stop the live Grid Engine, or the parts that are named: down.sh qmaster. With --wipe also forget its jobs.
set -u
. "$(dirname "${BASH_SOURCE[0]}")/where.sh"
if [ $# -gt 0 ] && [ "$1" != --wipe ]; then stop "$@"; exit; fi
stop sshd execd
stop qmaster
[ "${1:-}" != --wipe ] || rm -rf "$state"
say "stopped"
