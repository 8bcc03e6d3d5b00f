# Sourced by up.sh and down.sh: the ways of starting and stopping are those of the OpenStack next door.
. "$(dirname "${BASH_SOURCE[0]}")/../openstack/processes.sh"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
state=${CLOUDMESH_LIVE_DIR:-/var/tmp/cloudmesh-live}/slurm
sql_port=$((base + 13306)) ssh_port=$((base + 1022)) ctld_port=$((base + 6817)) dbd_port=$((base + 6819))
rest_port=$((base + 6820)) node_port=$((base + 6830))  # of the nodes, the first after this
nodes=(i001 i002 i003 i004 i005 i006)
people=(cmrobot fsalice fsbob)  # accounts of the login node
fail() { echo "live slurm: $*" >&2; exit 1; }
