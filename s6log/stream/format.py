"""Records: what stands before a line, and lines cut to a size. Pure.

A record is [TAI64N SP] [date SP SP] [tag] [prefix SP] line LF, always in this order:
that of s6-log, whatever the order of `t`, `T` and `p` in the script; the tag is ours.
"""

from s6log.stream.blocks import has_longer
from s6log.stream.stamps import Iso, Tai64n

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from time import struct_time
    from typing import Protocol

    from s6log.script.model import Format
    from s6log.stream.blocks import Data

    class Clock(Protocol):
        """What writes a clock reading in some form."""

        def at(self, now_ns: int, /) -> bytes:
            """Write an instant, in nanoseconds since the epoch."""

    Clocks = Mapping[tuple[bytes, bytes], Clock]
    """Clocks by form and zone, as in Format.date."""

STAMP_BYTES = 1 + 24 + len(" ")
ISO_BYTES = len("1970-01-01 00:00:00.000000000  ")
ELLIPSIS = b"..."
USUAL = (b"", b"")  # form and zone of `T`
BREAK = b"\\n"  # how a line break inside an event is shown; a NUL stands for it


def prefix_size(format_: "Format") -> int:
    """Give the size in bytes of what `format_` puts before each line."""
    size = len(format_.prefix) + 1 if format_.prefix else 0
    size += len(format_.tagged) + format_.stamp * STAMP_BYTES
    if not format_.iso:
        return size
    if not format_.date[0]:
        return size + ISO_BYTES
    from s6log.stream import times

    return size + times.size(format_.date[0]) + len("  ")


class Prefixes:
    """The prefix of each Format at one instant: that of the block.

    `clocks` are those for dates of another form or zone than the usual.
    """

    __slots__ = ("_cache", "_clocks", "_now_ns", "_tai64n")

    def __init__(
        self,
        localtime: "Callable[[float], struct_time]",
        clocks: "Clocks | None" = None,
    ) -> None:
        self._clocks: Clocks = {USUAL: Iso(localtime), **(clocks or {})}
        self._tai64n = Tai64n()
        self._now_ns = 0
        self._cache: dict[Format, bytes] = {}

    def at(self, now_ns: int) -> None:
        """Set the instant, in nanoseconds since the epoch."""
        self._now_ns = now_ns
        self._cache.clear()

    def of(self, format_: "Format") -> bytes:
        """Give the bytes before each line; may be empty."""
        prefix = self._cache.get(format_)
        if prefix is None:
            prefix = self._cache[format_] = self._make(format_)
        return prefix

    def _make(self, format_: "Format") -> bytes:
        prefix = format_.prefix + b" " if format_.prefix else b""
        prefix = format_.tagged + prefix
        if format_.iso:
            date = self._clocks[format_.date].at(self._now_ns)
            prefix = date + b"  " + prefix
        if format_.stamp:
            prefix = self._tai64n.at(self._now_ns) + b" " + prefix
        return prefix


def prefixed(data: "Data", end: int, prefix: bytes) -> tuple[bytes, "Data", int]:
    """Put a prefix before each line of data[:end], not empty; give head and body.

    One replace. The first prefix goes out beside the result instead of in front of
    it, and the one behind the last LF is left out by the end: copying to put either
    right would cost as much again.
    """
    if not prefix:
        return b"", data, end
    body = data[:end].replace(b"\n", b"\n" + prefix)
    return prefix, body, len(body) - len(prefix)


def repeat(data: "Data", end: int, prefixes: "Sequence[bytes]") -> bytes:
    """Write each line of data[:end] once per prefix, line by line."""
    lines = bytes(memoryview(data)[: end - 1]).split(b"\n")
    return b"".join([prefix + line + b"\n" for line in lines for prefix in prefixes])


def shorten(data: "Data", end: int, limit: int) -> tuple["Data", int]:
    """Cut each line longer than limit + 3 bytes to `limit` bytes and `...`.

    limit 0 cuts nothing. Returns (data, end) of whole lines (s6-log's `E`).
    """
    keep = limit + len(ELLIPSIS)
    if limit == 0 or not has_longer(data, end, keep):
        return data, end
    lines = bytes(memoryview(data)[: end - 1]).split(b"\n")
    cut = b"\n".join([cut_line(line, limit) for line in lines]) + b"\n"
    return cut, len(cut)


def cut_line(line: bytes, limit: int) -> bytes:
    """Cut one line without its LF, as `shorten` does."""
    if limit == 0 or len(line) <= limit + len(ELLIPSIS):
        return line
    return line[:limit] + ELLIPSIS


def status_record(record: bytes, size: int) -> tuple[bytes, int]:
    """Fit a record, LF included, into a status file of `size` bytes (`^`).

    Returns (bytes, count of LFs to pad with): a record that is too long loses
    its end, LF included; size 0 takes it as it is.
    """
    if size == 0:
        return record, 0
    if len(record) > size:
        return record[:size], 0
    return record, size - len(record)
