"""The way of one action's lines to its output, where there is more to do on it.

Lines of a trace become one event (`@join`), a limit is kept (`@rate`), records are
formed (`@tag`, `@json`). What waits on the way waits in memory: an event that may
go on, for half a second at most; and the news that lines were dropped.
"""

import time

from s6log.outputs.account import RATE
from s6log.outputs.outbox import dropped_text
from s6log.stream.forming import line_of
from s6log.stream.rates import RateLimit, first_lines
from s6log.unix.fds import MS_PER_SECOND, NANOSECONDS_PER_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from s6log.outputs.account import Account
    from s6log.outputs.feed import Parcel
    from s6log.script.model import Rate
    from s6log.stream.blocks import Data
    from s6log.stream.events import Joiner
    from s6log.stream.forming import Former
    from s6log.unix.loop import Loop, Timer

EVENT_MS = 500  # that an event may take, from its first line on


class Lane:
    """One action's lines. `emit`, to be set, gets what leaves later than its block."""

    def __init__(
        self,
        loop: "Loop",
        former: "Former",
        joiner: "Joiner | None",
        rate: "Rate | None",
        account: "Account",
    ) -> None:
        self._loop = loop
        self.former = former
        self._joiner = joiner
        self._rate = rate
        self._passing: RateLimit | None = None
        if rate is not None:
            period_ns = rate.period_ms * NANOSECONDS_PER_MS
            self._passing = RateLimit(rate.lines, period_ns)
        self._account = account
        self.emit: Callable[[list[Parcel]], None]
        self._begun_ns = 0  # when the first line of the event that is held came
        self._event_end: Timer | None = None
        self._period_end: Timer | None = None

    def take(self, data: "Data", end: int, now_ns: int) -> "list[Parcel]":
        """Send data[:end], whole lines, on their way; give what leaves now."""
        if self._joiner is None:
            return self._pass(data, end, now_ns)
        began_ns = self._begun_ns
        was_held = self._joiner.held > 0
        joined = self._joiner.joined
        old, new, new_end = self._joiner.feed(data, end)
        self._account.joined += self._joiner.joined - joined
        self._watch_event(was_held and not old, now_ns)
        parcels = self._pass(old, len(old), began_ns) if old else []
        if new_end:
            parcels += self._pass(new, new_end, now_ns)
        return parcels

    @property
    def waits(self) -> bool:
        """Something will leave later: an event, or news of what was dropped."""
        return self._event_end is not None or self._period_end is not None

    def flush(self) -> "list[Parcel]":
        """Wait no longer: give what was held, and tell what was dropped."""
        parcels = self._finish_event()
        if self._period_end is not None:
            self._period_end.cancel()
            parcels += self._tell(self._close_period())
        return parcels

    def line(self, text: bytes) -> bytes:
        """Make a record of something that the logger has to say here."""
        return line_of(self.former, text, time.time_ns())

    # ---- events

    def _watch_event(self, same: bool, now_ns: int) -> None:
        """See to it that an event does not wait for ever, if one is held."""
        if self._event_end is not None and not same:
            self._event_end.cancel()
            self._event_end = None
        if self._joiner is not None and self._joiner.held and self._event_end is None:
            self._begun_ns = now_ns
            self._event_end = self._loop.after(EVENT_MS, self._on_event_end)

    def _on_event_end(self) -> None:
        self.emit(self._finish_event(goes_on=True))

    def _finish_event(self, goes_on: bool = False) -> "list[Parcel]":
        if self._event_end is not None:
            self._event_end.cancel()
            self._event_end = None
        if self._joiner is None or not self._joiner.held:
            return []
        joined = self._joiner.joined
        event = self._joiner.pause() if goes_on else self._joiner.flush()
        self._account.joined += self._joiner.joined - joined
        return self._pass(event, len(event), self._begun_ns)

    # ---- a limit

    def _pass(self, data: "Data", end: int, now_ns: int) -> "list[Parcel]":
        """Form records of the lines that may pass."""
        lines = 0
        if self._passing or self._account.counting:
            lines = self._account.count(data, 0, end)
        if self._account.counting:
            self._account.selected += lines
        parcels: list[Parcel] = []
        if self._passing:
            parcels = self._tell(self._close_period(time.monotonic_ns()))
            allowed = self._passing.admit(lines)
            if allowed < lines:
                self._account.drop(lines - allowed, RATE)
                self._watch_period()
                end = first_lines(data, end, allowed)
        if end:
            head, body, body_end = self.former.piece(data, end, now_ns)
            parcels.append((head, body, body_end, True, 0))
        return parcels

    def _close_period(self, now_ns: int | None = None) -> int:
        """End the period, if it is over or no time is given; give what it dropped."""
        if self._passing is None:
            return 0
        dropped = self._passing.settle(
            self._passing.ends_ns if now_ns is None else now_ns
        )
        if now_ns is None:
            # No line has come yet that the next period could begin with.
            self._passing.ends_ns = 0
        if dropped and self._period_end is not None:
            self._period_end.cancel()
            self._period_end = None
        return dropped

    def _watch_period(self) -> None:
        """See to it that what is dropped is told when the period is over."""
        if self._period_end is None and self._passing is not None:
            left_ns = self._passing.ends_ns - time.monotonic_ns()
            delay_ms = max(0, left_ns // NANOSECONDS_PER_MS + 1)
            self._period_end = self._loop.after(delay_ms, self._on_period_end)

    def _on_period_end(self) -> None:
        self._period_end = None
        self.emit(self._tell(self._close_period()))

    def _tell(self, dropped: int) -> "list[Parcel]":
        """Make a record that says how many lines did not pass."""
        if not dropped or self._rate is None:
            return []
        seconds = self._rate.period_ms // MS_PER_SECOND
        why = b"more than %d in %d s" % (self._rate.lines, seconds)
        record = self.line(dropped_text(dropped, why))
        return [(b"", record, len(record), False, dropped)]
