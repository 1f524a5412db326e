"""What has become of one output's lines, for those who want figures."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from s6log.stream.blocks import Data

    Count = Callable[[Data, int, int], int]
    """What counts the LFs of data[start:end]."""

LF = b"\n"
CLOSED, FULL, AT_END, RATE, SUPERSEDED = (
    b"closed",
    b"buffer",
    b"exit",
    b"rate",
    b"newer",
)
FAILED = b"failed"
"""Reasons for which lines are dropped."""


class Account:
    """Counts of lines: selected = written + dropped + pending, at any time.

    An event of several lines counts as one. Nothing is counted unless `counting`,
    but for dropped lines: to count costs a look at every byte.
    """

    __slots__ = (
        "count",
        "counting",
        "dropped",
        "joined",
        "selected",
        "written",
        "written_bytes",
    )

    def __init__(self, counting: bool, count: "Count | None" = None) -> None:
        self.counting = counting
        self.count = count or count_lines
        self.selected = 0
        self.written = 0
        self.written_bytes = 0
        self.joined = 0
        self.dropped: dict[bytes, int] = {}

    def lines(self, head: bytes, data: "Data", start: int, end: int) -> int:
        """Count the lines of head + data[start:end]; a prefix may have some."""
        return head.count(LF) + self.count(data, start, end)

    def drop(self, lines: int, reason: bytes) -> None:
        """Note lines that are not going to be written."""
        if lines:
            self.dropped[reason] = self.dropped.get(reason, 0) + lines

    def wrote(self, lines: int, size_bytes: int) -> None:
        """Note lines that have been written; the bytes of all of them."""
        self.written += lines
        self.written_bytes += size_bytes


def count_lines(data: "Data", start: int, end: int) -> int:
    """Count the LFs of data[start:end]."""
    return data.count(LF, start, end)
