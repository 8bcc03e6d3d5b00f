#!/usr/bin/env bash
# Bring up a real Keystone, Placement, Glance, Nova, Neutron and Cinder on this machine's loopback; again is no harm.
#
#   CLOUDMESH_LIVE_DIR        where it lives (/var/tmp/cloudmesh-live); it writes openstack/clouds.yaml there
#   CLOUDMESH_LIVE_PORT_BASE  added to the usual ports (21000: Keystone at 26000)
#   CLOUDMESH_LIVE_BOOT_DELAY seconds a server takes to boot (0)
#
# Needs Debian or Ubuntu with Python 3.11 or later, about 3 GiB of memory and 1.5 GiB of disk; root only to
# install MariaDB and RabbitMQ where they are missing. See docs/howto/clouds/openstack.md.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/processes.sh"
unset PYTHONDONTWRITEBYTECODE  # without .pyc files each of the services starts seconds later
mkdir -p "$state"/{etc,log,run}

debian_packages() {
    command -v mariadbd >/dev/null && [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] && return
    [ "$(id -u)" = 0 ] || fail "run as root once: apt-get install --no-install-recommends mariadb-server rabbitmq-server"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    apt-get -qq install -y --no-install-recommends -o Dpkg::Options::=--force-confold mariadb-server rabbitmq-server
}

python_packages() {
    cat "$here"/requirements.txt "$here"/hardware/* | cmp -s - "$state/installed" && return
    python3 -m venv "$state/uv" && "$state/uv/bin/pip" install -q uv
    "$state/uv/bin/uv" venv -q --clear --python python3 "$venv"
    "$state/uv/bin/uv" pip install -q --python "$venv/bin/python" --no-deps -r "$here/requirements.txt" "$here/hardware"
    "$venv/bin/python" -m compileall -q -j 2 "$venv/lib" || true
    cat "$here"/requirements.txt "$here"/hardware/* >"$state/installed"
}

databases() { mariadb --no-defaults --socket="$state/run/sql.sock" --user=root "$@"; }

start_mariadb() {
    [ -d "$state/sql/mysql" ] || mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$state/sql" \
        --auth-root-authentication-method=normal --skip-test-db >"$state/log/mariadb-install.log" 2>&1
    start mariadb mariadbd --no-defaults --user="$(id -un)" --datadir="$state/sql" --socket="$state/run/sql.sock" \
        --bind-address=$host --port=$sql_port --pid-file="$state/run/mariadbd.own" --skip-name-resolve --skip-log-bin \
        --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 --innodb-flush-method=nosync --max-connections=400 \
        --character-set-server=utf8mb3 --collation-server=utf8mb3_general_ci
}

start_rabbitmq() {
    mkdir -p "$state/queue" && : >"$state/queue/plugins"
    cat >"$state/queue/rabbitmq.conf" <<END
listeners.tcp.local = $host:$queue_port
default_user = live
default_pass = cloudmesh-live
log.console = true
log.console.level = warning
log.file = false
disk_free_limit.absolute = 50MB
END
    start epmd epmd -address $host -port $epmd_port
    start rabbitmq env HOME="$state/queue" ERL_EPMD_ADDRESS=$host ERL_EPMD_PORT=$epmd_port \
        RABBITMQ_NODENAME="live$base@localhost" RABBITMQ_DIST_PORT=$erlang_port RABBITMQ_CONF_ENV_FILE=/dev/null \
        RABBITMQ_CONFIG_FILE="$state/queue/rabbitmq.conf" RABBITMQ_ENABLED_PLUGINS_FILE="$state/queue/plugins" \
        RABBITMQ_MNESIA_BASE="$state/queue/mnesia" RABBITMQ_LOG_BASE="$state/log" \
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false +sbwt none" \
        /usr/lib/rabbitmq/bin/rabbitmq-server
}

manage() {  # COMMAND CONFIGURATION ARGUMENTS...
    local command=$1 configuration=$2; shift 2
    "$venv/bin/$command" --config-file "$state/etc/$configuration" "$@"
}

schemas() {  # two minutes the first time; down.sh --wipe keeps the dump
    [ -e "$state/schemas-done" ] && return
    local names=(keystone placement glance nova_api nova_cell0 nova_cell1 neutron)
    databases -e "create user if not exists live@'%' identified by 'cloudmesh-live'; grant all on *.* to live@'%';
        $(printf 'create database if not exists %s;' "${names[@]}")"
    if [ -e "$state/schemas.sql.gz" ]; then zcat "$state/schemas.sql.gz" | databases
    else
        manage neutron-db-manage neutron/neutron.conf upgrade heads >"$state/log/schema-neutron.log" 2>&1 & local neutron=$!
        {
            manage keystone-manage keystone/keystone.conf db_sync
            manage placement-manage placement/placement.conf db sync
            manage glance-manage glance/glance-api.conf db_sync
            manage nova-manage nova/nova.conf api_db sync
            manage nova-manage nova/nova.conf db sync --local_cell
            manage nova-manage nova/cell0.conf db sync --local_cell
        } >"$state/log/schemas.log" 2>&1 || fail "$(tail -n 3 "$state/log/schemas.log")"
        wait $neutron || fail "$(tail -n 3 "$state/log/schema-neutron.log")"
        mariadb-dump --no-defaults --socket="$state/run/sql.sock" --user=root --databases "${names[@]}" |
            gzip >"$state/schemas.new" && mv "$state/schemas.new" "$state/schemas.sql.gz"
    fi
    first_identity >"$state/log/first-identity.log" 2>&1 || fail "$(tail -n 3 "$state/log/first-identity.log")"
    touch "$state/schemas-done"
}

first_identity() {
    local user group url=http://$host:$((base + 5000))/v3 sql=mysql+pymysql://live:cloudmesh-live@$host:$sql_port
    user=$(id -un) group=$(id -gn)
    manage nova-manage nova/nova.conf cell_v2 map_cell0 --database_connection "$sql/nova_cell0?charset=utf8"
    manage nova-manage nova/nova.conf cell_v2 list_cells | grep -q ' cell1 ' ||
        manage nova-manage nova/nova.conf cell_v2 create_cell --name cell1
    manage keystone-manage keystone/keystone.conf fernet_setup --keystone-user "$user" --keystone-group "$group"
    manage keystone-manage keystone/keystone.conf credential_setup --keystone-user "$user" --keystone-group "$group"
    manage keystone-manage keystone/keystone.conf bootstrap --bootstrap-password cloudmesh-live \
        --bootstrap-public-url "$url" --bootstrap-internal-url "$url" --bootstrap-admin-url "$url" \
        --bootstrap-region-id RegionOne
}

cinder_schema() {
    [ -e "$state/cinder-schema-done" ] && return
    databases -e "create database if not exists cinder"
    manage cinder-manage cinder/cinder.conf db sync >"$state/log/schema-cinder.log" 2>&1 ||
        fail "$(tail -n 3 "$state/log/schema-cinder.log")"
    touch "$state/cinder-schema-done"
}

provision() { "$venv/bin/python" "$here/provision.py" "$1" "$state" $host "$base"; }

api() { start "$1" "$venv/bin/uwsgi" --ini "$state/etc/uwsgi-$1.ini"; }

export PYTHONWARNINGS=ignore OS_KEYSTONE_CONFIG_DIR=$state/etc/keystone OS_PLACEMENT_CONFIG_DIR=$state/etc/placement \
    OS_GLANCE_CONFIG_DIR=$state/etc/glance OS_NOVA_CONFIG_DIR=$state/etc/nova OS_NEUTRON_CONFIG_DIR=$state/etc/neutron \
    OS_NEUTRON_CONFIG_FILES=neutron.conf

debian_packages
python_packages
say "packages installed"
"$venv/bin/python" "$here/configure.py" "$state" $host "$base"
cp "$venv/etc/nova/api-paste.ini" "$state/etc/nova/"
start_mariadb
start_rabbitmq
await mariadb databases -e 'select 1'
schemas
cinder_schema
say "MariaDB with its schemas"
api keystone
await keystone answering $((base + 5000))
provision identity
await rabbitmq listening $queue_port
say "Keystone, RabbitMQ"
for service in placement glance nova neutron cinder; do api $service; done
start nova-conductor "$venv/bin/nova-conductor" --config-file "$state/etc/nova/nova.conf"
start nova-scheduler "$venv/bin/nova-scheduler" --config-file "$state/etc/nova/nova.conf"
for part in scheduler volume; do
    start cinder-$part "$venv/bin/cinder-$part" --config-file "$state/etc/cinder/cinder.conf"
done
await placement answering $((base + 8778))
await nova answering $((base + 8774))
start nova-compute "$venv/bin/nova-compute" --config-file "$state/etc/nova/compute.conf"
await glance answering $((base + 9292))
await neutron answering $((base + 9696))
await cinder answering $((base + 8776))
say "Placement, Glance, Nova, Neutron, Cinder"
provision resources
say "flavors, images, networks, quotas and a host to boot on"
echo "clouds admin, india, sierra and india-reader: $state/clouds.yaml"
