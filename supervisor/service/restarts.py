"""When a service that has died starts again, and when no more. Pure.

What the files `backoff` and `give-up` say, and the deaths that they are about:
those that nobody asked for. Without these files, the restarts are s6's.
"""

from s6log.unix.getopt import UINT32_MAX, decimal

UNITS = {
    b"": 1000,
    b"ms": 1,
    b"s": 1000,
    b"m": 60_000,
    b"h": 3_600_000,
    b"d": 86_400_000,
}
"""Milliseconds."""
DEFAULT_FACTOR = 2
DEFAULT_MOST_MS = 60_000
MOST_DEATHS = 4096  # so many are remembered, as in supervise/death_tally
MOST_FACTOR = 1000
THOUSAND = 1000  # a factor has three decimal places
NS_PER_MS = 1_000_000
PERMANENT_FAILURE = 125 << 8  # as a wait status

# HUP and others may mean "read your settings again"; these mean "end", as a rule: to
# some programs QUIT means "show your threads". Those go on, and then it is no order.
ENDING = (2, 3, 6, 9, 15)  # SIGINT, SIGQUIT, SIGABRT, SIGKILL, SIGTERM
OBEYED_NS = 10_000 * NS_PER_MS  # in this time an order to end has been obeyed


class Backoff:
    """What `backoff` says: the first pause, what it grows by, the longest one."""

    __slots__ = ("first_ms", "most_ms", "thousandths")

    def __init__(self, first_ms: int, thousandths: int, most_ms: int) -> None:
        self.first_ms = first_ms
        self.thousandths = thousandths
        self.most_ms = most_ms

    def after(self, pause_ms: int) -> int:
        """Give the pause that follows this one; 0 stands for none."""
        grown_ms = -(-pause_ms * self.thousandths // THOUSAND)  # rounded up
        return min(max(self.first_ms, grown_ms), self.most_ms)


class Limit:
    """What `give-up` says: so many deaths within that time; `period` as it is there."""

    __slots__ = ("deaths", "period", "period_ms")

    def __init__(self, deaths: int, period_ms: int, period: bytes) -> None:
        self.deaths = deaths
        self.period_ms = period_ms
        self.period = period


class Restarts:
    """What is known of a service's deaths; times are monotonic nanoseconds.

    `unasked`: nobody asked for the last death. `final`: moreover, it is not one of
    those that `give-up` permits.
    """

    __slots__ = (
        "_asked",
        "_born_ns",
        "_deaths_ns",
        "_died_ns",
        "_ending_ns",
        "_pause_ms",
        "_ready_ns",
        "_sent",
        "final",
        "unasked",
    )

    def __init__(self) -> None:
        self.unasked = self.final = False
        # Since the start: by a command; by signals, a bit each; the last of ENDING.
        self._asked = False
        self._sent = 0
        self._ending_ns: int | None = None
        self._born_ns: int | None = None
        self._ready_ns: int | None = None
        self._died_ns = 0
        self._deaths_ns: tuple[int, ...] = ()  # those that count, oldest first
        self._pause_ms = 0  # the last one of this row

    def born(self, now_ns: int) -> None:
        """Note a start."""
        self.unasked = self.final = False
        self._asked = False
        self._sent = 0
        self._ending_ns = None
        self._born_ns = now_ns
        self._ready_ns = None

    def ready(self, now_ns: int) -> None:
        """Note that it can be used."""
        self._ready_ns = now_ns

    def ask(self) -> None:
        """Note that a command wants this life to end, however long that takes."""
        self._asked = True

    def sent(self, signum: int, now_ns: int) -> None:
        """Note that a command sent a signal."""
        self._sent |= 1 << signum
        if signum in ENDING:
            self._ending_ns = now_ns

    def died(self, now_ns: int, wait_status: int, wanted: bool) -> None:
        """Note a death; `wanted`: it was to be up, and up again."""
        self._died_ns = now_ns
        self.unasked = wanted and not self._was_asked_for(wait_status & 0x7F)
        if not self.unasked:
            self._pause_ms = 0

    def _was_asked_for(self, signum: int) -> bool:
        """Tell whether the death was; `signum` killed it, unless it is 0."""
        if self._asked or (signum and self._sent >> signum & 1):
            return True
        since_ns = self._ending_ns
        return since_ns is not None and self._died_ns - since_ns <= OBEYED_NS

    def gives_up(self, wait_status: int, limit: Limit | None) -> bytes:
        """Count the last death, which nobody asked for; tell why it is enough.

        Empty: it is not. What was counted is forgotten when it is.
        """
        reason = b"" if limit is None else self._reason(wait_status, limit)
        self.final = limit is None
        if reason:
            self.fail()
        return reason

    def fail(self) -> None:
        """Note that it has failed for good: whoever starts it again begins anew."""
        self.final = self.unasked
        self._deaths_ns = ()
        self._pause_ms = 0

    def pause_ms(self, backoff: Backoff, notifies: bool) -> int:
        """Give the pause after the last death, which nobody asked for.

        `notifies`: it runs only once it has said that it is ready.
        """
        since_ns = self._ready_ns if notifies else self._born_ns
        lived_ns = 0 if since_ns is None else self._died_ns - since_ns
        if lived_ns > backoff.most_ms * NS_PER_MS:
            self._pause_ms = 0
        self._pause_ms = backoff.after(self._pause_ms)
        return self._pause_ms

    def _reason(self, wait_status: int, limit: Limit) -> bytes:
        if wait_status == PERMANENT_FAILURE:
            return b"run exited 125"
        oldest_ns = self._died_ns - limit.period_ms * NS_PER_MS
        deaths_ns = (*self._deaths_ns, self._died_ns)[-limit.deaths :]
        self._deaths_ns = tuple(ns for ns in deaths_ns if ns >= oldest_ns)
        if len(self._deaths_ns) < limit.deaths:
            return b""
        times = b"once" if limit.deaths == 1 else b"%d times" % limit.deaths
        return b"died " + times + b" within " + limit.period


def backoff(text: bytes) -> Backoff | None:
    """Read `FIRST [xFACTOR] [MOST]`; None when it is something else."""
    words = text.split()
    if not words:
        return None
    first_ms = _duration_ms(words.pop(0))
    thousandths: int | None = DEFAULT_FACTOR * THOUSAND
    if words and words[0].startswith(b"x"):
        thousandths = _thousandths(words.pop(0)[1:])
    if first_ms is None or thousandths is None:
        return None
    most_ms: int | None = max(first_ms, DEFAULT_MOST_MS)
    if words:
        most_ms = _duration_ms(words.pop(0))
    if words or most_ms is None or most_ms < first_ms:
        return None
    return Backoff(first_ms, thousandths, most_ms)


def limit(text: bytes) -> Limit | None:
    """Read `N/PERIOD`; None when it is something else."""
    number, _, period = text.strip().partition(b"/")
    deaths = decimal(number, MOST_DEATHS)
    period_ms = _duration_ms(period)
    return Limit(deaths, period_ms, period) if deaths and period_ms else None


def _duration_ms(word: bytes) -> int | None:
    """Read digits and a unit, none meaning seconds; neither 0 nor over 49 days."""
    digits = word.rstrip(b"mshd")
    unit = UNITS.get(word[len(digits) :])
    value = decimal(digits, UINT32_MAX)
    if unit is None or not value or value * unit > UINT32_MAX:
        return None
    return value * unit


def _thousandths(factor: bytes) -> int | None:
    """Read a number from 1 with up to three decimal places, in thousandths."""
    whole, point, places = factor.partition(b".")
    if point and not 1 <= len(places) <= 3:  # noqa: PLR2004 - those of a thousandth
        return None
    value = decimal(whole + places.ljust(3, b"0"), MOST_FACTOR * THOUSAND)
    return value if whole and value and value >= THOUSAND else None
