"""Become another program: the last step of every program in a chain.

The search in PATH is that of skalibs (exec_ae), not that of execvp(3): an empty
component does not mean the current directory but nothing, and a file without
`#!` is an error, never a shell script.
"""

import errno
import os

from s6log.unix.messages import Fatal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import NoReturn

DEFAULT_PATH = b"/usr/bin:/bin"  # where Debian's s6 looks when PATH is not set
NOT_FOUND = 127
NOT_EXECUTABLE = 126

# What another folder of PATH may do better; any other error ends the search.
ELSEWHERE = (errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR)


def execute(
    argv: "Sequence[bytes]", environment: "Mapping[bytes, bytes] | None" = None
) -> "NoReturn":
    """Become the program `argv[0]`, found by this process's own PATH.

    It gets `environment`, by default this process's. Descriptors, signals and
    everything else stay as they are. Raises Fatal: 127 when there is no such
    program, 126 when it cannot be executed.
    """
    error = _attempt(argv, environment)
    code = NOT_FOUND if error.errno == errno.ENOENT else NOT_EXECUTABLE
    from supervisor.service.interpreter import visible  # now that it has failed

    # A CR at the end, from a script's line, would not be seen in a terminal.
    raise Fatal(code, b"unable to exec " + visible(argv[0]), error) from error


def environment_with(
    changes: "Mapping[bytes, bytes | None]",
) -> dict[bytes, bytes]:
    """Give this process's environment with some variables set or, if None, unset."""
    environment: dict[bytes, bytes | None] = {**os.environb, **changes}
    return {name: text for name, text in environment.items() if text is not None}


def _attempt(
    argv: "Sequence[bytes]", environment: "Mapping[bytes, bytes] | None"
) -> OSError:
    """Try one place after the other; return the error worth telling of."""
    if not argv[0]:
        # Python refuses to execute it. The C programs try "/usr/bin/" and the like.
        return _error(errno.EACCES)
    failure = _error(errno.ENOENT)
    for path in places_of(argv[0]):
        try:
            if environment is None:
                # Not os.environb: that has lost what is doubled or has no `=`.
                os.execv(path, list(argv))  # noqa: S606 - no shell is wanted
            else:
                os.execve(path, list(argv), environment)  # noqa: S606 - likewise
        except OSError as error:
            if error.errno == errno.ENOENT:
                continue
            failure = error
            if error.errno not in ELSEWHERE:
                break
    return failure


def places_of(program: bytes) -> "Iterable[bytes]":
    """Give the paths under which a program may be found."""
    if b"/" in program:
        return (program,)
    path = os.environb.get(b"PATH", DEFAULT_PATH)
    return [folder + b"/" + program for folder in path.split(b":") if folder]


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
