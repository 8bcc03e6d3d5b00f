"""What a simulated server writes to its console: a boot, then a line now and then."""

import datetime
from collections.abc import Iterator

from clouds.drivers.simulator.world import Row

BOOT = (
    (0.0, "Linux version 6.8.0-45-generic (buildd@lcy02) (gcc 13.2.0) #45-Ubuntu SMP PREEMPT_DYNAMIC"),
    (0.0, "Command line: BOOT_IMAGE=/boot/vmlinuz root=LABEL=rootfs ro console=tty1 console=ttyS0"),
    (0.01, "DMI: Cloudmesh Simulated Machine, BIOS 1.16"),
    (0.12, "Memory: {ram}M available, {cores} CPUs, {disk}G disk"),
    (0.31, "smpboot: Total of {cores} processors activated"),
    (0.48, "virtio_net virtio0 eth0: link becomes ready"),
    (0.77, "EXT4-fs (vda1): mounted filesystem with ordered data mode"),
    (1.2, "systemd[1]: Hostname set to <{name}>"),
    (1.6, "systemd[1]: Started OpenSSH server"),
    (2.3, "cloud-init: Cloud-init v. 24.1 running 'init'"),
    (2.6, "cloud-init: eth0 up, address {address}"),
    (3.1, "cloud-init: authorized keys of user {login}: {key}"),
    (3.6, "cloud-init: Cloud-init v. 24.1 finished"),
    (3.7, "{image} {name} ttyS0"),
    (3.8, "{name} login:"),
)
PULSE = 300  # seconds between two lines of an idle server


def log(row: Row, now: float, lines: int, *, address: str) -> str:
    """The last `lines` lines that this server has written by now."""
    words = {
        **{name: row[name] for name in ("name", "ram", "cores", "disk", "login")},
        "address": address or "none",
        "key": row["key"] or "none",
        "image": row["image_name"],
    }
    written = [*_boot(row, now, words), *_idle(row, now)]
    return "".join(f"{line}\n" for line in written[-lines:]) if lines > 0 else ""


def _boot(row: Row, now: float, words: dict[str, object]) -> Iterator[str]:
    if row["booted"] is None:
        return
    for offset, line in BOOT:
        if row["booted"] + offset <= now:
            yield f"[{offset:12.6f}] {line.format_map(words)}"


def _idle(row: Row, now: float) -> Iterator[str]:
    if row["booted"] is None or row["status"] != "ACTIVE":
        return
    for beat in range(1, min(int((now - row["booted"]) // PULSE), 1000) + 1):
        at = datetime.datetime.fromtimestamp(row["booted"] + beat * PULSE, datetime.UTC)
        yield f"{at:%b %d %H:%M:%S} {row['name']} systemd[1]: Finished sysstat-collect.service"
