"""What s6-init says of its stages, on standard output, without ever waiting.

Process 1 must not stand still because nobody reads. What is not taken waits here;
there is little of it.
"""

import os
import select
import time

from s6log.unix.fds import STDOUT, Writer
from s6log.unix.spawn import keep_high
from supervisor.container.outlets import HIGH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.unix.loop import Loop

LINES = 2  # of S6_VERBOSITY: from then on stages are told
MOST_BYTES = 1 << 20  # unread; there are no more lines than scripts


class Progress:
    """Says pieces of lines in order; `told` is whether it says anything."""

    __slots__ = ("_fd", "_loop", "_pending", "_watching", "_writer", "told")

    def __init__(self, loop: "Loop", verbosity: int) -> None:
        self._loop = loop
        self._fd = copy()
        self._writer = Writer(self._fd)
        self._pending = bytearray()
        self._watching = -1
        self.told = verbosity >= LINES

    def say(self, text: bytes) -> None:
        """Say text as it is, unless stages are not told."""
        if self.told:
            self.insist(text)

    def insist(self, text: bytes) -> None:
        """Say text as it is."""
        if len(self._pending) < MOST_BYTES:
            self._pending += text
        if self._watching < 0:
            self._write()

    def move(self) -> None:
        """Speak to what descriptor 1 refers to by now."""
        self._rest()
        self._writer.close()
        os.close(self._fd)
        self._fd = copy()
        self._writer = Writer(self._fd)
        self._write()

    def finish(self, limit_ms: int) -> None:
        """Wait for what is pending to be taken, for a while: nothing comes after it."""
        poll = select.poll()
        deadline_ns = time.monotonic_ns() + limit_ms * 1_000_000
        while self._pending and time.monotonic_ns() < deadline_ns:
            self._write()
            if self._pending:
                poll.register(self._writer.fd, select.POLLOUT)
                poll.poll(limit_ms)
        self._rest()

    def _write(self) -> None:
        try:
            while self._pending:
                del self._pending[: self._writer.write([bytes(self._pending)])]
        except BlockingIOError:
            self._wait()
        except OSError:
            self._pending.clear()  # nobody will ever read it
        if not self._pending:
            self._rest()

    def _wait(self) -> None:
        if self._watching < 0:
            self._watching = self._writer.fd
            self._loop.watch(self._watching, select.POLLOUT, self._on_room)

    def _on_room(self, _events: int) -> None:
        self._write()

    def _rest(self) -> None:
        if self._watching >= 0:
            self._loop.unwatch(self._watching)
            self._watching = -1


def copy() -> int:
    """Give a descriptor of our own for standard output.

    While it is waited for, descriptor 1 may come to mean something else, and
    epoll(7) would then know nothing of it.
    """
    return keep_high(os.dup(STDOUT), HIGH)
