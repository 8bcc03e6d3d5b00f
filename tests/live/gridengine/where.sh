# Sourced by up.sh and down.sh: the ways of starting and stopping are those of the OpenStack next door.
. "$(dirname "${BASH_SOURCE[0]}")/../openstack/processes.sh"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
state=${CLOUDMESH_LIVE_DIR:-/var/tmp/cloudmesh-live}/gridengine
master_port=$((base + 6444)) ssh_port=$((base + 1024))
people=(cmrobot fsalice fsbob)  # accounts of the login node
programs=/usr/lib/gridengine  # the wrappers in /usr/bin would choose another root
fail() { echo "live gridengine: $*" >&2; exit 1; }
export SGE_ROOT=$state/root SGE_CELL=cell SGE_QMASTER_PORT=$master_port SGE_EXECD_PORT=$((master_port + 1)) SGE_ND=1
export PATH=$programs:$PATH
