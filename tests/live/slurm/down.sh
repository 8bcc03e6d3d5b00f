#!/usr/bin/env bash
# Stop the live Slurm, or the parts that are named: down.sh slurmctld. With --wipe also forget its jobs and accounting.
set -u
. "$(dirname "${BASH_SOURCE[0]}")/where.sh"
if [ $# -gt 0 ] && [ "$1" != --wipe ]; then stop "$@"; exit; fi
stop sshd slurmrestd "${nodes[@]}"
stop slurmctld
stop slurmdbd
stop mariadb munge
[ "${1:-}" != --wipe ] || rm -rf "$state"
say "stopped"
