#!/usr/bin/env bash
# Bring up a real Grid Engine on this machine's loopback: qmaster, one node with three queues, and a login node's sshd.
#
#   CLOUDMESH_LIVE_DIR        where it lives (/var/tmp/cloudmesh-live); it writes gridengine/site.json there
#   CLOUDMESH_LIVE_PORT_BASE  added to the usual ports (21000: qmaster at 27444, ssh at 22024)
#
# Again is no harm: it starts what does not run. Needs Debian or Ubuntu and root, since jobs are run as their owners; it
# makes the accounts cmrobot, fsalice and fsbob where they are missing. See docs/howto/hpc-gridengine.md.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/where.sh"
umask 022
common=$SGE_ROOT/$SGE_CELL/common

debian_packages() {
    command -v sge_qmaster sge_execd qsub sshd cc >/dev/null && return
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    apt-get -qq install -y --no-install-recommends gridengine-master gridengine-exec gridengine-client openssh-server \
        gcc libc6-dev
}

accounts() {
    local name
    for name in "${people[@]}"; do
        id "$name" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$name"
        usermod --password '*' "$name"  # sshd without PAM refuses who is locked
    done
}

key() { [ -s "$state/keys/$1" ] || ssh-keygen -q -t ed25519 -N '' -C "$1" -f "$state/keys/$1"; }

keys() {
    local name
    key host
    for name in "${people[@]}"; do key "$name" && cp "$state/keys/$name.pub" "$state/keys/authorized/$name"; done
}

sshd_config() {
    sed "s|@state@|$state|g; s|@people@|${people[*]}|; s|@ssh_port@|$ssh_port|; s|@root@|$SGE_ROOT|; s|@cell@|$SGE_CELL|
        s|@master_port@|$SGE_QMASTER_PORT|; s|@execd_port@|$SGE_EXECD_PORT|" "$here/sshd_config"
}

as_admin() { setpriv --reuid=sgeadmin --regid=sgeadmin --clear-groups "$@"; }

spool() {  # the database of the qmaster, as the package's installation would make it
    [ -e "$state/spooled" ] && return
    local resources=/usr/share/gridengine/util/resources name
    for name in bin lib utilbin util; do ln -sfn /var/lib/gridengine/$name "$SGE_ROOT/$name"; done
    sed "s|/var/spool/gridengine|$state/spool|" /usr/share/gridengine/default-bootstrap >"$common/bootstrap"
    sed "s|/var/spool/gridengine|$state/spool|; s/flush_time=00:00:15/flush_time=00:00:01 accounting_flush_time=00:00:00/
        s/load_report_time .*/load_report_time 00:00:05/" /usr/share/gridengine/default-configuration \
        >"$state/etc/configuration"
    echo localhost >"$common/act_qmaster"
    echo "localhost $(hostname -s)" >"$common/host_aliases"
    chown -R sgeadmin: "$SGE_ROOT" "$state/spool"
    as_admin spoolinit berkeleydb libspoolb "$state/spool/spooldb" init
    as_admin spooldefaults configuration "$state/etc/configuration"
    as_admin spooldefaults complexes $resources/centry
    as_admin spooldefaults usersets $resources/usersets
    as_admin spooldefaults managers root sgeadmin
    touch "$state/spooled"
}

file() { printf '%s\n' "$2" >"$state/etc/$1"; echo "$state/etc/$1"; }

pe() {  # NAME RULE
    qconf -Ap "$(file pe "pe_name $1
slots 64
user_lists NONE
xuser_lists NONE
start_proc_args NONE
stop_proc_args NONE
allocation_rule $2
control_slaves FALSE
job_is_first_task TRUE
urgency_slots min
accounting_summary FALSE
qsort_args NONE")"
}

queue() {  # NAME LONGEST
    sed "s/@name@/$1/; s/@h_rt@/$2/" "$here/queue.conf" >"$state/etc/queue"
    qconf -Aq "$state/etc/queue"
}

configuration() {
    [ -e "$state/configured" ] && return
    qconf -ah localhost || true  # the qmaster knows its own host already
    qconf -as localhost
    qconf -Ahgrp "$(file hosts 'group_name @allhosts
hostlist localhost')"
    { qconf -sc; echo "gpu gpu INT <= YES JOB 0 0"; } >"$state/etc/complexes"
    qconf -Mc "$state/etc/complexes"
    qconf -mattr exechost complex_values gpu=2 localhost
    pe smp '$pe_slots'
    pe mpi '$round_robin'
    queue all.q 24:00:00
    queue long.q 168:00:00
    queue old.q INFINITY
    qmod -d old.q
    qconf -Aprj "$(file project 'name fg82
oticket 0
fshare 0
acl NONE
xacl NONE')"
    qconf -ssconf | sed 's/^schedule_interval.*/schedule_interval 0:0:2/; s/^schedd_job_info.*/schedd_job_info true/
        s/^load_adjustment_decay_time.*/load_adjustment_decay_time 0:0:0/; s/^flush_submit_sec.*/flush_submit_sec 1/
        s/^job_load_adjustments.*/job_load_adjustments NONE/; s/^flush_finish_sec.*/flush_finish_sec 1/
        ' >"$state/etc/scheduler"
    qconf -Msconf "$state/etc/scheduler"
    touch "$state/configured"
}

node_up() { qhost | grep -q '^localhost *lx'; }

site() {
    printf '{"root": "%s", "cell": "%s", "master_port": "%s", "execd_port": "%s", "programs": "%s", "host": "%s",
        "port": %s, "keys": "%s"}\n' "$SGE_ROOT" "$SGE_CELL" "$SGE_QMASTER_PORT" "$SGE_EXECD_PORT" $programs $host \
        $ssh_port "$state/keys" >"$state/site.json"
}

[ "$(id -u)" = 0 ] || fail "run as root: Grid Engine runs each job as its owner"
mkdir -p "$state"/{etc,log,run,keys/authorized,spool/{execd,spooldb,qmaster/job_scripts}} "$common" /run/sshd
cd "$state"
debian_packages
accounts
keys
sshd_config >"$state/etc/sshd_config"
[ -s "$state/loopback.so" ] || cc -shared -fPIC -o "$state/loopback.so" "$here/loopback.c"
spool >"$state/log/spool.log"
start qmaster env LD_PRELOAD="$state/loopback.so" sge_qmaster
await qmaster listening $SGE_QMASTER_PORT
await qmaster qconf -sh
configuration >"$state/log/configuration.log"
start execd env LD_PRELOAD="$state/loopback.so" sge_execd
start sshd "$(command -v sshd)" -D -e -f "$state/etc/sshd_config"
await sshd listening $ssh_port
await execd node_up
site
say "Grid Engine $(qstat -help | sed -n '1s/.* //p'): SGE_ROOT=$SGE_ROOT, $state/site.json"
