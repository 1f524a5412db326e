"""A descriptor that others may write to as well: stdout, stderr, a command's pipe.

Written without blocking, in whole lines: a line is never torn by another of our
loggers. What does not fit waits in the outbox.
"""

import select

from s6log.outputs.account import AT_END, CLOSED, Account
from s6log.outputs.context import nothing
from s6log.outputs.outbox import Outbox
from s6log.outputs.turns import Turns
from s6log.script.model import USUAL_LIMIT
from s6log.unix.fds import PIPE_BUF, PipeSize, Writer, replace_by_null, unread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from s6log.outputs.context import Context
    from s6log.script.model import Limit
    from s6log.stream.blocks import Data
    from s6log.unix.fds import Buffer
    from s6log.unix.loop import Timer

    Part = tuple[bytes, Data, int, int, int]
    """(head, data, start, cut, end): whole lines, head + data[start:end], of which
    those up to `cut` are to be written at once."""

LF = 0x0A
# Between two attempts to get the turn that another logger has: at first, when it
# writes, and in the end, when its reader is stuck.
TURN_MS, LONGEST_TURN_MS = 2, 16


class Shared:
    """One descriptor, for all outputs that write to it: each has a port.

    `lost` is called once, with the error, when the descriptor can never be
    written to again; whatever is put afterwards is dropped. `changed` is called
    when something pending has left. Where nobody else writes, no turns are taken.
    """

    def __init__(
        self,
        context: "Context",
        fd: int,
        lost: "Callable[[OSError], None]",
        alone: bool = False,
    ) -> None:
        self._loop = context.loop
        self._backlog = context.backlog
        self._fd = fd
        self._lost = lost
        self._writer = Writer(fd)
        self._turns = Turns(fd, alone)
        self._pipe = PipeSize(fd)
        self._boxes: list[Outbox] = []
        self._retry: Timer | None = None
        self._patience_ms = TURN_MS
        self._watching = -1  # the descriptor polled for room
        self.closed = False
        self.changed: Callable[[], None] = nothing

    def port(
        self,
        limit: "Limit" = USUAL_LIMIT,
        account: "Account | None" = None,
        careful: bool = False,
    ) -> "Port":
        """Make a way in; when several have something pending, earlier ones go first.

        A careful one is written in pieces that other programs cannot tear.
        """
        account = account or Account(counting=False)
        box = Outbox(self._backlog, limit, account)
        box.careful = careful
        self._boxes.append(box)
        return Port(self, box, account)

    def send(self, port: "Port", part: "Part", counted: bool, missing: int) -> bool:
        """Write part.head + data[start:cut] now; if not all goes, keep it up to `end`.

        Tells whether everything up to `cut` has left.
        """
        head, data, start, cut, end = part
        if self._next() is not None or not self._turns.take():
            port.outbox.add(head, data, start, end, counted, missing)
            if self._retry is None and self._watching < 0:
                self._flush()
            return False
        view = memoryview(data)[start:cut]
        written = self._write((head, view) if head else (view,))
        if self.closed:
            port.lose(part, counted)
            return False
        start += max(0, written - len(head))
        port.wrote(part, start, written, counted)
        if start == cut:
            self._turns.give_back()
            return True
        self._pipe.was_full()
        port.outbox.begun = written > 0 and not _ends_line(head, data, start)
        port.outbox.add(head[written:], data, start, end, counted)
        self._wait_for_room()
        return False

    @property
    def unread(self) -> int:
        """Bytes that were written and that nobody has read, where that can be told."""
        return 0 if self.closed else unread(self._fd)

    def flush(self) -> None:
        """Write what is pending, as far as it goes."""
        self._flush()
        self.changed()

    def close(self) -> None:
        """Stop for good; what is pending is dropped."""
        self.closed = True
        for box in self._boxes:
            box.clear()
        self._rest()
        self._turns.give_back()
        self._writer.close()

    def break_line(self) -> None:
        """End the line that an output had begun and gave up, before another's."""
        for box in self._boxes:
            if box.size:
                box.break_line()
                return

    def _next(self) -> Outbox | None:
        """Give the outbox to write from: of the line that has begun, or the first."""
        found = None
        for box in self._boxes:
            if box.begun:
                return box
            if box.size and found is None:
                found = box
        return found

    def _is_ahead(self, box: Outbox) -> bool:
        """Tell whether an outbox goes before an earlier one: to end its line."""
        return box.begun and box is not next(
            other for other in self._boxes if other.size
        )

    def _flush(self) -> None:
        """Write until there is no room, no turn or nothing left; then wait for it."""
        self._rest()
        while (box := self._next()) is not None:
            if not self._turns.take():
                self._retry = self._loop.after(self._patience_ms, self.flush)
                self._patience_ms = min(2 * self._patience_ms, LONGEST_TURN_MS)
                return
            self._patience_ms = TURN_MS
            others = self._turns.wanted()
            careful = others or box.careful or self._is_ahead(box)
            written = self._write_pending(box, careful)
            if self.closed:
                return
            if written == 0:
                self._wait_for_room()
                return
            if others and not box.begun:
                self._turns.give_back()
                # Twice as long as they wait between two attempts.
                self._retry = self._loop.after(2 * TURN_MS, self.flush)
                return
        self._turns.give_back()

    def _write_pending(self, box: Outbox, to_line_end: bool) -> int:
        """Write everything, or no further than a line's end; return how much."""
        if to_line_end:
            written = self._write([box.to_line_end(0 if box.begun else PIPE_BUF)])
        else:
            written = self._write(box.views())
        # After this the outbox may change its pieces: no view of them is left.
        if not self.closed:
            box.take(written)
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
        if not any(box.begun for box in self._boxes):
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


class Port:
    """One output's way into a shared descriptor."""

    __slots__ = ("_shared", "account", "outbox")
    name = b"messages"

    def __init__(self, shared: Shared, outbox: Outbox, account: "Account") -> None:
        self._shared = shared
        self.outbox = outbox
        self.account = account

    def put(
        self,
        head: bytes,
        data: "Data",
        end: int,
        counted: bool = True,
        missing: int = 0,
    ) -> None:
        """Write head + data[:end], whole lines, or keep what does not fit.

        What is not counted may tell of so many `missing` lines.
        """
        start = 0
        while start < end:
            cut = self._piece(head, data, start, end) if self.outbox.careful else end
            part = head, data, start, cut, end
            if self._shared.closed:
                self.lose(part, counted)
                return
            if not self._shared.send(self, part, counted, missing):
                return
            start, head, missing = cut, b"", 0

    def _piece(self, head: bytes, data: "Data", start: int, end: int) -> int:
        """Give the end of the whole lines that PIPE_BUF has room for, or of one.

        Such writes are atomic (pipe(7)): programs that know nothing of turns
        cannot tear the lines either.
        """
        room = PIPE_BUF - len(head)
        cut = data.rfind(b"\n", start, min(end, start + max(0, room))) + 1
        return cut or data.find(b"\n", start, end) + 1

    def say(self, text: bytes) -> None:
        """Write whole lines that are nobody's output."""
        self.put(b"", text, len(text), counted=False)

    @property
    def unread(self) -> int:
        """Bytes that were written and that nobody has read."""
        return self._shared.unread

    def give_up(self) -> int:
        """Drop what is pending at the end; how many lines nobody will hear of."""
        begun = self.outbox.begun
        lines = self.outbox.clear(AT_END)
        if begun:
            self._shared.break_line()
        return lines

    def lose(self, part: "Part", counted: bool) -> None:
        """Count lines that have nowhere to go."""
        head, data, start, _, end = part
        if counted:
            self.account.drop(self.account.lines(head, data, start, end), CLOSED)

    def wrote(self, part: "Part", reached: int, size_bytes: int, counted: bool) -> None:
        """Count what was written at once, up to an offset of the part."""
        if self.account.counting:
            head, data, start, _, _ = part
            head = head if size_bytes >= len(head) else b""
            lines = self.account.lines(head, data, start, reached) if counted else 0
            self.account.wrote(lines, size_bytes)


def _ends_line(head: bytes, data: "Data", start: int) -> bool:
    """Tell whether what was written, up to data[start], ends a line."""
    return (data[start - 1] if start else head[-1]) == LF
