# Sourced by up.sh and down.sh: the ways of starting and stopping are those of the OpenStack next door.
. "$(dirname "${BASH_SOURCE[0]}")/../openstack/processes.sh"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
state=${CLOUDMESH_LIVE_DIR:-/var/tmp/cloudmesh-live}/ldap
ldap_port=$((base + 389)) ldaps_port=$((base + 636))
fail() { echo "live ldap: $*" >&2; exit 1; }
