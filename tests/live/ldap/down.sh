#!/usr/bin/env bash
# Stop the live OpenLDAP. With --wipe also forget its certificates; its people are made anew at each start anyway.
set -u
. "$(dirname "${BASH_SOURCE[0]}")/where.sh"
stop slapd
[ "${1:-}" != --wipe ] || rm -rf "$state"
say "stopped"
