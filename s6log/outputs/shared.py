"""A descriptor that other processes write to as well: stdout, stderr.

Written without blocking, in whole lines: a line is never torn by another of our
loggers. What does not fit waits in the outbox.
"""

import select

from s6log.outputs.context import nothing
from s6log.outputs.outbox import Outbox
from s6log.outputs.turns import Turns
from s6log.unix.fds import PIPE_BUF, PipeSize, Writer, replace_by_null

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from s6log.outputs.context import Context
    from s6log.stream.blocks import Data
    from s6log.unix.fds import Buffer
    from s6log.unix.loop import Timer

LF = 0x0A
# Between two attempts to get the turn that another logger has: at first, when it
# writes, and in the end, when its reader is stuck.
TURN_MS, LONGEST_TURN_MS = 2, 16


class Shared:
    """One descriptor with its outbox; for all actions that write to it.

    `lost` is called once, with the error, when the descriptor can never be
    written to again; whatever is put afterwards is dropped. `changed` is called
    when something pending has left.
    """

    def __init__(
        self, context: "Context", fd: int, lost: "Callable[[OSError], None]"
    ) -> None:
        self._loop = context.loop
        self._fd = fd
        self._lost = lost
        self._writer = Writer(fd)
        self._turns = Turns(fd)
        self._pipe = PipeSize(fd)
        self._outbox = Outbox(context.backlog)
        self._torn = False  # the last byte written did not end a line
        self._retry: Timer | None = None
        self._patience_ms = TURN_MS
        self._watching = -1  # the descriptor polled for room
        self.closed = False
        self.changed: Callable[[], None] = nothing

    @property
    def pending(self) -> int:
        """Bytes accepted and not written yet."""
        return self._outbox.size

    def put(self, head: bytes, data: "Data", end: int) -> None:
        """Write head + data[:end], whole lines, or keep what does not fit."""
        if not self.closed:
            self._send(head, data, 0, end, end)

    def put_lines(self, head: bytes, data: "Data", end: int) -> None:
        """Do the same in writes of whole lines within PIPE_BUF, where a line fits.

        Such writes are atomic (pipe(7)): programs that know nothing of turns
        cannot tear the lines either.
        """
        start = 0
        while start < end and not self.closed:
            room = PIPE_BUF - len(head)
            cut = data.rfind(b"\n", start, min(end, start + max(0, room))) + 1
            cut = cut or data.find(b"\n", start, end) + 1
            self._send(head, data, start, cut, end)
            if self._outbox.size:
                return
            start, head = cut, b""

    def _send(self, head: bytes, data: "Data", start: int, cut: int, end: int) -> None:
        """Write head + data[start:cut] now; if not all goes, keep it up to `end`."""
        if self._outbox.size or not self._turns.take():
            self._outbox.add(head, data, start, end)
            if self._retry is None and self._watching < 0:
                self._flush()
            return
        view = memoryview(data)[start:cut]
        written = self._write((head, view) if head else (view,))
        if self.closed:
            return
        if written == len(head) + cut - start:
            self._turns.give_back()
            return
        self._pipe.was_full()
        start += max(0, written - len(head))
        self._torn = written > 0 and not _ends_line(head, data, start)
        self._outbox.add(head[written:], data, start, end)
        self._wait_for_room()

    def flush(self) -> None:
        """Write what is pending, as far as it goes."""
        self._flush()
        self.changed()

    def close(self) -> None:
        """Stop for good; what is pending is dropped."""
        self.closed = True
        self._outbox.clear()
        self._rest()
        self._turns.give_back()
        self._writer.close()

    def _flush(self) -> None:
        """Write until there is no room, no turn or nothing left; then wait for it."""
        self._rest()
        while self._outbox.size:
            if not self._turns.take():
                self._retry = self._loop.after(self._patience_ms, self.flush)
                self._patience_ms = min(2 * self._patience_ms, LONGEST_TURN_MS)
                return
            self._patience_ms = TURN_MS
            others = self._turns.wanted()
            written = self._write_pending(to_line_end=others)
            if self.closed:
                return
            if written == 0:
                self._wait_for_room()
                return
            if others and not self._torn:
                self._turns.give_back()
                # Twice as long as they wait between two attempts.
                self._retry = self._loop.after(2 * TURN_MS, self.flush)
                return
        self._turns.give_back()

    def _write_pending(self, to_line_end: bool) -> int:
        """Write everything, or no further than a line's end; return how much."""
        if to_line_end:
            limit = 0 if self._torn else PIPE_BUF
            views = [self._outbox.to_line_end(limit)]
        else:
            views = self._outbox.views()
        written = self._write(views)
        if written:
            self._torn = not _views_end_line(views, written)
            self._outbox.take(written)
        return written

    def _write(self, pieces: "Sequence[Buffer]") -> int:
        """Write once; 0 when there is no room. An error closes the stream."""
        try:
            return self._writer.write(pieces)
        except BlockingIOError:
            return 0
        except OSError as error:
            self.close()
            replace_by_null(self._fd)
            self._lost(error)
            return 0

    def _wait_for_room(self) -> None:
        """Wait for poll(2); with the turn only if a line has been begun."""
        if not self._torn:
            self._turns.give_back()
        self._watching = self._writer.fd
        self._loop.watch(self._watching, select.POLLOUT, self._on_room)

    def _on_room(self, _events: int) -> None:
        self.flush()

    def _rest(self) -> None:
        """Stop waiting."""
        if self._watching >= 0:
            self._loop.unwatch(self._watching)
            self._watching = -1
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None


def _ends_line(head: bytes, data: "Data", start: int) -> bool:
    """Tell whether what was written, up to data[start], ends a line."""
    return (data[start - 1] if start else head[-1]) == LF


def _views_end_line(views: "Sequence[memoryview]", written: int) -> bool:
    """Tell whether the first `written` bytes (not 0) of the views end a line."""
    for view in views:
        if written <= len(view):
            return view[written - 1] == LF
        written -= len(view)
    return False
