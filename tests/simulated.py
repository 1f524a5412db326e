"""A service without a system: a machine whose clock and processes are numbers.

For properties of supervisor.service.machine: what it asks for is done at once, to
these figures, and noted. What can never be right, whatever happened before, is
asserted here.
"""

from collections.abc import Callable

from supervisor.service import events
from supervisor.service.machine import NANOSECONDS_PER_MS, Machine, Now
from supervisor.service.status import Status, decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.service.machine import Effect
    from supervisor.service.restarts import Backoff, Limit

WALL_NS = 1_800_000_000 * 10**9
MONOTONIC_NS = 7 * 10**9
FIRST_PID = 100

# What has to be in supervise/status when listeners are told: pid, finishing, ready.
SHOWN = {
    b"u": (True, False, False),
    b"U": (True, False, True),
    b"d": (True, True, False),
    b"D": (False, False, True),
    b"dD": (False, False, True),
    b"OD": (False, False, True),
    b"dOD": (False, False, True),
}


class Simulated:
    """One service; what its directory and its programs would do can be set.

    `alive` is "run", "finish" or nothing; `record` the content of
    supervise/status; `heard` what listeners were told; `sent` the signals, as
    effects; `done` those effects that are the shell's business only. `reported` are the
    wait statuses that are told of a service that is essential; `reasons` why it was
    given up.
    """

    def __init__(self, want_up: bool = True) -> None:
        self.now = Now(WALL_NS, MONOTONIC_NS)
        self.machine = Machine(want_up, self.now.wall_ns)
        self.record = encode(self.machine.status)
        self.heard = b"s"
        self.alive = ""
        self.pid = FIRST_PID
        self.down_file = not want_up
        self.sent: list[Effect] = []
        self.done: list[str] = []
        # What the system and the service directory would say.
        self.run_works = True
        self.retry_ms = 60_000
        self.has_finish = True
        self.kill_limit_ms = 0
        self.finish_limit_ms = 5000
        self.notifies = False
        self.backoff: Backoff | None = None
        self.limit: Limit | None = None
        self.reported: list[int] = []
        self.reasons: list[bytes] = []

    @property
    def ended(self) -> bool:
        """Whether supervision is over."""
        return self.machine.state == events.ENDED

    @property
    def status(self) -> Status:
        """What supervise/status says."""
        status = decode(self.record)
        assert status is not None
        return status

    def happen(self, event: str, number: int = 0) -> None:
        """Let something happen, and do what the machine wants to be done."""
        for name, argument in self.machine.step(event, self.now, number):
            EFFECTS.get(name, Simulated._note)(self, (name, argument))

    def die(self, wait_status: int = 0) -> None:
        """Let the process that lives end."""
        event = {"run": events.DIED, "finish": events.FINISHED}[self.alive]
        self.alive = ""
        self.happen(event, wait_status)

    def advance(self, delay_ms: int) -> None:
        """Let time pass, then let deadlines pass that are over by then."""
        passed_ns = delay_ms * NANOSECONDS_PER_MS
        self.now = Now(self.now.wall_ns + passed_ns, self.now.monotonic_ns + passed_ns)
        if self.is_due():
            self.happen(events.TIMER)
        assert not self.is_due(), "it would spin"

    def is_due(self) -> bool:
        """Tell whether the shell owes the machine a TIMER."""
        due_ns = self.machine.deadline_ns
        return not self.ended and due_ns is not None and due_ns <= self.now.monotonic_ns

    def _start_run(self, _effect: "Effect") -> None:
        assert not self.alive, "two programs at once"
        assert not self.ended
        if self.run_works:
            self.alive = "run"
            self.pid += 1
            self.happen(events.STARTED, self.pid)
        else:
            self.happen(events.NOT_STARTED, self.retry_ms)

    def _start_finish(self, _effect: "Effect") -> None:
        assert not self.alive, "two programs at once"
        if self.has_finish:
            self.alive = "finish"
            self.pid += 1
            self.happen(events.FINISH_STARTED, self.pid)
        else:
            self.happen(events.NO_FINISH)

    def _write_status(self, _effect: "Effect") -> None:
        self.record = encode(self.machine.status)

    def _notify(self, effect: "Effect") -> None:
        assert isinstance(effect[1], bytes)
        assert self.record == encode(self.machine.status), "told before it is written"
        shown = self.status
        if effect[1] in SHOWN:
            said = (shown.pid != 0, shown.finishing, shown.ready)
            assert said == SHOWN[effect[1]]
        self.heard += effect[1]

    def _send(self, effect: "Effect") -> None:
        assert self.alive, "nobody is there to get a signal"
        self.sent.append(effect)

    def _limit(self, effect: "Effect") -> None:
        dying = effect[0] == events.LIMIT_DYING
        limit_ms = self.kill_limit_ms if dying else self.finish_limit_ms
        if limit_ms:
            self.machine.arm(limit_ms, self.now)

    def _count_death(self, effect: "Effect") -> None:
        self._note(effect)
        if self.machine.restarts.unasked:
            reason = self.machine.count_death(self.limit)
            self.reasons += [reason] if reason else []

    def _back_off(self, _effect: "Effect") -> None:
        if self.machine.restarts.unasked and self.backoff is not None:
            self.machine.back_off(self.backoff, self.notifies, self.now)

    def _report_death(self, _effect: "Effect") -> None:
        assert not self.alive, "too early"
        if self.machine.restarts.final:
            self.reported.append(self.machine.status.wait_status)

    def _change_down_file(self, effect: "Effect") -> None:
        self.down_file = effect[0] == events.MAKE_DOWN

    def _note(self, effect: "Effect") -> None:
        self.done.append(effect[0])


EFFECTS: dict[str, Callable[[Simulated, "Effect"], None]] = {
    events.START_RUN: Simulated._start_run,
    events.START_FINISH: Simulated._start_finish,
    events.WRITE_STATUS: Simulated._write_status,
    events.NOTIFY: Simulated._notify,
    events.LIMIT_DYING: Simulated._limit,
    events.LIMIT_FINISH: Simulated._limit,
    events.COUNT_DEATH: Simulated._count_death,
    events.BACK_OFF: Simulated._back_off,
    events.REPORT_DEATH: Simulated._report_death,
    events.MAKE_DOWN: Simulated._change_down_file,
    events.REMOVE_DOWN: Simulated._change_down_file,
    **dict.fromkeys(
        (
            events.KILL,
            events.KILL_ALL,
            events.KILL_DOWN,
            events.KILL_RELOAD,
            events.KILL_HARD,
        ),
        Simulated._send,
    ),
}
