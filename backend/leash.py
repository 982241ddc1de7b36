"""A leash for a child process: run as a script, it ties itself to its parent and then becomes the command.

    python -I -S leash.py <parent's pid> <signal> <uid or -> <command> …

Linux only. The kernel sends the signal when the parent dies, however it dies, also by SIGKILL. With a uid it
leaves root, because PostgreSQL refuses to be root, but keeps the one capability to reach files: neither the
checkout nor a home closed to others has to be opened for it. Standard library only, so that it costs 12 ms.
"""

import ctypes
import os
import sys

assert sys.platform == "linux"

PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522


def main() -> None:
    parent, signal_number, uid, *command = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    if uid != "-":
        _leave_root(libc, int(uid))
    libc.prctl(PR_SET_PDEATHSIG, int(signal_number))  # after the change of user, which would clear it
    if os.getppid() != int(parent):
        sys.exit("the parent died before the leash was on")
    os.execv(command[0], command)  # noqa: S606 (this is the whole purpose; a list, no shell)


def _leave_root(libc: ctypes.CDLL, uid: int) -> None:
    libc.prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    _keep(libc, CAP_DAC_OVERRIDE)


def _keep(libc: ctypes.CDLL, capability: int) -> None:
    """Keep one capability across exec. Where a container forbids it, the file permissions simply count."""
    bit = 1 << capability
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    effective_permitted_inheritable = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    libc.capset(header, effective_permitted_inheritable)
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)


if __name__ == "__main__":
    main()
