"""The two stamps that s6-log puts before a line: `t` and `T`. Pure.

Both are made once per block, from the one clock reading of that block.
"""

from s6log.unix.tai64n import (
    EPOCH_OFFSET,
    LEAP_SECONDS,
    NANOSECONDS,
    ROUNDING_NS,
    label,
    tai_second,
    unix_second,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from time import struct_time

SECOND_BYTES = len("@") + 16  # of a label
LEAP_SECOND = 60  # its number in its minute


def tai64n(now_ns: int) -> bytes:
    """Give the 25 bytes of `t` for a clock reading (nanoseconds since the epoch)."""
    return Tai64n().at(now_ns)


class Tai64n:
    """Writes what `tai64n` gives; all but the nanoseconds is made once per second."""

    __slots__ = ("_second", "_text")

    def __init__(self) -> None:
        self._second: int | None = None
        self._text = b""

    def at(self, now_ns: int) -> bytes:
        """Give the 25 bytes of `t` for a clock reading."""
        second, nanoseconds = divmod(now_ns + ROUNDING_NS, NANOSECONDS)
        if second != self._second:
            self._second = second
            self._text = label(second * NANOSECONDS)[:SECOND_BYTES]
        return b"%b%08x" % (self._text, nanoseconds)


class Iso:
    """Writes `YYYY-MM-DD HH:MM:SS.nnnnnnnnn` in the zone of a localtime function.

    `localtime` is time.localtime or time.gmtime; it is called once per second.
    """

    __slots__ = ("_counts_leaps", "_localtime", "_tai_second", "_text")

    def __init__(self, localtime: "Callable[[float], struct_time]") -> None:
        self._localtime = localtime
        # Zones named right/... are for clocks that count leap seconds; this
        # moment, the first 00:00:00 after one, is 23:59:60 to them.
        self._counts_leaps = localtime(LEAP_SECONDS[0]).tm_sec == LEAP_SECOND
        self._tai_second: int | None = None
        self._text = b""

    def at(self, now_ns: int) -> bytes:
        """Give the 29 bytes of `T` for a clock reading (nanoseconds since the epoch).

        It shows the same instant as `tai64n`.
        """
        second, nanoseconds = divmod(now_ns + ROUNDING_NS, NANOSECONDS)
        return self.second(tai_second(second)) + b".%09d" % nanoseconds

    def second(self, tai_second: int) -> bytes:
        """Give `YYYY-MM-DD HH:MM:SS` of a TAI second (see s6log.unix.tai64n).

        SS is one more in a leap second: 60. OverflowError or OSError when the C library
        cannot represent it.
        """
        if tai_second != self._tai_second:
            self._text = self._write(tai_second)
            self._tai_second = tai_second
        return self._text

    def _write(self, tai_second: int) -> bytes:
        unix, leap = unix_second(tai_second)
        if self._counts_leaps:
            unix, leap = tai_second - EPOCH_OFFSET, False
        date = self._localtime(unix)[:6]
        if leap:
            # 60, but for zones that are off by some seconds: as the original.
            date = (*date[:5], date[5] + 1)
        return b"%d-%02d-%02d %02d:%02d:%02d" % date
