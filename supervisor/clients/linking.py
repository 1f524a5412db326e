"""Linking a service into a scan directory, with the way back; and what is linked.

A service and its logger belong together here: what is said of one holds for both.
"""

import errno
import os
import stat

from supervisor.clients import asking, controlling
from supervisor.clients.listening import Listening, TimedOut, make_fifodir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LOGGER = b"/log"
READY = b"s"  # the first event of every supervisor
# What ends a supervisor with its service; a logger first reads what is left.
END_SERVICE, END_LOGGER = b"xd", b"xo"
CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class Request:
    """What the command line asks for."""

    __slots__ = ("down", "force", "group", "name", "scandir", "service", "timeout_ms")

    def __init__(self) -> None:
        self.down = b""  # or the letter that asked for it
        self.force = False
        self.group: int | None = os.getegid()
        self.timeout_ms = 0
        self.scandir = b""
        self.service = b""
        self.name = b""


class Linking:
    """The linking itself, and the way back."""

    __slots__ = ("_control", "_link", "_listening", "_made", "_request")

    def __init__(self, request: Request, listening: Listening) -> None:
        self._request = request
        self._listening = listening
        self._link = request.scandir + b"/" + request.name
        self._control = request.scandir + b"/" + controlling.SVSCAN + b"/control"
        self._made: list[bytes] = []  # files `down` that were not there

    def link(self) -> None:
        """Link the service and wait for its supervisors. Raises OSError, TimedOut."""
        directories, supervised = pair_of(self._request.service)
        try:
            silent = set() if supervised else self._prepare(directories)
            self._make_link(supervised)
        except OSError:
            self._remove_made()
            raise
        try:
            asking.send(self._control, b"a")
            self._wait(silent)
        except (OSError, TimedOut):
            self._undo(directories)
            raise
        if self._request.down == b"d":
            for directory in directories:
                remove(directory + b"/down")

    def _prepare(self, directories: "Sequence[bytes]") -> set[int]:
        """Subscribe to each directory; give the numbers of the subscriptions."""
        silent = set()
        for directory in directories:
            if self._request.down:
                self._make_down(directory + b"/down")
            fifodir = directory + b"/event"
            make_fifodir(fifodir, self._request.group, self._request.force)
            silent.add(self._listening.subscribe(fifodir))
        return silent

    def _make_down(self, path: bytes) -> None:
        try:
            os.close(os.open(path, CREATE, 0o666))
        except FileExistsError:
            return  # somebody's own, not to be removed
        self._made.append(path)

    def _make_link(self, supervised: bool) -> None:
        target = self._request.service
        if not target.startswith(b"/"):
            target = os.path.realpath(target)
        try:
            os.symlink(target, self._link)
        except FileExistsError:
            if not supervised:
                raise

    def _wait(self, silent: set[int]) -> None:
        while silent:
            number, events = self._listening.hear()
            if READY in events:
                silent.discard(number)

    def _undo(self, directories: "Sequence[bytes]") -> None:
        """End the supervisors that may have started, and unlink."""
        remove(self._link)
        for directory, letters in zip(
            directories, (END_SERVICE, END_LOGGER), strict=False
        ):
            tell(directory + b"/supervise/control", letters)
        tell(self._control, b"an")  # or s6-svscan would start them again
        self._remove_made()

    def _remove_made(self) -> None:
        for path in self._made:
            remove(path)


def pair_of(service: bytes) -> tuple[list[bytes], bool]:
    """Give a service's directory and its logger's, and whether they are supervised.

    Raises OSError: EINVAL when only one of the two is, as in s6.
    """
    supervised = asking.supervised(service)
    logger = service + LOGGER
    try:
        found = os.stat(logger)
    except FileNotFoundError:
        return [service], supervised
    if not stat.S_ISDIR(found.st_mode):
        raise os_error(errno.ENOTDIR)
    if asking.supervised(logger) != supervised:
        raise os_error(errno.EINVAL)
    return [service, logger], supervised


def os_error(number: int) -> OSError:
    """Make the error of that number."""
    return OSError(number, os.strerror(number))


def remove(path: bytes) -> None:
    """Remove a file or link, if that is possible."""
    try:
        os.unlink(path)
    except OSError:
        pass


def tell(control: bytes, letters: bytes) -> None:
    """Send commands to a supervisor, if there is one."""
    try:
        asking.send(control, letters)
    except OSError:
        pass
