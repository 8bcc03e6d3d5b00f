"""Fill the live OpenStack: `provision.py identity|resources STATE_DIR HOST PORT_BASE`; again is no harm.

Projects india (roomy quota) and sierra (Nova's own quota of ten servers), each with a user of its name and a
network behind a router to `public`; india-reader may only look. All passwords are the one of configure.py.
"""

import json
import pathlib
import sys
import time
from collections.abc import Callable

import openstack

STEP, STATE, HOST, BASE = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
AUTH_URL = f"http://{HOST}:{BASE + 5000}/v3"
PASSWORD = "cloudmesh-live"
CLOUDS = {"admin": "admin", "india": "india", "sierra": "sierra", "india-reader": "india"}  # user: project
SERVICES = {  # user and name: type, URL
    "placement": ("placement", f"http://{HOST}:{BASE + 8778}"),
    "glance": ("image", f"http://{HOST}:{BASE + 9292}"),
    "nova": ("compute", f"http://{HOST}:{BASE + 8774}/v2.1"),
    "neutron": ("network", f"http://{HOST}:{BASE + 9696}"),
    "cinder": ("block-storage", f"http://{HOST}:{BASE + 8776}/v3"),
}
FLAVORS = {  # cores, MiB, GiB
    "m1.nano": (1, 128, 1),
    "m1.tiny": (1, 512, 1),
    "m1.small": (1, 2048, 20),
    "m1.medium": (2, 4096, 40),
    "m1.large": (4, 8192, 80),
    "m1.impossible": (1, 4_000_000, 10),  # no host has that much memory: Nova finds none
    "m1.broken": (1, 64, 1),  # the host gives up on it: see hardware/hypervisor.py
}
IMAGES = {"cirros-0.6": "cirros", "ubuntu-24.04": "ubuntu"}


def connect() -> openstack.connection.Connection:
    return openstack.connect(load_yaml_config=False, load_envvars=False, **settings("admin"))


def settings(user: str) -> dict[str, object]:
    auth = {
        "auth_url": AUTH_URL,
        "username": user,
        "password": PASSWORD,
        "project_name": CLOUDS[user],
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }
    return {"auth": auth, "region_name": "RegionOne", "identity_api_version": "3"}


def wait(what: str, ready: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not ready():
        if time.monotonic() > end:
            sys.exit(f"live openstack: still waiting for {what}")
        time.sleep(0.5)


def identity(cloud: openstack.connection.Connection) -> None:
    keystone = cloud.identity
    roles = {role.name: role for role in keystone.roles()}
    roles["service"] = roles.get("service") or keystone.create_role(name="service")
    users = {user.name: user for user in keystone.users()}
    projects = {project.name: project for project in keystone.projects()}
    for name in ("service", "india", "sierra"):
        projects[name] = projects.get(name) or keystone.create_project(name=name, domain_id="default")

    def member(user: str, project: str, *granted: str) -> None:
        users[user] = users.get(user) or keystone.create_user(name=user, domain_id="default", password=PASSWORD)
        for role in granted:
            keystone.assign_project_role_to_user(projects[project], users[user], roles[role])

    for user in SERVICES:
        member(user, "service", "admin", "service")
    for user in ("india", "sierra"):
        member(user, user, "member")
    member("india-reader", "india", "reader")
    catalog(keystone)
    clouds = STATE / "clouds.yaml"
    clouds.write_text(json.dumps({"clouds": {user: settings(user) for user in CLOUDS}}, indent=2))  # JSON is YAML
    clouds.chmod(0o600)


def catalog(keystone: openstack.proxy.Proxy) -> None:
    known = {service.name for service in keystone.services()}
    for name, (kind, url) in SERVICES.items():
        if name not in known:
            service = keystone.create_service(name=name, type=kind)
            for interface in ("public", "internal"):
                keystone.create_endpoint(service_id=service.id, interface=interface, url=url, region_id="RegionOne")


def resources(cloud: openstack.connection.Connection) -> None:
    done = STATE / "provisioned"
    if not done.exists():
        flavors_and_images(cloud)
        networks(cloud)
        india = cloud.identity.find_project("india", ignore_missing=False)
        cloud.set_compute_quotas(india.id, instances=500, cores=2000, ram=-1, key_pairs=200)
        done.touch()
    wait("nova-compute", lambda: any(s.state == "up" for s in cloud.compute.services(binary="nova-compute")))
    wait("a host with room", lambda: any(cloud.compute.hypervisors()) and any(cloud.placement.resource_providers()))


def flavors_and_images(cloud: openstack.connection.Connection) -> None:
    known = {flavor.name for flavor in cloud.compute.flavors()}
    for name, (cores, ram, disk) in FLAVORS.items():
        if name not in known:
            cloud.compute.create_flavor(name=name, vcpus=cores, ram=ram, disk=disk)
    known = {image.name for image in cloud.image.images()}
    for name, distribution in IMAGES.items():
        if name not in known:
            cloud.image.create_image(
                name=name, data=bytes(1 << 20), disk_format="raw", container_format="bare", visibility="public",
                min_disk=1, os_distro=distribution,
            )  # fmt: skip


def networks(cloud: openstack.connection.Connection) -> None:
    neutron = cloud.network
    public = neutron.find_network("public") or neutron.create_network(name="public", is_router_external=True)
    if not neutron.find_subnet("public"):
        neutron.create_subnet(
            name="public", network_id=public.id, ip_version=4, cidr="198.51.100.0/24", is_dhcp_enabled=False
        )
    for number, name in enumerate(("india", "sierra"), start=10):
        project = cloud.identity.find_project(name, ignore_missing=False).id
        if neutron.find_network(f"{name}-net"):
            continue
        network = neutron.create_network(name=f"{name}-net", project_id=project)
        subnet = neutron.create_subnet(
            name=f"{name}-net", network_id=network.id, project_id=project, ip_version=4, cidr=f"10.{number}.0.0/16"
        )
        router = neutron.create_router(name=name, project_id=project, external_gateway_info={"network_id": public.id})
        neutron.add_interface_to_router(router, subnet_id=subnet.id)


if __name__ == "__main__":
    {"identity": identity, "resources": resources}[STEP](connect())
