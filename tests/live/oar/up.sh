#!/usr/bin/env bash
# Bring up a real OAR on this machine's loopback: its server, PostgreSQL, four nodes and a login node's sshd.
#
#   CLOUDMESH_LIVE_DIR        where it lives (/var/tmp/cloudmesh-live); it writes oar/site.json there
#   CLOUDMESH_LIVE_PORT_BASE  added to the usual ports (21000: server at 27666, ssh at 27667, PostgreSQL at 36432)
#
# Again is no harm: it starts what does not run. Needs Debian or Ubuntu and root, since OAR runs jobs as their owners; it
# makes the accounts cmrobot, fsalice and fsbob where they are missing. OAR's commands read /etc/oar/oar.conf alone: what
# was there is kept beside it, and put back by down.sh --wipe. See docs/howto/hpc-oar.md.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/where.sh"
umask 022
packages="oar-server oar-server-pgsql oar-user oar-user-pgsql oar-node taktuk postgresql libjson-perl openssh-server"

debian_packages() {
    command -v oarsub oar-database taktuk sshd >/dev/null && compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null &&
        [ -e /usr/lib/oar/Almighty ] && perl -MJSON -e1 2>/dev/null && return
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    # shellcheck disable=SC2086
    apt-get -qq install -y --no-install-recommends $packages
}

accounts() {
    local name
    for name in "${people[@]}"; do
        id "$name" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$name"
    done
    for name in oar "${people[@]}"; do usermod --password '*' "$name"; done  # sshd without PAM refuses who is locked
}

key() { [ -s "$state/keys/$1" ] || ssh-keygen -q -t ed25519 -N '' -C "$1" -f "$state/keys/$1"; }

keys() {
    local name
    key host
    for name in oar "${people[@]}"; do key "$name" && cp "$state/keys/$name.pub" "$state/keys/authorized/$name"; done
    sed -i 's/^/environment="OAR_KEY=1" /' "$state/keys/authorized/oar"
    chown oar: "$state/keys/oar"
    echo "[$host]:$ssh_port $(cut -d' ' -f1,2 "$state/keys/host.pub")" >"$state/keys/known_hosts"
}

set_() { sed -i "/^#*$1=/d" "$conf"; echo "$1=\"$2\"" >>"$conf"; }

configuration() {
    local address
    [ -e "$conf.before-cloudmesh" ] || cp -p "$conf" "$conf.before-cloudmesh"
    cp -p "$conf.before-cloudmesh" "$conf"
    sed -i '/^JOB_RESOURCE_MANAGER/d; /^PINGCHECKER/d; /^CPUSET_PATH/d' "$conf"  # needs cgroups of its own
    set_ DB_PORT $sql_port
    set_ DB_BASE_PASSWD oarpw
    set_ DB_BASE_PASSWD_RO oarropw
    set_ SERVER_HOSTNAME $host
    set_ SERVER_PORT $oar_port
    set_ LOG_FILE "$state/log/oar.log"
    set_ OPENSSH_CMD "/usr/bin/ssh -i $state/keys/oar -p $ssh_port -o StrictHostKeyChecking=no \
-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
    set_ TAKTUK_CMD "/usr/bin/taktuk -t 30 -s"
    set_ PINGCHECKER_TAKTUK_ARG_COMMAND "-t 30 broadcast exec [ true ]"
    set_ SCHEDULER_JOB_SECURITY_TIME 1
    set_ FINAUD_FREQUENCY 0
    chown oar: "$conf" && chmod 600 "$conf"
    touch "$state/log/oar.log" && chown oar: "$state/log/oar.log" && chmod 666 "$state/log/oar.log"
    {
        for address in $host "${nodes[@]}"; do echo "ListenAddress $address:$ssh_port"; done
        sed "s|@state@|$state|; s|@people@|${people[*]}|" "$here/sshd_config"
    } >"$state/sshd_config"
}

as_postgres=(setpriv --reuid=postgres --regid=postgres --clear-groups)

database() {
    echo pgpw >"$state/keys/sql" && chown postgres "$state/keys/sql"
    [ -s "$state/sql/PG_VERSION" ] || "${as_postgres[@]}" "$postgres/initdb" -D "$state/sql" -A scram-sha-256 \
        --pwfile="$state/keys/sql" >"$state/log/initdb.log" 2>&1 || fail "initdb; see $state/log/initdb.log"
    start postgres "${as_postgres[@]}" "$postgres/postgres" -D "$state/sql" -p $sql_port -c listen_addresses=$host \
        -c unix_socket_directories= -c fsync=off
    await postgres env PGPASSWORD=pgpw psql -h $host -p $sql_port -U postgres -c 'select 1'
    [ -e "$state/database-done" ] && return
    oar-database --create --force-yes --db-type Pg --db-host $host --db-port $sql_port --db-user oar --db-pass oarpw \
        --db-ro-user oar_ro --db-ro-pass oarropw --db-name oar --db-admin-user postgres --db-admin-pass pgpw \
        >"$state/log/database.log" 2>&1 || fail "oar-database; see $state/log/database.log"
    touch "$state/database-done"
}

resources() {
    local address core
    if [ ! -e "$state/resources-done" ]; then
        oarproperty -a core >/dev/null 2>&1 || true
        for address in "${nodes[@]}"; do
            for core in 1 2 3 4; do oarnodesetting -a -h "$address" -p core="${address##*.}0$core" >/dev/null; done
        done
        touch "$state/resources-done"
    fi
    oarnodesetting -s Alive --sql "state <> 'Alive'" >/dev/null 2>&1 || true  # what a test left otherwise
}

[ "$(id -u)" = 0 ] || fail "run as root: OAR runs each job as its owner"
debian_packages
postgres=$(compgen -G '/usr/lib/postgresql/*/bin' | tail -n 1)
mkdir -p "$state"/{log,run,sql,keys/authorized} /run/sshd
chown postgres "$state/sql" && chmod 700 "$state/sql"
install -d -o oar -g oar /run/oar /var/log/oar
cd "$state"
accounts
keys
configuration
database
start sshd "$(command -v sshd)" -D -e -f "$state/sshd_config"
await sshd listening $ssh_port
home=$(getent passwd oar | cut -d: -f6)
start almighty setpriv --reuid=oar --regid=oar --init-groups env OARCONFFILE=$conf OARDIR=/usr/lib/oar OARDO_USER=oar \
    OARUSER=oar USER=oar LOGNAME=oar HOME="$home" PATH=/bin:/sbin:/usr/bin:/usr/sbin:/usr/lib/oar/oardodo \
    perl -I"$here" -MLoopback /usr/lib/oar/Almighty
await almighty listening $oar_port
resources
printf '{"host": "%s", "port": %s, "keys": "%s", "server": %s}\n' $host $ssh_port "$state/keys" $oar_port >"$state/site.json"
say "$(oarstat --version | tr -d '\n'): $state/site.json"
