"""What one supervised service does: a table, and the few figures it works on. Pure.

Events in, effects out; it reads no clock and knows no descriptor. The table is
in `transitions`. Behaviour: s6-supervise of s6 2.15.1.0.
"""

from supervisor.service import events
from supervisor.service import transitions as table
from supervisor.service.restarts import PERMANENT_FAILURE, Restarts
from supervisor.service.status import Status

NANOSECONDS_PER_MS = 1_000_000
RESTART_NS = 1000 * NANOSECONDS_PER_MS  # after readiness, or after being down
KILL_AGAIN_MS = 5000

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from supervisor.service.restarts import Backoff, Limit

    Effect = tuple[str, int | bytes | None]


class Now:
    """One instant: by the wall clock (since the epoch) and by the monotonic one."""

    __slots__ = ("monotonic_ns", "wall_ns")

    def __init__(self, wall_ns: int, monotonic_ns: int) -> None:
        self.wall_ns = wall_ns
        self.monotonic_ns = monotonic_ns


class Machine:
    """The state of one service, from the start of its supervision to the end.

    `status` is what the next WRITE_STATUS shows; `deadline_ns` (monotonic) is when
    the shell owes it a TIMER, or None. `restarts` knows its deaths; `gave_up`: after
    the last one it stays down. Effects are carried out in order, and what one leads
    to at once (STARTED, NOT_STARTED, FINISH_STARTED, NO_FINISH) is told with `step`
    right after it; it always is the last but LET_GO.
    """

    __slots__ = (
        "deadline_ns",
        "gave_up",
        "next_start_ns",
        "restarts",
        "state",
        "status",
    )

    def __init__(self, want_up: bool, wall_ns: int) -> None:
        self.state = events.DOWN
        self.status = Status(0, wall_ns, wall_ns, 0, 0)
        self.status.want_up = want_up
        self.status.ready = True
        # "Not started yet", until the record is next written (s6 2.14).
        self.status.paused = True
        self.deadline_ns: int | None = 0
        self.next_start_ns: int | None = None
        self.restarts = Restarts()
        self.gave_up = False

    def adopt(self, state: str, status: Status) -> None:
        """Take over a service whose run (UP) or finish (FINISH) lives already."""
        self.state = state
        self.status = status
        self.deadline_ns = None
        if status.ready:
            self.next_start_ns = 0  # long ago; by which clock is not known any more

    def step(self, event: str, now: Now, number: int = 0) -> "list[Effect]":
        """Take in one event; give what is to be done, in order.

        `number` is what comes with it: a signal, a pid, a wait status, a delay.
        """
        if event == events.FINISHED and number == PERMANENT_FAILURE:
            self.gave_up = True
            self.restarts.fail()
        if self.gave_up and event in (events.FINISHED, events.NO_FINISH):
            event = events.GIVEN_UP
        self.state, actions = table.TABLE[self.state, event]
        effects: list[Effect] = []
        for action in actions:
            if not isinstance(action, str):
                effects.append(action)
            elif action in CHANGES:
                CHANGES[action](self, now, number)
            elif action == table.START_IF_WANTED:
                if self.status.want_up:
                    effects.append((events.START_RUN, None))
            elif action == events.WRITE_STATUS:
                self._shown()
                effects.append((action, None))
            else:
                effects.append((action, number if action == events.KILL else None))
        return effects

    def arm(self, delay_ms: int, now: Now) -> None:
        """Set the deadline; the answer to LIMIT_DYING and LIMIT_FINISH."""
        self.deadline_ns = now.monotonic_ns + delay_ms * NANOSECONDS_PER_MS

    def count_death(self, limit: "Limit | None") -> bytes:
        """Tell why the service gives up, or nothing; the answer to COUNT_DEATH."""
        reason = self.restarts.gives_up(self.status.wait_status, limit)
        self.gave_up = bool(reason)
        return reason

    def back_off(self, backoff: "Backoff", notifies: bool, now: Now) -> None:
        """Set the time of the next start anew; the answer to BACK_OFF."""
        self.arm(self.restarts.pause_ms(backoff, notifies), now)

    def _shown(self) -> None:
        """Drop "not started yet": only the first record says so."""
        if self.status.pid == 0:
            self.status.paused = False


def _wanted(machine: Machine, _now: Now, _number: int) -> None:
    machine.status.want_up = True


def _unwanted(machine: Machine, _now: Now, _number: int) -> None:
    machine.status.want_up = False


def _paused(machine: Machine, _now: Now, _number: int) -> None:
    machine.status.paused = True


def _resumed(machine: Machine, _now: Now, _number: int) -> None:
    machine.status.paused = False


def _asked(machine: Machine, _now: Now, _number: int) -> None:
    machine.restarts.ask()


def _sent(machine: Machine, now: Now, signum: int) -> None:
    machine.restarts.sent(signum, now.monotonic_ns)


def _born(machine: Machine, now: Now, pid: int) -> None:
    status = machine.status
    status.pid = pid
    status.stamp_ns = now.wall_ns
    status.ready = status.paused = status.finishing = False
    machine.deadline_ns = machine.next_start_ns = None
    machine.restarts.born(now.monotonic_ns)
    machine.gave_up = False


def _ready(machine: Machine, now: Now, _number: int) -> None:
    machine.status.ready = True
    machine.status.ready_ns = now.wall_ns
    machine.next_start_ns = now.monotonic_ns + RESTART_NS
    machine.restarts.ready(now.monotonic_ns)


def _dead(machine: Machine, now: Now, wait_status: int) -> None:
    """Note how run ended; its pid stays until finish has been told of it."""
    status = machine.status
    status.wait_status = wait_status
    status.stamp_ns = now.wall_ns
    status.ready = status.paused = False
    machine.deadline_ns = None
    wanted = status.want_up and machine.state == events.UP
    machine.restarts.died(now.monotonic_ns, wait_status, wanted)


def _finishing(machine: Machine, _now: Now, pid: int) -> None:
    machine.status.pid = pid
    machine.status.finishing = True


def _over(machine: Machine, now: Now, _number: int) -> None:
    status = machine.status
    status.pid = 0
    status.finishing = False
    status.ready = True
    status.ready_ns = now.wall_ns
    machine.deadline_ns = None


def _rest(machine: Machine, now: Now, _number: int) -> None:
    """Wait a second after readiness, which may be over; without it, from now."""
    due_ns = machine.next_start_ns
    machine.deadline_ns = now.monotonic_ns + RESTART_NS if due_ns is None else due_ns


def _retry(machine: Machine, now: Now, delay_ms: int) -> None:
    """Try again after that time; 0: only when a command asks for it."""
    if delay_ms:
        machine.arm(delay_ms, now)
    else:
        machine.deadline_ns = None


def _sleep(machine: Machine, _now: Now, _number: int) -> None:
    machine.deadline_ns = None


def _kill_again(machine: Machine, now: Now, _number: int) -> None:
    machine.arm(KILL_AGAIN_MS, now)


CHANGES: "Mapping[str, Callable[[Machine, Now, int], None]]" = {
    table.WANTED: _wanted,
    table.UNWANTED: _unwanted,
    table.PAUSED: _paused,
    table.RESUMED: _resumed,
    table.ASKED: _asked,
    table.SENT: _sent,
    table.BORN: _born,
    table.READY: _ready,
    table.DEAD: _dead,
    table.FINISHING: _finishing,
    table.OVER: _over,
    table.REST: _rest,
    table.RETRY: _retry,
    table.SLEEP: _sleep,
    table.KILL_AGAIN: _kill_again,
}
"""What the table's own words do to a machine, with the time and the number."""
