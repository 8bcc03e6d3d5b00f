"""Becomes a child of the supervisor: its own session, its user, a signal when the supervisor dies, then the program.

Runs as a script before every child. A `preexec_fn` would do the same between fork and exec, where Python code may
deadlock; and the death signal has to be asked for after the change of user, which clears it.

usage: launch.py PARENT SIGNAL UID:GID|- PROGRAM [ARGUMENT...]
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: str, number: str, owner: str, *argv: str) -> None:
    for inherited in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):  # ignored by nohup, by `&` and by Python
        signal.signal(inherited, signal.SIG_DFL)
    if owner != "-":
        uid, gid = (int(part) for part in owner.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit("The supervisor is gone.")
    os.execv(argv[0], argv)  # noqa: S606


if __name__ == "__main__":
    main(*sys.argv[1:])
