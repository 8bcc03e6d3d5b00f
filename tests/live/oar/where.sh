# Sourced by up.sh and down.sh: the ways of starting and stopping are those of the OpenStack next door.
. "$(dirname "${BASH_SOURCE[0]}")/../openstack/processes.sh"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
state=${CLOUDMESH_LIVE_DIR:-/var/tmp/cloudmesh-live}/oar
sql_port=$((base + 15432)) oar_port=$((base + 6666)) ssh_port=$((base + 6667))
nodes=(127.0.0.11 127.0.0.12 127.0.0.13 127.0.0.14)  # all this machine
people=(cmrobot fsalice fsbob)  # accounts of the login node
conf=/etc/oar/oar.conf  # OAR's commands read no other
fail() { echo "live oar: $*" >&2; exit 1; }
