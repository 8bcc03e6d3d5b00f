#!/usr/bin/env bash
# Bring up a real Slurm on this machine's loopback: controller, accounting, six nodes, REST and a login node's sshd.
#
#   CLOUDMESH_LIVE_DIR        where it lives (/var/tmp/cloudmesh-live); it writes slurm/site.json there
#   CLOUDMESH_LIVE_PORT_BASE  added to the usual ports (21000: controller at 27817, REST at 27820, ssh at 22022)
#
# Again is no harm: it starts what does not run. Needs Debian or Ubuntu and root, since Slurm runs jobs as their owners;
# it makes the accounts cmrobot, fsalice and fsbob where they are missing. See docs/howto/hpc-slurm.md.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/where.sh"
umask 022
plugins=/usr/lib/$(uname -m)-linux-gnu/slurm-wlm
packages="slurmctld slurmd slurmdbd slurmrestd slurm-client slurm-wlm-mysql-plugin slurm-wlm-jwt-plugin munge
    mariadb-server openssh-server"

debian_packages() {
    command -v slurmctld slurmd slurmdbd slurmrestd sbatch munged mariadbd sshd >/dev/null &&
        [ -e "$plugins/auth_jwt.so" ] && return
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    # shellcheck disable=SC2086
    apt-get -qq install -y --no-install-recommends $packages
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
    [ -s "$state/munge/munge.key" ] || head -c 128 /dev/urandom >"$state/munge/munge.key"
    chown -R munge: "$state/munge" && chmod 600 "$state/munge/munge.key"
    [ -s "$state/keys/jwt.key" ] || head -c 32 /dev/urandom >"$state/keys/jwt.key"
    chown slurm: "$state/keys/jwt.key" && chmod 600 "$state/keys/jwt.key"
    key host
    for name in "${people[@]}"; do key "$name" && cp "$state/keys/$name.pub" "$state/keys/authorized/$name"; done
    echo "[$host]:$ssh_port $(cut -d' ' -f1,2 "$state/keys/host.pub")" >"$state/keys/known_hosts"
}

filled() {  # FILE: with the places between @ filled in
    sed "s|@state@|$state|g; s|@hostname@|$(hostname -s)|; s|@people@|${people[*]}|; s|@ctld_port@|$ctld_port|
        s|@dbd_port@|$dbd_port|; s|@sql_port@|$sql_port|; s|@ssh_port@|$ssh_port|" "$here/$1"
}

configuration() {
    local number=0 name
    {
        filled slurm.conf
        for name in "${nodes[@]}"; do
            number=$((number + 1))
            echo "NodeName=$name NodeHostname=$(hostname -s) NodeAddr=$host Port=$((node_port + number)) CPUs=8" \
                "Boards=1 SocketsPerBoard=2 CoresPerSocket=4 ThreadsPerCore=1 RealMemory=16000 Gres=gpu:2 State=UNKNOWN"
        done
        echo "PartitionName=batch Nodes=i[001-003] Default=YES DefaultTime=01:00:00 MaxTime=1-00:00:00 State=UP"
        echo "PartitionName=long Nodes=i[004-006] MaxTime=7-00:00:00 MaxNodes=2 State=UP"
        echo "PartitionName=debug Nodes=i[001-006] MaxTime=00:30:00 PriorityTier=10 State=UP"
        echo "PartitionName=old Nodes=i006 MaxTime=UNLIMITED State=INACTIVE"
    } >"$state/etc/slurm.conf"
    touch "$state"/etc/gpu{0,1}  # what jobs that ask for a GPU are given
    echo "Name=gpu File=$state/etc/gpu[0-1]" >"$state/etc/gres.conf"
    : >"$state/etc/cgroup.conf"
    (umask 077 && filled slurmdbd.conf >"$state/etc/slurmdbd.conf")
    chown slurm "$state/etc/slurmdbd.conf"
    filled sshd_config >"$state/etc/sshd_config"
}

slurm=(setpriv --reuid=slurm --regid=slurm --clear-groups)
nobody=(setpriv --reuid=daemon --regid=daemon --clear-groups)  # slurmrestd refuses root and slurm

databases() { mariadb --no-defaults --socket="$state/run/sql.sock" --user=root "$@"; }

start_databases() {
    [ -d "$state/sql/mysql" ] || mariadb-install-db --no-defaults --user=mysql --datadir="$state/sql" \
        --auth-root-authentication-method=normal --skip-test-db >"$state/log/mariadb-install.log" 2>&1
    start mariadb mariadbd --no-defaults --user=mysql --datadir="$state/sql" --socket="$state/run/sql.sock" \
        --bind-address=$host --port=$sql_port --pid-file="$state/run/mariadbd.own" --skip-log-bin \
        --innodb-buffer-pool-size=64M --innodb-lock-wait-timeout=900 --innodb-flush-log-at-trx-commit=0
    await mariadb databases -e 'select 1'
    databases -e "create database if not exists slurm_acct;
        create user if not exists slurm@'%' identified by 'slurmpw'; grant all on slurm_acct.* to slurm@'%'"
}

associations() {
    local manage=(sacctmgr --immediate --quiet)
    await slurmdbd "${manage[@]}" show cluster
    [ -e "$state/associations-done" ] && return
    {
        "${manage[@]}" add cluster india
        "${manage[@]}" add qos short set MaxJobsPerUser=1 MaxSubmitJobsPerUser=2 MaxWall=10
        "${manage[@]}" add account fg82 Organization=futuresystems
        "${manage[@]}" add account fg17 Organization=futuresystems
        "${manage[@]}" add user cmrobot Account=fg82
        "${manage[@]}" add user fsalice Account=fg82
        "${manage[@]}" add user fsbob Account=fg17
        "${manage[@]}" modify account fg82,fg17 set qos=normal,short
    } >"$state/log/associations.log" 2>&1 || true  # those that are there already
    touch "$state/associations-done"
}

all_nodes_up() { [ "$(sinfo --noheader -N -o '%N %t' | grep -cE 'idle|alloc|mix|drain|drng' || true)" -ge "${#nodes[@]}" ]; }

site() {
    printf '{"conf": "%s", "url": "http://%s:%s", "host": "%s", "port": %s, "keys": "%s", "known_hosts": "%s"}\n' \
        "$SLURM_CONF" $host $rest_port $host $ssh_port "$state/keys" "$state/keys/known_hosts" >"$state/site.json"
}

[ "$(id -u)" = 0 ] || fail "run as root: Slurm runs each job as its owner"
mkdir -p "$state"/{etc,log,run,munge,ctld,sql,keys/authorized} /run/sshd
cd "$state"
export SLURM_CONF=$state/etc/slurm.conf
debian_packages
accounts
keys
configuration
chown slurm "$state/ctld" && chown mysql "$state/sql" && chmod 1777 "$state/run"
start munge setpriv --reuid=munge --regid=munge --clear-groups munged --foreground --force \
    --key-file="$state/munge/munge.key" --socket="$state/munge/munge.sock" --pid-file="$state/munge/munged.own" \
    --log-file="$state/munge/munged.log" --seed-file="$state/munge/munge.seed"
start_databases
start slurmdbd "${slurm[@]}" slurmdbd -D
await slurmdbd listening $dbd_port
associations
say "munge, MariaDB, slurmdbd"
start slurmctld "${slurm[@]}" slurmctld -D
await slurmctld listening $ctld_port
for name in "${nodes[@]}"; do
    mkdir -p "$state/spool/$name"
    start "$name" slurmd -D -N "$name"
done
start slurmrestd "${nobody[@]}" env SLURM_JWT=daemon slurmrestd -a rest_auth/jwt \
    -s openapi/v0.0.38,openapi/v0.0.37,openapi/v0.0.36,openapi/dbv0.0.38,openapi/dbv0.0.37,openapi/dbv0.0.36 \
    $host:$rest_port
start sshd "$(command -v sshd)" -D -e -f "$state/etc/sshd_config"
await slurmrestd listening $rest_port
await sshd listening $ssh_port
await slurmctld all_nodes_up
scontrol update NodeName="$(IFS=,; echo "${nodes[*]}")" State=RESUME 2>/dev/null || true  # what a test left drained
site
say "Slurm $(sinfo --version | cut -d' ' -f2): SLURM_CONF=$SLURM_CONF, $state/site.json"
