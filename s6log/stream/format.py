"""Records: what stands before a line, and lines cut to a size. Pure.

A record is [TAI64N SP] [ISO SP SP] [prefix SP] line LF, always in this order
(s6-log, whatever the order of `t`, `T` and `p` in the script).
"""

from s6log.stream.blocks import has_longer
from s6log.stream.stamps import Iso, Tai64n

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from time import struct_time

    from s6log.script.model import Format
    from s6log.stream.blocks import Data

STAMP_BYTES = 1 + 24 + len(" ")
ISO_BYTES = len("1970-01-01 00:00:00.000000000  ")
ELLIPSIS = b"..."


def prefix_size(format_: "Format") -> int:
    """Give the size in bytes of what `format_` puts before each line."""
    size = len(format_.prefix) + 1 if format_.prefix else 0
    return size + format_.stamp * STAMP_BYTES + format_.iso * ISO_BYTES


class Prefixes:
    """The prefix of each Format at one instant: that of the block."""

    __slots__ = ("_cache", "_iso", "_now_ns", "_tai64n")

    def __init__(self, localtime: "Callable[[float], struct_time]") -> None:
        self._iso = Iso(localtime)
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
        if format_.iso:
            prefix = self._iso.at(self._now_ns) + b"  " + prefix
        if format_.stamp:
            prefix = self._tai64n.at(self._now_ns) + b" " + prefix
        return prefix


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
