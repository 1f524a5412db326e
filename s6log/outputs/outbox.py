"""Bytes that an output could not write yet, in order."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.stream.blocks import Data

IOV_MAX = 64  # pieces for one writev(2); the system's limit is 1024
PIECE_BYTES = 64 << 10  # smaller ones are joined, or each line would cost its own


class Backlog:
    """How many bytes all outboxes of a logger hold together."""

    __slots__ = ("size",)

    def __init__(self) -> None:
        self.size = 0


class Outbox:
    """A queue of pieces, each ending on an LF; the first may have begun to leave."""

    __slots__ = ("_backlog", "_pieces", "_start", "size")

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog
        # A list is good enough: its pieces are large, so there are few.
        self._pieces: list[bytearray] = []
        self._start = 0  # of what is left of the first piece
        self.size = 0

    def add(self, head: bytes, data: "Data", start: int, end: int) -> None:
        """Append head + data[start:end], copied: its buffer may be reused."""
        if not self._pieces or len(self._pieces[-1]) >= PIECE_BYTES:
            self._pieces.append(bytearray())
        piece = self._pieces[-1]
        piece += head
        piece += memoryview(data)[start:end]
        self._count(len(head) + end - start)

    def views(self) -> list[memoryview]:
        """Give the first pieces, as many as one writev(2) should get."""
        views = [memoryview(piece) for piece in self._pieces[:IOV_MAX]]
        views[0] = views[0][self._start :]
        return views

    def first(self) -> tuple[bytearray, int]:
        """Give the first piece and where what is left of it begins."""
        return self._pieces[0], self._start

    def take(self, count: int) -> None:
        """Forget the first `count` bytes: they have been written."""
        self._count(-count)
        self._start += count
        while self._pieces and self._start >= len(self._pieces[0]):
            self._start -= len(self._pieces.pop(0))

    def to_line_end(self, limit: int) -> memoryview:
        """Give the beginning, up to an LF.

        As many whole lines of the first piece as fit into `limit` bytes; a first
        line that does not fit comes alone.
        """
        piece, start = self._pieces[0], self._start
        end = piece.rfind(b"\n", start, start + limit) + 1
        return memoryview(piece)[start : end or piece.find(b"\n", start) + 1]

    def clear(self) -> None:
        """Forget everything."""
        self._count(-self.size)
        self._pieces.clear()
        self._start = 0

    def _count(self, change: int) -> None:
        self.size += change
        self._backlog.size += change
