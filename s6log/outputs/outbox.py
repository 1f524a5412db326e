"""Bytes that an output could not write yet, in order; and what gives way."""

import time

from s6log.outputs.account import CLOSED, FULL, Account
from s6log.script.model import BLOCK, DROP_NEWEST, DROP_OLDEST, USUAL_LIMIT
from s6log.unix.tai64n import NANOSECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from s6log.script.model import Limit
    from s6log.stream.blocks import Data

IOV_MAX = 64  # pieces for one writev(2); the system's limit is 1024
PIECE_BYTES = 64 << 10  # smaller ones are joined, or each line would cost its own
LF = 0x0A
LF_BYTE = b"\n"


class Backlog:
    """How many bytes all outboxes of a logger hold together."""

    __slots__ = ("size",)

    def __init__(self) -> None:
        self.size = 0


class Piece:
    """Some whole lines; what is not `counted` are the logger's own words.

    `missing` is how many lines it tells of, the first of them missed at `since_ns`.
    """

    __slots__ = ("counted", "data", "missing", "since_ns")

    def __init__(self, counted: bool, missing: int = 0, since_ns: int = 0) -> None:
        self.data = bytearray()
        self.counted = counted
        self.missing = missing
        self.since_ns = since_ns


class Outbox:
    """A queue of pieces, each ending on an LF; the first may have begun to leave.

    `begun` says that the first line has: it leaves whole, whatever happens. With a
    policy to drop lines, size stays within the limit, but for a line that is alone,
    and for the marks.
    Where lines are missing there will be a line that says so, made by `mark`.
    """

    __slots__ = (
        "_account",
        "_backlog",
        "_missing",
        "_pieces",
        "_since_ns",
        "_start",
        "begun",
        "careful",
        "limit",
        "lines",
        "mark",
        "size",
    )

    def __init__(
        self,
        backlog: Backlog,
        limit: "Limit" = USUAL_LIMIT,
        account: "Account | None" = None,
    ) -> None:
        self._backlog = backlog
        self.limit = limit
        self._account = account or Account(counting=False)
        # A list is good enough: its pieces are large, so there are few.
        self._pieces: list[Piece] = []
        self._start = 0  # of what is left of the first piece
        self._missing = 0  # lines dropped since the last mark
        self._since_ns = 0
        self.begun = False
        self.careful = False  # to be written in atomic pieces
        self.mark: Callable[[bytes], bytes] = plain_mark
        self.size = 0
        self.lines = 0  # counted ones, if anybody counts

    @property
    def counting(self) -> bool:
        """Somebody wants to know how many lines there are."""
        return self._account.counting

    @property
    def patient(self) -> bool:
        """Whoever fills it has to wait when it is full: nothing is dropped."""
        return self.limit.full == BLOCK

    def add(  # noqa: PLR0913, PLR0917 - a part of a block, and what it is
        self,
        head: bytes,
        data: "Data",
        start: int,
        end: int,
        counted: bool = True,
        missing: int = 0,
    ) -> None:
        """Append head + data[start:end], copied: its buffer may be reused.

        When that is too much, lines are dropped: at the end of this, or the oldest.
        What is not counted may tell of so many `missing` lines.
        """
        if self.limit.full == DROP_NEWEST:
            whole = end
            end = self._within(head, data, start, end, counted)
            if end < whole:
                self._miss_again(missing)
            if start == end:
                return
        piece = self._last(counted)
        if missing:
            piece = Piece(False, missing, time.monotonic_ns())
            self._pieces.append(piece)
        piece.data += head
        piece.data += memoryview(data)[start:end]
        self._count(len(head) + end - start)
        if counted and self.counting:
            self.lines += self._account.lines(head, data, start, end)
        if self.limit.full == DROP_OLDEST:
            self._drop_oldest()

    def views(self) -> list[memoryview]:
        """Give the first pieces, as many as one writev(2) should get."""
        self._tell_of_oldest()
        views = [memoryview(piece.data) for piece in self._pieces[:IOV_MAX]]
        views[0] = views[0][self._start :]
        return views

    def first(self) -> tuple[bytearray, int]:
        """Give the first piece and where what is left of it begins."""
        self._tell_of_oldest()
        return self._pieces[0].data, self._start

    def take(self, count: int) -> None:
        """Forget the first `count` bytes: they have been written."""
        if not count:
            return
        self._forget(count)
        if self._missing and not self.size:
            self._tell()

    def to_line_end(self, limit: int) -> memoryview:
        """Give the beginning, up to an LF.

        As many whole lines of the first piece as fit into `limit` bytes; a first
        line that does not fit comes alone.
        """
        piece, start = self.first()
        end = piece.rfind(b"\n", start, start + limit) + 1
        return memoryview(piece)[start : end or piece.find(b"\n", start) + 1]

    def clear(self, reason: bytes = CLOSED) -> int:
        """Drop everything; give how many lines nobody will hear of any more.

        Those that were pending, and those dropped before that no line has told of.
        """
        lines = 0
        told = self._missing
        for number, piece in enumerate(self._pieces):
            told += piece.missing
            if piece.counted:
                lines += piece.data.count(LF_BYTE, 0 if number else self._start)
        self._account.drop(lines, reason)
        self._count(-self.size)
        self._pieces.clear()
        self._start = self.lines = self._missing = 0
        self.begun = False
        return lines + told

    def break_line(self) -> None:
        """End a line of somebody else's, which was given up, before what is pending."""
        if self.size:
            self._trimmed()
            piece = Piece(counted=False)
            piece.data += LF_BYTE
            self._pieces.insert(0, piece)
            self._count(len(LF_BYTE))
            self.begun = True

    # ---- dropping

    def _within(
        self, head: bytes, data: "Data", start: int, end: int, counted: bool
    ) -> int:
        """Give the end of what there is room for, whole lines; drop the rest.

        If lines are missing, that is told before what comes behind them: both have
        to fit. Else the marks would grow without end, with a slow reader.
        """
        room = self.limit.buffer_bytes - self.size - len(head)
        mark = None
        if self._missing and room > 0:
            mark = self._marked()
            room -= len(mark.data)
        cut = end
        if end - start > room:
            cut = data.rfind(LF_BYTE, start, start + max(0, room)) + 1
        if cut == 0:
            # What is alone, or has begun to leave, is kept whatever its size.
            cut = start if self.size else data.find(LF_BYTE, start, end) + 1
        if cut > start and mark is not None:
            self._put(mark, len(self._pieces))
        if cut < end and counted:
            self._miss(data.count(LF_BYTE, cut, end))
        return cut

    def _drop_oldest(self) -> None:
        """Drop lines from the front until the rest is within the limit."""
        while self.size > self.limit.buffer_bytes:
            place = self._apart() if self.begun else 0
            if place >= len(self._pieces):
                return
            piece = self._pieces[place]
            start = 0 if place else self._start
            excess = self.size - self.limit.buffer_bytes
            cut = len(piece.data)
            if excess < cut - start:
                cut = piece.data.find(LF_BYTE, start + excess - 1) + 1
            if cut == len(piece.data) and place == len(self._pieces) - 1:
                # The last line stays, if it is all that is left.
                cut = piece.data.rfind(LF_BYTE, start, cut - 1) + 1
                if cut <= start:
                    return
            self._cut(place, start, cut)

    def _cut(self, place: int, start: int, cut: int) -> None:
        """Drop what is between two offsets of a piece, the first its beginning."""
        piece = self._pieces[place]
        if piece.counted:
            lines = piece.data.count(LF_BYTE, start, cut)
            self._miss(lines)
            self.lines -= lines if self.counting else 0
        elif piece.missing:
            # What is dropped told of others: the next one will tell of them, too.
            self._miss_again(piece.missing)
            self._since_ns = piece.since_ns
        self._count(start - cut)
        del piece.data[:cut]
        if not place:
            self._start = 0
        if not piece.data:
            del self._pieces[place]

    def _apart(self) -> int:
        """Give the line that has begun a piece of its own; where the next one is."""
        piece = self._pieces[0]
        end = piece.data.find(LF_BYTE, self._start) + 1
        if end < len(piece.data):
            rest = Piece(piece.counted)
            rest.data += piece.data[end:]
            del piece.data[end:]
            self._pieces.insert(1, rest)
        return 1

    def _miss(self, lines: int) -> None:
        if not self._missing:
            self._since_ns = time.monotonic_ns()
        self._missing += lines
        self._account.drop(lines, FULL)

    def _miss_again(self, lines: int) -> None:
        """Have lines told of anew, which were counted when they were dropped."""
        if not self._missing:
            self._since_ns = time.monotonic_ns()
        self._missing += lines

    def _tell_of_oldest(self) -> None:
        """Tell of dropped lines before what is about to be written: they were older."""
        if self._missing and self.limit.full == DROP_OLDEST:
            self._tell()

    def _tell(self) -> None:
        """Put the line that tells of missing ones where they are missing."""
        place = len(self._pieces)
        if self.limit.full == DROP_OLDEST and self._pieces:
            place = self._apart() if self.begun else self._trimmed()
        self._put(self._marked(), place)

    def _marked(self) -> Piece:
        """Make the line that tells of missing ones."""
        piece = Piece(False, self._missing, self._since_ns)
        lasted_ns = time.monotonic_ns() - self._since_ns
        text = b"buffer full for %d s" % -(-lasted_ns // NANOSECONDS)
        piece.data += self.mark(dropped_text(self._missing, text))
        return piece

    def _put(self, mark: Piece, place: int) -> None:
        """Put the line that tells of missing ones in a place; none is, any more."""
        self._pieces.insert(place, mark)
        self._missing = 0
        self._count(len(mark.data))

    def _trimmed(self) -> int:
        """Forget the part of the first piece that has left; where the rest begins."""
        del self._pieces[0].data[: self._start]
        self._start = 0
        return 0

    # ---- counting

    def _last(self, counted: bool) -> Piece:
        """Give the piece to append to."""
        if self._pieces:
            last = self._pieces[-1]
            alike = last.counted == counted and not last.missing
            if alike and len(last.data) < PIECE_BYTES:
                return last
        self._pieces.append(Piece(counted))
        return self._pieces[-1]

    def _forget(self, count: int) -> None:
        self._count(-count)
        left = count
        last = LF
        lines = 0
        while left:
            piece = self._pieces[0]
            end = min(self._start + left, len(piece.data))
            if piece.counted and self.counting:
                lines += self._account.count(piece.data, self._start, end)
            left -= end - self._start
            last = piece.data[end - 1]
            self._start = end
            if end == len(piece.data):
                del self._pieces[0]
                self._start = 0
        self.begun = last != LF
        self.lines -= lines
        if self.counting:
            self._account.wrote(lines, count)

    def _count(self, change: int) -> None:
        self.size += change
        self._backlog.size += change


def plain_mark(text: bytes) -> bytes:
    """Make a line of a text."""
    return text + b"\n"


def dropped_text(lines: int, why: bytes) -> bytes:
    """Say how many lines are missing, and why."""
    noun = b"line" if lines == 1 else b"lines"
    return b"s6-log: %d %b dropped (%b)" % (lines, noun, why)
