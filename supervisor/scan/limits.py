"""How many descriptors the supervisor may have open; its children get what it got.

A service with a logger takes about ten. Most systems start programs with a soft
limit of 1024, because select(2) can use no more.
"""

import os
import resource

from s6log.unix.fds import STDERR

ENOUGH = 1 << 16  # for six thousand services with loggers
NR_OPEN = "/proc/sys/fs/nr_open"
SPARE = 20
KIND = resource.RLIMIT_NOFILE


def raise_limit() -> tuple[int, int]:
    """Raise the soft limit to the hard one, that to ENOUGH; give what they were.

    The second needs CAP_SYS_RESOURCE (setrlimit(2)); without it the hard limit is
    what there is.
    """
    soft, hard = resource.getrlimit(KIND)
    if hard != resource.RLIM_INFINITY and hard < ENOUGH:
        wanted = min(ENOUGH, _most())
        if wanted > hard and _set(wanted, wanted):
            return soft, hard
    _set(hard, hard)
    return soft, hard


def restore_limit(limits: tuple[int, int]) -> None:
    """Set both limits to what raise_limit gave."""
    _set(*limits)


def current_limit() -> int:
    """Give the soft limit."""
    return resource.getrlimit(KIND)[0]


def _set(soft: int, hard: int) -> bool:
    try:
        resource.setrlimit(KIND, (soft, hard))
    except (OSError, ValueError):
        return False  # ValueError: not allowed to raise it (module resource)
    return True


def _most() -> int:
    """Give what no process may exceed (proc_sys_fs(5))."""
    try:
        with open(NR_OPEN, "rb", buffering=0) as file:
            return int(file.read())
    except (OSError, ValueError):
        return ENOUGH


def check_room() -> None:
    """Raise OSError (EMFILE, ENFILE) when few descriptors are left.

    Those who are supervised already need some: for a restart, a status file, their
    listeners.
    """
    taken: list[int] = []
    try:
        for _ in range(SPARE):
            taken.append(os.dup(STDERR))  # noqa: PERF401 - the first ones, if it fails
    finally:
        for fd in taken:
            os.close(fd)
