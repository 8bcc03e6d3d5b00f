"""Write the configuration of every service of the live OpenStack: `configure.py STATE_DIR HOST PORT_BASE`.

Only what differs from the defaults of OpenStack stands here. Where the hardware would be, nova and neutron load
the two drivers of `hardware/`; everything else is the real thing, on one host and bound to one address.
"""

import pathlib
import sys

STATE, HOST, BASE = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
PASSWORD = "cloudmesh-live"  # of every user here; nothing listens beyond HOST
PORTS = {
    name: BASE + port
    for name, port in {
        "keystone": 5000,
        "placement": 8778,
        "glance": 9292,
        "nova": 8774,
        "neutron": 9696,
        "cinder": 8776,
        "mariadb": 3306,
        "rabbitmq": 5672,
        "vnc": 6080,
    }.items()
}
Sections = dict[str, dict[str, object]]

PASTE = STATE / "venv/etc"
QUEUE = {
    "DEFAULT": {
        "transport_url": f"rabbit://live:{PASSWORD}@{HOST}:{PORTS['rabbitmq']}//",
        "host": "live1",
        "my_ip": HOST,
    },
    "oslo_messaging_rabbit": {"rabbit_quorum_queue": "false"},
    "oslo_messaging_notifications": {"driver": "noop"},
    "oslo_concurrency": {"lock_path": STATE / "lock"},
}


def url(service: str) -> str:
    return f"http://{HOST}:{PORTS[service]}"


def database(name: str) -> dict[str, object]:
    return {"connection": f"mysql+pymysql://live:{PASSWORD}@{HOST}:{PORTS['mariadb']}/{name}?charset=utf8"}


def login(user: str) -> dict[str, object]:
    return {
        "auth_type": "password",
        "auth_url": f"{url('keystone')}/v3",
        "username": user,
        "password": PASSWORD,
        "project_name": "service",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
        "region_name": "RegionOne",
    }


def guard(user: str) -> Sections:
    """What lets a service check the tokens it is shown."""
    return {"keystone_authtoken": login(user) | {"www_authenticate_uri": f"{url('keystone')}/v3"}}


def merged(*parts: Sections) -> Sections:
    whole: Sections = {}
    for part in parts:
        for section, values in part.items():
            whole[section] = whole.get(section, {}) | values
    return whole


KEYSTONE: Sections = {
    "database": database("keystone"),
    "fernet_tokens": {"key_repository": STATE / "keystone/fernet"},
    "fernet_receipts": {"key_repository": STATE / "keystone/receipts"},
    "credential": {"key_repository": STATE / "keystone/credential"},
    "identity": {"password_hash_rounds": 4},
    "oslo_messaging_notifications": {"driver": "noop"},
}

PLACEMENT = merged(guard("placement"), {"placement_database": database("placement")})

GLANCE = merged(
    QUEUE,
    guard("glance"),
    {
        "DEFAULT": {"enabled_backends": "disk:file", "enabled_import_methods": "[glance-direct]"},
        "database": database("glance"),
        "glance_store": {"default_backend": "disk"},
        "disk": {"filesystem_store_datadir": STATE / "glance/images"},
        "os_glance_staging_store": {"filesystem_store_datadir": STATE / "glance/staging"},
        "os_glance_tasks_store": {"filesystem_store_datadir": STATE / "glance/tasks"},
        "paste_deploy": {"flavor": "keystone", "config_file": PASTE / "glance/glance-api-paste.ini"},
    },
)

NOVA_COMPUTE = merged(
    QUEUE,
    guard("nova"),
    {
        "DEFAULT": {
            "state_path": STATE / "nova",
            "compute_driver": "cloudmesh_live.Hypervisor",
            "max_concurrent_builds": 20,
            "graceful_shutdown_timeout": 3,
            "manager_shutdown_timeout": 3,
            "vif_plugging_is_fatal": "false",
            "vif_plugging_timeout": 0,
            "heal_instance_info_cache_interval": -1,
            "initial_cpu_allocation_ratio": 4.0,
            "allow_resize_to_same_host": "true",  # there is no other
        },
        "wsgi": {"api_paste_config": PASTE / "nova/api-paste.ini"},
        "conductor": {"workers": 1},
        "scheduler": {"workers": 1, "discover_hosts_in_cells_interval": 10},
        "vnc": {
            "enabled": "true",
            "server_listen": HOST,
            "server_proxyclient_address": HOST,
            "novncproxy_base_url": f"{url('vnc')}/vnc_lite.html",
        },
        "glance": {"region_name": "RegionOne"},
        "placement": login("placement"),
        "neutron": login("neutron") | {"default_floating_pool": "public"},
        "service_user": login("nova") | {"send_service_user_token": "true"},
    },
)
NOVA = merged(NOVA_COMPUTE, {"api_database": database("nova_api"), "database": database("nova_cell1")})
NOVA_CELL0 = merged(NOVA, {"database": database("nova_cell0")})

NEUTRON = merged(
    QUEUE,
    guard("neutron"),
    {
        "DEFAULT": {
            "core_plugin": "ml2",
            "service_plugins": "router",
            "state_path": STATE / "neutron",
            "api_paste_config": PASTE / "neutron/api-paste.ini",
            "notify_nova_on_port_status_changes": "true",
            "notify_nova_on_port_data_changes": "true",
            "rpc_workers": 0,
        },
        "database": database("neutron"),
        "nova": login("nova"),
        "placement": login("placement"),
        "quotas": {"quota_port": 2000},
        "ml2": {
            "type_drivers": "local",
            "tenant_network_types": "local",
            "mechanism_drivers": "cloudmesh_live",
            "extension_drivers": "port_security",
        },
    },
)

CINDER = merged(
    QUEUE,
    guard("cinder"),
    {
        "DEFAULT": {
            "state_path": STATE / "cinder",
            "api_paste_config": PASTE / "cinder/api-paste.ini",
            "resource_query_filters_file": PASTE / "cinder/resource_filters.json",
            "enabled_backends": "disks",
            "graceful_shutdown_timeout": 3,
        },
        "disks": {"volume_driver": "cinder.tests.fake_driver.FakeLoggingVolumeDriver", "volume_backend_name": "disks"},
        "database": database("cinder"),
        "coordination": {"backend_url": f"file://{STATE / 'cinder/coordination'}"},
        "nova": login("nova"),
        "service_user": login("cinder") | {"send_service_user_token": "true"},
    },
)

FILES = {
    "keystone/keystone.conf": KEYSTONE,
    "placement/placement.conf": PLACEMENT,
    "glance/glance-api.conf": GLANCE,
    "nova/nova.conf": NOVA,
    "nova/compute.conf": NOVA_COMPUTE,  # a compute host must not know the databases
    "nova/cell0.conf": NOVA_CELL0,
    "neutron/neutron.conf": NEUTRON,
    "cinder/cinder.conf": CINDER,
}

ARGUMENTS = {"cinder": {"pyargv": f"--config-file {STATE}/etc/cinder/cinder.conf"}}  # it has no variable for that
FOLDERS = (
    *("glance/images", "glance/staging", "glance/tasks", "keystone", "nova/instances", "neutron", "lock"),
    "cinder/coordination",
)
APIS = {  # module, processes, threads
    "keystone": ("keystone.wsgi.api", 2, 1),
    "placement": ("placement.wsgi.api", 1, 4),
    "glance": ("glance.wsgi.api", 1, 4),
    "nova": ("nova.wsgi.osapi_compute", 2, 4),
    "neutron": ("neutron.wsgi.api", 2, 4),
    "cinder": ("cinder.wsgi.api", 1, 4),
}


def uwsgi(service: str) -> Sections:
    module, processes, threads = APIS[service]
    return {
        "uwsgi": {
            "module": f"{module}:application",
            "http-socket": f"{HOST}:{PORTS[service]}",
            "processes": processes,
            "threads": threads,
            "master": "true",
            "enable-threads": "true",
            "lazy-apps": "true",
            "need-app": "true",
            "die-on-term": "true",
            "thunder-lock": "true",
            "buffer-size": 65535,
            "http-chunked-input": "true",
            "add-header": "Connection: close",
            "worker-reload-mercy": 5,
            **ARGUMENTS.get(service, {}),
        }
    }


def write(path: pathlib.Path, sections: Sections) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (
        line
        for section, values in sections.items()
        for line in (f"[{section}]", *(f"{name} = {value}" for name, value in values.items()), "")
    )
    path.write_text("\n".join(lines))
    path.chmod(0o600)


def main() -> None:
    for name, sections in FILES.items():
        write(STATE / "etc" / name, sections)
    for service in APIS:
        write(STATE / f"etc/uwsgi-{service}.ini", uwsgi(service))
    for folder in FOLDERS:
        (STATE / folder).mkdir(parents=True, exist_ok=True)


if __name__ == "__main__":
    main()
