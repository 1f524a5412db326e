"""An input: a way to wait for its bytes and a way to take them."""

import os
import stat

from s6log.inputs.taking import Consumed, Offset
from s6log.inputs.waiting import Edge, Level
from s6log.unix.fds import replace_by_null

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from s6log.inputs.held import Copy
    from s6log.unix.loop import Loop

    class Taking(Protocol):
        """How bytes are taken out of an input.

        One that `rewinds` gives uncommitted bytes again at the next `take`; with
        the others the caller keeps what it has not used. `window_bytes` is how
        much a rewinding input may show at once.
        """

        rewinds: bool
        window_bytes: int

        def take(self, view: memoryview, /) -> int:
            """Put bytes into the view and return how many.

            0 at the end, BlockingIOError when there are none now.
            """

        def commit(self, count: int) -> None:
            """Let go of the next `count` bytes: they have been written."""

        def crowded(self) -> bool:
            """Tell whether the rest of a line finds no room in the input."""

        def ended(self) -> bool:
            """Tell whether an unfinished line is all there will ever be."""

        def close(self) -> None:
            """Close what is our own."""


class Source:
    """Descriptor `fd` as an input; `callback` runs when bytes can be taken.

    `held` (-b) leaves them in the input until they are committed, where that is
    possible: pipes, stream sockets, regular files. Everything else (terminals,
    datagrams) is consumed at once. What pipes are copied to for that may be given:
    several sources can have one `copy`.
    """

    def __init__(
        self,
        loop: "Loop",
        fd: int,
        callback: "Callable[[int], None]",
        held: bool,
        copy: "Copy | None" = None,
    ) -> None:
        self._fd = fd
        self.waiting: Edge | Level
        self.bytes: Taking
        try:
            kind = _held(fd, copy) if held else Consumed
            self.bytes = kind(fd)
            polled = not self.bytes.rewinds or kind is Offset
            self.waiting = (Level if polled else Edge)(loop, fd, callback)
        except OSError:
            # No descriptors for what it needs, or a datagram socket.
            self.bytes = Consumed(fd)
            self.waiting = Level(loop, fd, callback)

    def close(self) -> None:
        """Let go of the input; its writers notice. The number stays occupied."""
        self.waiting.close()
        self.bytes.close()
        replace_by_null(self._fd)


def _held(fd: int, copy: "Copy | None") -> "Callable[[int], Taking]":
    """Choose how to look at an input without consuming it, if that can be."""
    mode = os.fstat(fd).st_mode
    if stat.S_ISREG(mode):
        return Offset
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        # Here, because ctypes costs more than most of what a logger loads.
        from s6log.inputs import held

        if stat.S_ISFIFO(mode):
            return lambda pipe: held.PipeCopy(pipe, copy)
        return held.Peek
    return Consumed
