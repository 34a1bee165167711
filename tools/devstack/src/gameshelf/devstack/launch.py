"""Becomes another program that ends when the parent does: ``launch.py PARENT SIGNAL HIDE_ROOT PROGRAM [ARGUMENTS]``.

A program of its own, because what it does belongs between fork and exec, where a process with threads (pytest with gRPC
loaded) may do almost nothing. Only the standard library, so that it starts in no time.
"""

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER = 0x10000000


def main() -> None:
    parent, last_signal, hide_root, *command = sys.argv[1:]
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if hide_root == "1" and (os.geteuid() == 0 or not _is_known(os.geteuid())):
            _become_somebody(libc)
        libc.prctl(PR_SET_PDEATHSIG, int(last_signal))
        if os.getppid() != int(parent):
            sys.exit("the parent is gone")
    os.execv(command[0], command)


def _become_somebody(libc: ctypes.CDLL) -> None:
    """Another user id in a user namespace of our own, with the same files.

    PostgreSQL refuses to run as root, and as a user whom no file of accounts names, which is usual in containers.
    """
    somebody = next(account.pw_uid for account in pwd.getpwall() if account.pw_uid != 0)
    maps = (("uid_map", os.geteuid()), ("gid_map", os.getegid()))
    if libc.unshare(_CLONE_NEWUSER) != 0:
        sys.exit(f"no user namespace is to be had: {os.strerror(ctypes.get_errno())}; run as an ordinary user")
    for name, content in (("setgroups", "deny"), *((name, f"{somebody} {real} 1") for name, real in maps)):
        with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123 - pathlib would double the start-up time
            file.write(content)


def _is_known(user_id: int) -> bool:
    try:
        pwd.getpwuid(user_id)
    except KeyError:
        return False
    return True


if __name__ == "__main__":
    main()
