"""A hypervisor for nova: its own fake one, which besides knows its servers after a restart, and uploads snapshots.

`CLOUDMESH_LIVE_BOOT_DELAY` says how many seconds a boot takes; a server of flavor `m1.broken` fails to boot.
"""

import io
import os
import time

from nova import context as nova_context
from nova import exception, objects
from nova.compute import task_states
from nova.image import glance
from nova.scheduler.client import report
from nova.virt import fake


def _no_allocations(client, context, node):
    """Nova asks for those of every server of the host at each boot, for hardware that is not here: quadratic."""
    return {}


report.SchedulerReportClient.get_allocations_for_provider_tree = _no_allocations


class Hypervisor(fake.FakeDriverWithoutFakeNodes):
    def init_host(self, host):
        super().init_host(host)
        for server in objects.InstanceList.get_by_host(nova_context.get_admin_context(), host):
            self.instances[server.uuid] = fake.FakeInstance(server.name, server.power_state, server.uuid)

    def spawn(self, context, instance, *args, **kwargs):
        time.sleep(float(os.environ.get("CLOUDMESH_LIVE_BOOT_DELAY", "0")))
        if instance.flavor.name == "m1.broken":
            raise exception.BuildAbortException(instance_uuid=instance.uuid, reason="m1.broken never boots")
        return super().spawn(context, instance, *args, **kwargs)

    def snapshot(self, context, instance, image_id, update_task_state):
        update_task_state(task_state=task_states.IMAGE_PENDING_UPLOAD)
        images = glance.API()
        image = images.get(context, image_id)
        update_task_state(task_state=task_states.IMAGE_UPLOADING, expected_state=task_states.IMAGE_PENDING_UPLOAD)
        made = {"name": image["name"], "disk_format": "raw", "container_format": "bare", "properties": {}}
        images.update(context, image_id, made, io.BytesIO(bytes(4096)), purge_props=False)
