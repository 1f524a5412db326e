"""Two ways to be told that an input has something to take.

`callback(events)` is called then, as by the loop, which calls it itself.
"""

import fcntl
import os
import select
import stat

from s6log.unix.signals import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from s6log.unix.loop import Loop, Timer

LOOK_MS = 100
EDGES = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET


class Level:
    """Call back as long as there are bytes: whatever is read is consumed."""

    def __init__(
        self, loop: "Loop", fd: int, callback: "Callable[[int], None]"
    ) -> None:
        self._loop = loop
        self._fd = fd
        self._callback = callback
        self._waiting = False

    def resume(self) -> None:
        """Call back from now on."""
        if not self._waiting:
            self._waiting = True
            self._loop.watch(self._fd, select.POLLIN, self._callback)

    def pause(self) -> None:
        """Stop calling back."""
        if self._waiting:
            self._waiting = False
            self._loop.unwatch(self._fd)

    def more(self) -> None:
        """Do nothing: poll(2) reports what is left."""

    def unfinished(self, there_is: bool) -> None:
        """Do nothing: it has left the input."""

    def close(self) -> None:
        """Stop for good."""
        self.pause()


class Edge:
    """Call back when something new has arrived: what was seen stays in the input.

    An unfinished line is left there, so poll(2) would report it for ever.
    Edge-triggered epoll(7) reports each write(2) once, and every hang-up. Whoever
    has not seen all there is says `more`.
    """

    def __init__(
        self, loop: "Loop", fd: int, callback: "Callable[[int], None]"
    ) -> None:
        self._loop = loop
        self._callback = callback
        self._waiting = False
        self._epoll = select.epoll(flags=select.EPOLL_CLOEXEC)
        self._epoll.register(fd, EDGES)
        self._due = False  # to be called back in the next turn
        # Sockets report every piece to epoll, whoever sleeps.
        is_pipe = stat.S_ISFIFO(os.fstat(fd).st_mode)
        self._sleepers = SleepingWriters(loop, fd, self._call) if is_pipe else None

    def resume(self) -> None:
        """Call back in the next turn, and then whenever something has arrived."""
        if not self._waiting:
            self._waiting = True
            self._loop.watch(self._epoll.fileno(), select.POLLIN, self._on_news)
            self.more()

    def pause(self) -> None:
        """Stop calling back."""
        if self._waiting:
            self._waiting = False
            self._loop.unwatch(self._epoll.fileno())

    def more(self) -> None:
        """Call back in the next turn."""
        if not self._due:
            self._due = True
            self._loop.again(self._on_due)

    def unfinished(self, there_is: bool) -> None:
        """Take notice that an unfinished line stays in the input, or no longer."""
        if self._sleepers is None:
            return
        if not there_is:
            self._sleepers.ignore()
        elif self._sleepers.heed():
            # It may have come before we listened: look again.
            self.more()

    def close(self) -> None:
        """Stop for good."""
        self.pause()
        if self._sleepers is not None:
            self._sleepers.close()
        self._epoll.close()

    def _on_news(self, _events: int) -> None:
        self._epoll.poll(0)  # takes the edge
        self._callback(select.POLLIN)

    def _on_due(self) -> None:
        self._due = False
        self._call()

    def _call(self) -> None:
        if self._waiting:
            self._callback(select.POLLIN)


class SleepingWriters:
    """News of a write(2) that waits for room in a pipe that was not empty.

    Linux reports it to epoll only when it returns (pipe_write wakes readers
    before it sleeps only if the pipe was empty), and if the reader sleeps too,
    that is never. It does raise SIGIO for descriptions with O_ASYNC. One of our
    own, opened anew: the inherited one is never changed. Only while needed,
    since every write then costs a signal. Where there is no /proc, or not for us
    any more (EACCES after a change of user): look ten times a second.
    """

    def __init__(self, loop: "Loop", fd: int, callback: "Callable[[], None]") -> None:
        self._loop = loop
        self._callback = callback
        self._heeding = False
        self._later: Timer | None = None
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            self._fd = os.open(f"/proc/self/fd/{fd}", flags)
        except OSError:
            self._fd = -1
        else:
            fcntl.fcntl(self._fd, fcntl.F_SETOWN, os.getpid())
            loop.on_signal(signal.SIGIO, self._on_signal)

    def heed(self) -> bool:
        """Call back on such news from now on; False if that was so already."""
        if self._heeding:
            return False
        self._heeding = True
        if self._fd < 0:
            self._look_later()
        else:
            fcntl.fcntl(self._fd, fcntl.F_SETFL, os.O_NONBLOCK | os.O_ASYNC)
        return True

    def ignore(self) -> None:
        """Stop calling back."""
        if not self._heeding:
            return
        self._heeding = False
        if self._fd >= 0:
            fcntl.fcntl(self._fd, fcntl.F_SETFL, os.O_NONBLOCK)
        if self._later is not None:
            self._later.cancel()

    def close(self) -> None:
        """Close what is our own."""
        self.ignore()
        if self._fd >= 0:
            self._loop.off_signal(signal.SIGIO, self._on_signal)
            os.close(self._fd)
            self._fd = -1

    def _on_signal(self) -> None:
        """Look: it does not tell which of several inputs it is about."""
        if self._heeding:
            self._callback()

    def _look_later(self) -> None:
        if self._heeding:
            self._later = self._loop.after(LOOK_MS, self._look)

    def _look(self) -> None:
        self._callback()
        self._look_later()
