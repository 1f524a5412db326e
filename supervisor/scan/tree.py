"""A scan directory under supervision: the machine's effects, carried out in turn.

Nothing here waits: what takes long is done in slices, one in each turn of the
loop.
"""

import time

from supervisor.scan import effects, orders, scanner
from supervisor.scan.complaints import Complaints
from supervisor.scan.entries import DUE
from supervisor.scan.machine import Machine
from supervisor.scan.supervisions import Replaced, Shortage, Supervisions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from s6log.unix.loop import Timer
    from supervisor.scan.entries import Entry, Side
    from supervisor.scan.options import Options
    from supervisor.scan.roster import Effects
    from supervisor.scan.supervisions import Outlets
    from supervisor.service.host import Host
    from supervisor.service.service import Service

BEGIN_AT_ONCE = 16  # sides; then orders and deaths get their turn
UNREADABLE_MS = 5000  # the scan directory
UNCLEAR_MS = 4000  # an entry of it


class Tree:
    """All services of the working directory; `leaving` is set when it is over.

    `leaving` is then effects.LEAVE or effects.ABORT. `silence` is called when
    nobody but the catch-all logger is left.
    """

    __slots__ = (
        "_applying",
        "_asked",
        "_begin_timer",
        "_begin_waits",
        "_complaints",
        "_host",
        "_machine",
        "_name_max",
        "_period_ms",
        "_saw_all",
        "_scan_timer",
        "_scan_waits",
        "_shortage",
        "_silence",
        "_supervisions",
        "leaving",
    )

    def __init__(
        self,
        host: "Host",
        options: "Options",
        outlets: "Outlets",
        silence: "Callable[[], None]",
    ) -> None:
        self.leaving = ""
        self._host = host
        self._machine = Machine(options.limits)
        self._supervisions = Supervisions(host, outlets, self._ended)
        self._complaints = Complaints(host.messages)
        self._name_max = options.limits.name
        self._period_ms = options.timeout_ms
        self._silence = silence
        self._asked: Effects = []
        self._applying = False
        self._begin_timer: Timer | None = None
        self._scan_timer: Timer | None = None
        self._begin_waits = self._scan_waits = False  # for the next turn
        self._saw_all = False  # in the last scan
        self._shortage = b""  # what has been told of it

    @property
    def stopping(self) -> bool:
        """Whether the end has been ordered."""
        return self._machine.stopping

    @property
    def entries(self) -> "Collection[Entry]":
        """All that is supervised, or is to be."""
        return self._machine.entries

    def service(self, side: "Side") -> "Service | None":
        """Give what is supervised on a side, if it is."""
        return self._supervisions.service(side)

    # ---- what happens

    def order(self, wanted: "Iterable[str]") -> None:
        """Carry out orders that came together."""
        for order in orders.in_sequence(wanted):
            self._apply(self._machine.order(order, time.monotonic_ns()))

    def hear(self, letters: bytes) -> None:
        """Carry out what was written into the control FIFO."""
        wanted, unknown = orders.merge(letters)
        if unknown:
            shown = repr(unknown)[2:-1].encode()  # one line, whatever is in it
            self._host.messages.warn(b"received unknown control command: " + shown)
        self.order(wanted)

    def _ended(self, side: "Side", lines_left: bool) -> None:
        now_ns = time.monotonic_ns()
        self._apply(self._machine.ended(side, lines_left, now_ns))

    def abandon(self) -> None:
        """Keep what is supervised going in this process, forked from the supervisor.

        It begins nobody and signals nobody by itself; `leaving` is set when all
        have ended.
        """
        self.leaving = ""
        self._machine.abandon()
        self._supervisions.disown()
        self._apply(self._machine.scanned((), (), time.monotonic_ns()))

    def resume(self) -> None:
        """Go on after an error that may have kept others from their turn."""
        self._begin_waits = self._scan_waits = False
        self._apply([])

    # ---- effects

    def _apply(self, asked: "Effects") -> None:
        """Carry out effects; those that come up meanwhile follow in order."""
        self._asked += asked
        if self._applying:
            return
        self._applying = True
        try:
            while self._asked:
                effect, side = self._asked.pop(0)
                if side is None:
                    FOR_ALL[effect](self)
                else:
                    FOR_ONE[effect](self, side)
        finally:
            self._applying = False
        self._plan()

    def _reap(self) -> None:
        self._host.loop.reap_children()

    def _leave(self) -> None:
        self.leaving = self.leaving or effects.LEAVE

    def _abort(self) -> None:
        self.leaving = self.leaving or effects.ABORT

    def _be_silent(self) -> None:
        self._silence()

    def _make_pipe(self, side: "Side") -> None:
        self._supervisions.make_pipe(side)

    def _close_writing(self, side: "Side") -> None:
        self._supervisions.close_writing(side)

    def _close_reading(self, side: "Side") -> None:
        self._supervisions.close_reading(side)

    def _replug(self, side: "Side") -> None:
        self._supervisions.replug(side)

    def _terminate(self, side: "Side") -> None:
        self._supervisions.terminate(side)

    def _forget(self, side: "Side") -> None:
        self._supervisions.forget(side)

    def _drain(self, side: "Side") -> None:
        self._supervisions.drain(side)

    def _tell_of_too_many(self, side: "Side") -> None:
        what = b"unable to start supervisor for " + side.name
        self._complaints.add(what + b": too many services", None)

    def _tell_of_moved_log(self, side: "Side") -> None:
        text = b"logger for service " + side.entry.name + b" has been moved"
        self._host.messages.warn(text)

    def _tell_of_failure(self, side: "Side") -> None:
        text = b"unable to supervise " + side.name + b": " + side.reason
        self._host.messages.warn(text)

    # ---- scans

    def scan(self) -> None:
        """Look at the directory, and plan the next look."""
        self._scan_waits = False
        if self.stopping:
            return
        self._complaints.begin()
        try:
            self._host.spawner.go_home()
            sight = scanner.look(self._name_max)
        except OSError as error:
            self._complaints.add(b"unable to read the scan directory", error)
            self._scan_after(UNREADABLE_MS)
            return
        for complaint in sight.complaints:
            self._complaints.add(*complaint)
        self._saw_all = not sight.unclear
        now_ns = time.monotonic_ns()
        self._apply(self._machine.scanned(sight.found, sight.unclear, now_ns))
        self._tell_of_short_pipes()
        self._scan_after(UNCLEAR_MS if sight.unclear else 0)

    def _scan_soon(self) -> None:
        if not self._scan_waits:
            self._scan_waits = True
            self._host.loop.again(self.scan)

    def _scan_after(self, retry_ms: int) -> None:
        """Set the timer to a retry or to the period, whichever is sooner; 0: none."""
        if self._scan_timer is not None:
            self._scan_timer.cancel()
            self._scan_timer = None
        delays = [delay for delay in (retry_ms, self._period_ms) if delay]
        if delays and not self.stopping:
            self._scan_timer = self._host.loop.after(min(delays), self.scan)

    def _tell_of_short_pipes(self) -> None:
        short = self._supervisions.short
        if short:
            text = (
                b"%d log pipes are short (pipe(7), pipe-user-pages-soft), first of %s"
            )
            self._host.messages.warn(text % (len(short), short[0].name))
            short.clear()

    # ---- beginning

    def _plan(self) -> None:
        """See to it that those who are due are begun then."""
        if self._begin_timer is not None:
            self._begin_timer.cancel()
            self._begin_timer = None
        due_ns = self._machine.next_due_ns()
        if due_ns is None and self._saw_all:
            # All have begun: what is left of another supervisor's, nobody claims.
            self._host.safe.clear()
        if due_ns is None or self._begin_waits or self.leaving:
            return
        if due_ns <= time.monotonic_ns():
            self._begin_waits = True
            self._host.loop.again(self._begin)
        else:
            self._begin_timer = self._host.loop.at(due_ns, self._begin)

    def _begin(self) -> None:
        self._begin_waits = False
        self._begin_timer = None
        due = self._machine.due(time.monotonic_ns())
        try:
            for side in due[:BEGIN_AT_ONCE]:
                self._begin_one(side)
        except Shortage as shortage:
            self._postpone(due, shortage.reason)
        else:
            if due:
                self._shortage = b""
        self._plan()

    def _postpone(self, due: "Iterable[Side]", reason: bytes) -> None:
        """Let all wait who are due: one more attempt would end as the last one."""
        now_ns = time.monotonic_ns()
        waiting = [side for side in due if side.state == DUE]
        if self._shortage != reason and waiting:
            text = b"unable to supervise %s and %d more: %s"
            figures = (waiting[0].name, len(waiting) - 1, reason)
            self._host.messages.warn(text % figures)
            self._shortage = reason
        for side in waiting:
            self._apply(self._machine.postponed(side, now_ns))

    def _begin_one(self, side: "Side") -> None:
        try:
            reason = self._supervisions.begin(side)
        except Replaced:
            self._apply(self._machine.replaced(side, time.monotonic_ns()))
            return
        except Shortage:
            raise
        except Exception as error:  # noqa: BLE001 - one service's bug is not the tree's
            text = f"internal error: {type(error).__name__}: {error}"
            reason = text.replace("\n", " ").encode(errors="backslashreplace")
        now_ns = time.monotonic_ns()
        if reason is None:
            self._apply(self._machine.begun(side, now_ns))
        else:
            self._apply(self._machine.failed(side, reason, now_ns))


FOR_ALL: "Mapping[str, Callable[[Tree], None]]" = {
    effects.REAP: Tree._reap,
    effects.SCAN: Tree.scan,
    effects.SCAN_SOON: Tree._scan_soon,
    effects.SILENCE: Tree._be_silent,
    effects.LEAVE: Tree._leave,
    effects.ABORT: Tree._abort,
}
FOR_ONE: "Mapping[str, Callable[[Tree, Side], None]]" = {
    effects.MAKE_PIPE: Tree._make_pipe,
    effects.CLOSE_WRITING: Tree._close_writing,
    effects.CLOSE_READING: Tree._close_reading,
    effects.REPLUG: Tree._replug,
    effects.TERMINATE: Tree._terminate,
    effects.DRAIN: Tree._drain,
    effects.FORGET: Tree._forget,
    effects.TOO_MANY: Tree._tell_of_too_many,
    effects.LOG_MOVED: Tree._tell_of_moved_log,
    effects.NOT_BEGUN: Tree._tell_of_failure,
}
"""How the effects of the machine are carried out."""
