"""The machine against a model of what a user expects, under random histories.

The model knows no states. It follows one fact after another, each by the rule that
a manual would give for it: what lives, what is wanted, what is flagged, when the
next start or kill is due.
"""

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from simulated import Simulated
from supervisor.service import events
from supervisor.service.commands import COMMANDS
from supervisor.service.machine import NANOSECONDS_PER_MS, Now

Sent = list[tuple[str, int | bytes | None]]
STOP: Sent = [(events.KILL, 19)]
GO_ON: Sent = [(events.KILL, 18)]
TAKE: Sent = [(events.KILL_DOWN, None), *GO_ON]
SENT: dict[str, Sent] = {
    events.PAUSE: STOP,
    events.CONTINUE: GO_ON,
    events.RESTART: [(events.KILL_DOWN, None)],
    events.RELOAD: [(events.KILL_RELOAD, None)],
    events.PAUSE_GROUP: [(events.KILL_ALL, 19)],
    events.CONTINUE_GROUP: [(events.KILL_ALL, 18)],
    events.KILL_GROUP: [(events.KILL_ALL, 9)],
    events.WANT_DOWN: TAKE,
    events.STAY_DOWN: TAKE,
}
"""The signals that come of a command, while run lives."""
WANT = {events.WANT_UP, events.STAY_UP}
TAKE_DOWN = {events.WANT_DOWN, events.STAY_DOWN}
UNWANT = {*TAKE_DOWN, events.ONCE, events.ONCE_AT_MOST, events.STAY_DOWN_LATER}
START = {*WANT, events.ONCE}
PAUSE = {events.PAUSE, events.PAUSE_GROUP}
CONTINUE = {events.CONTINUE, events.CONTINUE_GROUP}
MAKE_DOWN = {events.STAY_DOWN, events.STAY_DOWN_LATER}
LEAVE = (events.HUP, events.TERM, events.DRAIN, events.QUIT, events.INT)
PAUSE_NS = 1000 * NANOSECONDS_PER_MS
AGAIN_NS = 5000 * NANOSECONDS_PER_MS
EXIT_125 = 125 << 8


Step = tuple["Callable[[History, Any], None]", object]


class Expected:
    """What a user expects of one service, and what its listeners hear."""

    def __init__(self, service: Simulated, wanted: bool) -> None:
        self.service = service
        self.wanted = wanted
        self.fresh = True
        self.alive = ""
        self.paused = self.ready = False
        self.leaving = self.draining = self.ended = False
        self.ready_at: int | None = None  # of this life or the last one
        self.start_at: int | None = service.now.monotonic_ns
        self.kill_at: int | None = None
        self.since = self.ready_since = service.now.wall_ns
        self.wait_status = 0
        self.heard = b"s"
        self.down_file = not wanted
        self.let_go = False
        self.deaths = self.too_long = 0
        self.sent: Sent = []

    @property
    def now(self) -> int:
        """The monotonic time."""
        return self.service.now.monotonic_ns

    def command(self, event: str, signum: int = 0) -> None:
        """Expect what a letter does."""
        if self.alive == "run":
            self.sent += SENT.get(event, [(events.KILL, signum)] if signum else [])
        if event in MAKE_DOWN or event == events.STAY_UP:
            self.down_file = event in MAKE_DOWN
        if event in WANT or event in UNWANT:
            self.wanted = event in WANT
            self.fresh = False
        if self.alive == "run" and (event in PAUSE | CONTINUE | TAKE_DOWN):
            self.paused = event in PAUSE
        if self.alive == "run" and event in TAKE_DOWN:
            self.limit(self.service.kill_limit_ms)
        if not self.alive and event in START:
            self.start()
        if event == events.EXIT:
            self.leave(event)

    def leave(self, event: str) -> None:
        """Expect what ends a supervisor, at once or with its service."""
        if event == events.INT and self.alive:
            self.sent.append((events.KILL_ALL, 2))
        if event in (events.QUIT, events.INT):
            self.end()
        elif not self.alive and event == events.DRAIN:
            self.start_for_the_last_time()
        elif not self.alive:
            self.end()
        elif self.alive == "finish" and event == events.DRAIN:
            self.draining = not self.leaving
        elif self.alive == "run" and event == events.TERM:
            self.leaving = True
            self.command(events.WANT_DOWN)
        elif not (event == events.TERM and self.leaving):
            self.leaving, self.draining = True, False
            self.let_go = True

    def start_for_the_last_time(self) -> None:
        """Expect one more run, which has its stdin for itself, or the end."""
        self.leaving = True
        self.start()
        if self.alive:
            self.let_go = True
        else:
            self.end()

    def start(self) -> None:
        """Expect a start to be tried."""
        self.start_at = None
        if self.service.run_works:
            self.alive = "run"
            self.fresh = self.paused = self.ready = False
            self.ready_at = self.kill_at = None
            self.since = self.service.now.wall_ns
            self.heard += b"u"
        elif self.service.retry_ms:
            self.start_at = self.now + self.service.retry_ms * NANOSECONDS_PER_MS

    def become_ready(self) -> None:
        """Expect that readiness is shown, told, and counted from."""
        self.ready = True
        self.ready_at = self.now
        self.ready_since = self.service.now.wall_ns
        self.heard += b"U"

    def run_died(self, wait_status: int) -> None:
        """Expect finish to be run, if there is one."""
        self.deaths += 1
        self.wait_status = wait_status
        self.since = self.service.now.wall_ns
        self.paused = self.ready = False
        if self.service.has_finish:
            self.alive = "finish"
            self.heard += b"d"
            self.limit(self.service.finish_limit_ms)
        else:
            self.come_down(b"dD")

    def finish_ended(self, wait_status: int) -> None:
        """Expect an exit code of 125 to count, and nothing else."""
        failed = wait_status == EXIT_125
        if failed:
            self.wanted = False
            self.leaving = self.leaving or self.draining
        self.come_down(b"OD" if failed else b"D")

    def come_down(self, heard: bytes) -> None:
        """Expect a pause, another start, or the end."""
        self.alive = ""
        self.heard += heard
        self.ready_since = self.service.now.wall_ns
        self.kill_at = None
        since = self.now if self.ready_at is None else self.ready_at
        self.start_at = since + PAUSE_NS
        if self.leaving:
            self.end()
        elif self.draining:
            self.start_for_the_last_time()

    def time_passed(self) -> None:
        """Expect what is due to be done."""
        if not self.alive and self.start_at is not None and self.start_at <= self.now:
            self.start_at = None
            if self.wanted:
                self.start()
        if self.alive and self.kill_at is not None and self.kill_at <= self.now:
            run = self.alive == "run"
            self.sent += (
                [(events.KILL_HARD, None)] if run else [*GO_ON, (events.KILL, 9)]
            )
            self.too_long += not run
            self.kill_at = self.now + AGAIN_NS

    def limit(self, limit_ms: int) -> None:
        """Expect a kill when this time is over; 0 means never."""
        self.kill_at = self.now + limit_ms * NANOSECONDS_PER_MS if limit_ms else None

    def end(self) -> None:
        """Expect the last word."""
        self.ended = True
        self.heard += b"x"


class History:
    """What happens to a service and to what is expected of it; and to the next one.

    Each step is a method and its argument; one that cannot happen now is passed over.
    """

    def __init__(self) -> None:
        self.service = Simulated()
        self.expected = Expected(self.service, wanted=True)

    def time_passes(self, ms: int) -> None:
        """Do what is due, late, as on a busy machine."""
        self.service.advance(ms)
        self.expected.time_passed()

    def command(self, letter: bytes) -> None:
        """Write a letter to supervise/control."""
        command = COMMANDS[letter]
        self.expected.command(command.event, command.signal)
        self.service.happen(command.event, command.signal)

    def leave(self, event: str) -> None:
        """Send a signal that ends the supervisor, at once or later."""
        self.expected.leave(event)
        self.service.happen(event)

    def become_ready(self, _: None) -> None:
        """Let run write a newline to its notification-fd, for the first time."""
        if self.expected.alive == "run" and not self.expected.ready:
            self.expected.become_ready()
            self.service.happen(events.NEWLINE)

    def die(self, wait_status: int) -> None:
        """Let run or finish exit or die of a signal."""
        if self.expected.alive == "run":
            self.expected.run_died(wait_status)
            self.service.die(wait_status)
        elif self.expected.alive == "finish":
            self.expected.finish_ended(wait_status)
            self.service.die(wait_status)

    def set_clock(self, seconds: int) -> None:
        """Move the wall clock, which only stamps come from."""
        now = self.service.now
        self.service.now = Now(now.wall_ns + seconds * 10**9, now.monotonic_ns)

    def edit(self, change: tuple[str, int]) -> None:
        """Edit the service directory."""
        setattr(self.service, *change)

    def begin_again(self, wanted: bool) -> None:
        """Start another supervisor, where the last has ended."""
        self.service = Simulated(wanted)
        self.service.kill_limit_ms = 300
        self.expected = Expected(self.service, wanted)

    def check(self) -> None:
        """Compare all that can be seen."""
        shown, expected = self.service.status, self.expected
        down = not expected.alive
        assert self.service.ended == expected.ended
        assert self.service.alive == expected.alive
        assert self.service.heard == expected.heard
        assert self.service.down_file == expected.down_file
        assert shown.pid == (0 if down else self.service.pid)
        assert shown.finishing == (expected.alive == "finish")
        assert shown.want_up == expected.wanted
        assert shown.paused == (expected.fresh if down else expected.paused)
        assert shown.ready == (down or expected.ready)
        assert shown.stamp_ns == expected.since
        assert shown.ready_ns == expected.ready_since
        assert shown.wait_status == expected.wait_status
        done = self.service.done
        assert self.service.sent == expected.sent
        assert (events.LET_GO in done) == expected.let_go
        assert done.count(events.RECORD_DEATH) == expected.deaths
        assert done.count(events.FINISH_TOO_LONG) == expected.too_long


STEPS: list[Step] = [
    *[(History.time_passes, ms) for ms in (0, 1, 299, 300, 999, 1000, 1001, 5000)],
    *[(History.command, letter) for letter in COMMANDS],
    *[(History.die, wait) for wait in (0, 3 << 8, 15, 11 | 0x80, 125)],
    *[(History.die, EXIT_125)] * 4,
    *[(History.become_ready, None)] * 4,
    *[(History.set_clock, seconds) for seconds in (-86400, 3600)],
    *[(History.edit, ("run_works", works)) for works in (True, True, True, False)],
    *[(History.edit, ("has_finish", has)) for has in (True, True, True, False)],
    *[(History.edit, ("retry_ms", ms)) for ms in (0, 10_000)],
    *[(History.edit, ("kill_limit_ms", ms)) for ms in (0, 300)],
    *[(History.edit, ("finish_limit_ms", ms)) for ms in (0, 5000)],
    *[(History.leave, e) for e in (*LEAVE, *[events.DRAIN] * 3)],
]


@settings(max_examples=500)
@given(st.lists(st.sampled_from(STEPS), min_size=60, max_size=120), st.booleans())
def test_the_machine_does_what_a_user_expects(steps: list[Step], wanted: bool) -> None:
    """Whatever is commanded, dies, gets ready and passes, in whichever order."""
    history = History()
    history.begin_again(wanted)
    for happen, argument in steps:
        if history.expected.ended:
            history.begin_again(not wanted)
        happen(history, argument)
        history.check()
