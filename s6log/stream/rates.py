"""How many lines may pass in a period (`@rate`). Pure."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.stream.blocks import Data

LF = b"\n"


class RateLimit:
    """At most `lines` lines in each period, which begins with the first line.

    Times are nanoseconds of a clock that is never set back.
    """

    __slots__ = ("_lines", "_passed", "_period_ns", "dropped", "ends_ns")

    def __init__(self, lines: int, period_ns: int) -> None:
        self._lines = lines
        self._period_ns = period_ns
        self._passed = 0
        self.dropped = 0  # in this period
        self.ends_ns = 0  # of this period

    def settle(self, now_ns: int) -> int:
        """Begin a new period if the old one is over; give what that one dropped."""
        if now_ns < self.ends_ns:
            return 0
        self.ends_ns = now_ns + self._period_ns
        dropped, self.dropped = self.dropped, 0
        self._passed = 0
        return dropped

    def admit(self, lines: int) -> int:
        """Give how many of so many lines may pass now; the others are dropped."""
        allowed = min(lines, self._lines - self._passed)
        self._passed += allowed
        self.dropped += lines - allowed
        return allowed


def first_lines(data: "Data", end: int, count: int) -> int:
    """Give where the first `count` lines of data[:end] end; it has more."""
    if count == 0:
        return 0
    rest = data[:end].split(LF, count)[-1]
    return end - len(rest)
