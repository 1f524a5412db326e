"""Start a program in a directory, with chosen descriptors, by posix_spawn.

posix_spawn instead of fork: no copy of the page tables, no Python between fork
and exec. It has no way to change the directory before POSIX 2024, so the caller
changes its own for that moment; no thread sees it, as daemons have none.
"""

import os

from s6log.unix.signals import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# O_PATH: enough for fchdir, and asks for no permission to read (open(2)).
DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


def spawn(
    argv: "Sequence[bytes]",
    directory: tuple[int, bytes],
    descriptors: "Mapping[int, int]",
    environment: "Mapping[bytes, bytes]",
) -> int:
    """Start `argv` (looked up in PATH) and return its pid.

    `directory` is (base descriptor, path); `descriptors` maps numbers in the
    child to descriptors here, which must be at least as high as any number in
    the child, or one move would overwrite another. No signal is
    blocked, and of those that Python ignores for itself none is ignored; one that
    was ignored when we were started stays so, as in s6. OSError when the program
    cannot be executed.
    """
    moves = [
        (os.POSIX_SPAWN_DUP2, ours, childs) for childs, ours in descriptors.items()
    ]
    base, path = directory
    target = os.open(path, DIRECTORY, dir_fd=base)
    here = _here()
    try:
        os.fchdir(target)
        return os.posix_spawnp(
            argv[0],
            list(argv),
            environment,
            file_actions=moves,
            setsigmask=[],
            # Python ignores SIGPIPE and SIGXFSZ, and an ignored signal stays
            # ignored across exec (signal(7)).
            setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
        )
    finally:
        if here >= 0:
            os.fchdir(here)
            os.close(here)
        os.close(target)


def own_program(*words: bytes) -> tuple[bytes, ...]:
    """Give the command line of a program of this package, as its launchers have it.

    `words` are the program's name and its arguments.
    """
    import sys

    launch = os.path.dirname(os.path.dirname(__file__)) + "/launch.py"
    python = (sys.executable, "-I", "-S", "-X", "utf8", launch)
    return (*map(os.fsencode, python), *words)


def _here() -> int:
    """Open the way back; -1 where there is none (EACCES after a change of user).

    Then no name relative to it could be used either, so nothing is lost.
    """
    try:
        return os.open(".", DIRECTORY)
    except OSError:
        return -1


def keep_high(fd: int, least: int) -> int:
    """Move a fresh descriptor to a number of at least `least`; give that back."""
    import fcntl

    if fd >= least:
        return fd
    high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, least)
    os.close(fd)
    return high
