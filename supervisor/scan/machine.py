"""What s6-svscan does about its services, as a whole: who begins, who ends. Pure.

Scans, ends and orders in, effects out; it reads no clock and knows no descriptor.
Behaviour: s6-svscan of s6 2.15.1.0, where docs/reference/s6-svscan.md names no
difference. What one service does is in supervisor/service/machine.py.
"""

from supervisor.scan import effects, orders
from supervisor.scan.entries import DUE, RUNNING, Entry, Side
from supervisor.scan.matching import match
from supervisor.scan.roster import NANOSECONDS_PER_SECOND, Roster

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from supervisor.scan.entries import Found
    from supervisor.scan.options import Limits
    from supervisor.scan.roster import Effects

RESTART_NS = 1 * NANOSECONDS_PER_SECOND  # after the last begin


class Machine:
    """All entries of one scan directory, until it has ended.

    Times are monotonic nanoseconds. Effects are to be carried out in order; what
    they lead to may be told before the rest of them is done.
    """

    __slots__ = ("_roster", "_stop_order")

    def __init__(self, limits: "Limits") -> None:
        self._roster = Roster(limits)
        self._stop_order = ""

    @property
    def entries(self) -> "Collection[Entry]":
        """All that is supervised, or still is."""
        return self._roster.entries.values()

    @property
    def stopping(self) -> bool:
        """Whether the whole tree ends."""
        return self._roster.stopping

    # ---- beginning

    def scanned(
        self, found: "Iterable[Found]", unclear: "Collection[bytes]", now_ns: int
    ) -> "Effects":
        """Take in what a scan found, and the names that it could not look at."""
        if not self.stopping:
            match(self._roster, found, unclear, now_ns)
        return self._roster.taken()

    def due(self, now_ns: int) -> list[Side]:
        """Give the sides to be begun now; each is answered with begun or failed."""
        return [side for side in self._roster.due if side.due_ns <= now_ns]

    def next_due_ns(self) -> int | None:
        """Tell when the next side is to be begun; None: nobody waits."""
        return min((side.due_ns for side in self._roster.due), default=None)

    def begun(self, side: Side, now_ns: int) -> "Effects":
        """Note that a side is supervised from now on."""
        self._roster.due.pop(side, None)
        side.state = RUNNING
        side.begun_ns = now_ns
        side.failures = 0
        side.reason = b""
        if self._roster.ending(side):
            # A logger, begun only to read what is left.
            self._roster.do(effects.DRAIN, side)
        else:
            side.revived = False
        return self._roster.taken()

    def failed(self, side: Side, reason: bytes, now_ns: int) -> "Effects":
        """Note that a side cannot be supervised; its reason is told when it is new.

        It is tried again; s6-svscan does so each second, for ever.
        """
        if reason != side.reason:
            side.reason = reason
            self._roster.do(effects.NOT_BEGUN, side)
        self._delay(side, now_ns)
        return self._roster.taken()

    def postponed(self, side: Side, now_ns: int) -> "Effects":
        """Note that a side could not be begun, and that it is not to blame."""
        self._delay(side, now_ns)
        return self._roster.taken()

    def replaced(self, side: Side, now_ns: int) -> "Effects":
        """Note that another directory has the side's name now."""
        self._delay(side, now_ns)
        if not self.stopping:
            self._roster.do(effects.SCAN_SOON)
        return self._roster.taken()

    def _delay(self, side: Side, now_ns: int) -> None:
        if self._roster.ending(side):
            self._over(side)
        else:
            self._roster.delay(side, now_ns)

    # ---- ending

    def ended(self, side: Side, lines_left: bool, now_ns: int) -> "Effects":
        """Note the end of a supervision.

        `lines_left`: it was a logger, wanted up, and its pipe is not empty or its
        service still lives. (Of the catch-all logger: the supervisor can write.)
        """
        roster = self._roster
        entry = side.entry
        reads = side.is_log or entry.is_catch_all
        if side.is_log and self._has_successor(entry):
            self._swap(entry, now_ns)
        elif not roster.ending(side):
            roster.begin_at(side, max(now_ns, side.begun_ns + RESTART_NS))
        elif reads and lines_left and not (entry.killed or side.revived):
            side.revived = True
            roster.begin_at(side, now_ns)
        else:
            self._over(side)
        return roster.taken()

    def _has_successor(self, entry: Entry) -> bool:
        """Tell whether another logger is to read on from the same pipe."""
        going_on = entry.active and entry.writing and not self.stopping
        return going_on and entry.successor is not None

    def _swap(self, entry: Entry, now_ns: int) -> None:
        if entry.successor is not None:
            self._roster.set_logger(entry, entry.successor, now_ns)
        entry.successor = None
        self._roster.do(effects.REPLUG, entry.service)

    def _over(self, side: Side) -> None:
        self._roster.rest(side)
        self._roster.settle(side.entry)
        self._look_for_the_end()

    def _look_for_the_end(self) -> None:
        if not self.stopping or len(self.entries) > 1:
            return
        if not self.entries:
            self._roster.do(effects.LEAVE)
        elif all(entry.is_catch_all for entry in self.entries):
            self._roster.do(effects.SILENCE)

    # ---- orders

    def order(self, order: str, now_ns: int) -> "Effects":
        """Carry out one of `orders.SEQUENCE`."""
        if order in (orders.REAP, orders.ABORT):
            self._roster.do(effects.REAP if order == orders.REAP else effects.ABORT)
        elif order in (orders.STOP, orders.STOP_ALL):
            self._stop(order, now_ns)
        elif self.stopping:
            pass
        elif order == orders.SCAN:
            self._roster.do(effects.SCAN)
        else:
            self._prune(order, now_ns)
        return self._roster.taken()

    def abandon(self) -> None:
        """Begin nobody any more, and leave those who are supervised alone."""
        self._roster.stopping = True
        for entry in list(self.entries):
            entry.active = False
            for side in (entry.service, entry.logger):
                if side is not None and side.state == DUE:
                    self._roster.rest(side)
            self._roster.settle(entry)

    def _stop(self, order: str, now_ns: int) -> None:
        """End all services; a second stop only concerns who was spared by the first.

        A tree that stops is told so again by the finish scripts of its services:
        their TERM must not be repeated, some would take it for impatience.
        """
        if self._stop_order in (order, orders.STOP_ALL):
            return
        first = not self._stop_order
        self._stop_order = order
        self._roster.stopping = True
        entries = list(self.entries)
        for entry in entries:
            entry.killed = entry.killed or order == orders.STOP_ALL
            if first or entry.is_catch_all:
                self._end_service(entry, now_ns)
        for entry in entries:
            self._end_logger(entry, now_ns)
        for entry in entries:
            self._roster.settle(entry)
        self._look_for_the_end()

    def _prune(self, order: str, now_ns: int) -> None:
        """End what the last scan did not find."""
        for entry in list(self.entries):
            logger = entry.logger
            if not entry.active:
                entry.killed = order == orders.PRUNE_ALL
                self._end_service(entry, now_ns)
                self._end_logger(entry, now_ns)
                self._roster.settle(entry)
            elif logger is not None and not logger.kept and logger.state == RUNNING:
                self._retire(entry, logger, order)

    def _retire(self, entry: Entry, logger: Side, order: str) -> None:
        """End a logger whose service stays.

        A successor reads on where it stopped. Without one, the last that can
        write to it is the service, as long as it is not started again.
        """
        if entry.successor is not None or order == orders.PRUNE_ALL:
            self._roster.do(effects.TERMINATE, logger)
        else:
            self._roster.close_writing(entry)
            self._roster.do(effects.DRAIN, logger)

    def _end_service(self, entry: Entry, now_ns: int) -> None:
        side = entry.service
        spared = entry.is_catch_all and not entry.killed
        if side.state == RUNNING:
            self._roster.do(effects.DRAIN if spared else effects.TERMINATE, side)
        elif spared and side.state == DUE:
            side.due_ns = now_ns  # for what it has not read yet
        else:
            self._roster.rest(side)

    def _end_logger(self, entry: Entry, now_ns: int) -> None:
        side = entry.logger
        if side is None:
            return
        if side.state == RUNNING:
            kill = effects.TERMINATE if entry.killed else effects.DRAIN
            self._roster.do(kill, side)
        elif entry.killed:
            self._roster.rest(side)
        elif side.state == DUE:
            # It was dead at that moment: once more, for what is in the pipe.
            side.due_ns = now_ns
