"""Hearing what supervisors tell: FIFOs of our own in fifodirs, gone when we are.

Format of a fifodir and of the names in it: s6's libftrig. Who subscribes first and
then looks at the status misses nothing: supervisors write the status first.
"""

import errno
import os
import select
import stat
import time

from s6log.unix import tai64n
from s6log.unix.loop import Loop
from s6log.unix.signals import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PREFIX = b"ftrig1:"
LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
RANDOM_CHARACTERS = 6
# Supervisors of any user may write; as in s6 2.15 (0600 before).
FIFO_MODE = 0o622
# One description for both ends: nobody sees the end of a file (fifo(7): opening
# with O_RDWR never blocks on Linux).
BOTH_ENDS = os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC
MOST_BYTES = 4096
GROUP_MODE, PUBLIC_MODE = 0o3730, 0o1733

DEADLY = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
"""What people and systems end a program with that waits."""


class TimedOut(Exception):
    """The time is over, and what was waited for has not been heard."""


class Subscription:
    """A FIFO in a fifodir; poll `fd` for reading, then read. OSError on creation."""

    __slots__ = ("_path", "fd")

    def __init__(self, fifodir: bytes) -> None:
        name = PREFIX + tai64n.label(time.time_ns()) + b":" + random_word()
        # Under a name that is ignored, until writing to it can do no harm.
        hidden, visible = fifodir + b"/." + name, fifodir + b"/" + name
        os.mkfifo(hidden, 0o600)
        self._path = hidden
        self.fd = -1
        try:
            self.fd = os.open(hidden, BOTH_ENDS)
            os.fchmod(self.fd, FIFO_MODE)  # mkfifo(3) obeys the umask
            os.rename(hidden, visible)
        except OSError:
            self.close()
            raise
        self._path = visible

    def read(self) -> bytes:
        """Give the events that have arrived; b"" when there are none."""
        try:
            return os.read(self.fd, MOST_BYTES)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        """Unsubscribe. Removed before it is closed: it is never there unread."""
        try:
            os.unlink(self._path)
        except OSError:
            pass  # gone already, with its directory perhaps
        if self.fd >= 0:
            os.close(self.fd)


class Listening:
    """Subscriptions that end together: for a with block.

    Signals that end a program end this one too, once nothing is left behind.
    """

    __slots__ = ("_heard", "_late", "_loop", "_subscriptions")

    def __init__(self, timeout_ms: int = 0) -> None:
        """Start the clock: 0 means that there is time without end."""
        self._loop = Loop()
        self._subscriptions: list[Subscription] = []
        self._heard: list[tuple[int, bytes]] = []
        self._late = False
        for signum in DEADLY:
            # nohup(1) and shells without job control ignore some of them for us.
            if signal.getsignal(signum) != signal.SIG_IGN:
                self._loop.on_signal(signum, self._death_by(signum))
        if timeout_ms:
            self._loop.after(timeout_ms, self._expire)

    def __enter__(self) -> "Listening":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def subscribe(self, fifodir: bytes) -> int:
        """Listen to one more fifodir, by the index that is returned. OSError."""
        subscription = Subscription(fifodir)
        index = len(self._subscriptions)
        self._subscriptions.append(subscription)

        def hear(_events: int) -> None:
            self._heard.append((index, subscription.read()))

        self._loop.watch(subscription.fd, select.POLLIN, hear)
        return index

    def hear(self) -> tuple[int, bytes]:
        """Wait for the next events: (index of the fifodir, events as they came).

        They come in pieces of any length. Raises TimedOut.
        """
        while not self._heard:
            if self._late:
                raise TimedOut
            self._loop.turn()
        return self._heard.pop(0)

    def close(self) -> None:
        """Give all subscriptions up."""
        while self._subscriptions:
            subscription = self._subscriptions.pop()
            self._loop.unwatch(subscription.fd)
            subscription.close()
        self._loop.close()

    def _expire(self) -> None:
        self._late = True

    def _death_by(self, signum: int) -> "Callable[[], None]":
        def die() -> None:
            self.close()
            # So that our parent sees what ended us (a shell then ends its loops).
            signal.signal(signum, signal.SIG_DFL)
            os.kill(os.getpid(), signum)

        return die


def make_fifodir(path: bytes, group: int | None, force: bool = False) -> None:
    """Make a fifodir in which a group may listen; None: everybody may. OSError.

    One that is there must be ours, and gets these permissions only by `force`.
    """
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        found = os.stat(path)
        if found.st_uid != os.getuid():
            raise OSError(errno.EACCES, os.strerror(errno.EACCES)) from None
        if not stat.S_ISDIR(found.st_mode):
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
        if not force:
            return
    if group is not None:
        os.chown(path, -1, group)  # first: it clears the set-group-ID bit (chown(2))
    os.chmod(path, PUBLIC_MODE if group is None else GROUP_MODE)


def random_word() -> bytes:
    """Give six characters that no other listener chooses at the same instant."""
    return bytes(LETTERS[byte & 63] for byte in os.urandom(RANDOM_CHARACTERS))
