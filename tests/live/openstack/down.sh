#!/usr/bin/env bash
# Stop the live OpenStack. With --wipe also forget all it holds, but for the installed packages and empty schemas.
set -u
. "$(dirname "${BASH_SOURCE[0]}")/processes.sh"
stop cinder-volume cinder-scheduler cinder nova-compute nova-scheduler nova-conductor neutron glance nova placement keystone
stop rabbitmq
stop epmd mariadb
if [ "${1:-}" = --wipe ]; then
    rm -rf "$state"/{etc,log,run,lock,sql,queue,keystone,glance,nova,neutron,cinder,schemas-done,cinder-schema-done,provisioned,clouds.yaml}
fi
say "stopped"
