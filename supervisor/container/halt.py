"""halt: order the orderly stop of the container. Also poweroff, reboot, shutdown.

These are links to it, and a container knows one way to stop. Where there is no
container of ours, a package may have put this program before the system's: then
that is what it becomes.
"""

import os

from s6log.unix.messages import DONE, REFUSED, Fatal
from supervisor.clients import controlling
from supervisor.container.environment import CONTAINER_ENVIRONMENT
from supervisor.manual import Manual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SCANDIR = b"/run/service"
STOP = b"t"
NAME = b"/halt"
SYSTEM = b"/sbin"  # where a system's own may be that is on nobody's PATH
NOWHERE = b"no s6-init runs here: there is no " + CONTAINER_ENVIRONMENT

MANUAL = Manual(
    "halt",
    "[ anything... ]",
    (("anything...", "is left aside"),),
    """
Stop the container in good order. So do poweroff, reboot and shutdown in
/run/s6/basedir/bin. Where no s6-init has started a container it becomes the next
halt on the PATH, or /sbin/halt.""",
)


def main(arguments: list[bytes]) -> int:
    """Order the stop, or become the halt of this system; give the exit code."""
    if MANUAL.answered(arguments):
        return DONE
    if not (os.path.isdir(CONTAINER_ENVIRONMENT) and os.path.isdir(SCANDIR)):
        return become_other(arguments)
    try:
        controlling.command(SCANDIR, controlling.SVSCAN, STOP)
    except controlling.NotControlled as failure:
        raise Fatal(REFUSED, failure.text, failure.error) from failure
    return DONE


def become_other(arguments: list[bytes]) -> int:
    """Become the next halt that is not ours. Raises Fatal."""
    from supervisor.chain.execute import execute

    folders = os.environb.get(b"PATH", b"").split(b":")
    path = next(others([*filter(None, folders), SYSTEM]), None)
    if path is None:
        raise Fatal(REFUSED, NOWHERE)
    return execute([path, *arguments])


def others(folders: "Iterable[bytes]") -> "Iterator[bytes]":
    """Give the programs of that name in some folders, but for launchers of ours.

    All of our launchers are one text, in whatever prefix they are; that of s6-log is
    kept in the package. Where it is not known none is given, or we could become
    ourselves again and again.
    """
    import s6log

    own = content(os.path.dirname(os.fsencode(s6log.__file__)) + b"/bin/s6-log")
    if own is None:
        return
    for folder in folders:
        path = folder + NAME
        executable = os.path.isfile(path) and os.access(path, os.X_OK)
        if executable and content(path) != own:
            yield path


def content(path: bytes) -> bytes | None:
    """Give what is in a file; None if it cannot be read."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.readall()
    except OSError:
        return None
