"""A service's machine does what its user expects, whatever happens in which order."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulated import MONOTONIC_NS, WALL_NS, Simulated
from supervisor.service import events
from supervisor.service.commands import COMMANDS
from supervisor.service.machine import NANOSECONDS_PER_MS, Machine, Now
from supervisor.service.status import Status
from supervisor.service.transitions import TABLE

EXITED_3 = 3 << 8
EXITED_125 = 125 << 8
NS = NANOSECONDS_PER_MS
LEAVING = [events.TERM, events.HUP, events.EXIT, events.DRAIN]


def up(has_finish: bool = True, ready: bool = False) -> Simulated:
    """Give a service that has just been started."""
    service = Simulated()
    service.has_finish = has_finish
    service.advance(0)
    if ready:
        service.happen(events.NEWLINE)
    return service


def down(has_finish: bool = True) -> Simulated:
    """Give a service that has been up, and has just come down."""
    service = up(has_finish)
    service.advance(1)
    service.die(EXITED_3)
    if has_finish:
        service.die()
    return service


def flags(status: Status) -> tuple[bool, bool, bool, bool]:
    """Give paused, finishing, wanted, ready."""
    return status.paused, status.finishing, status.want_up, status.ready


# ---- what a record shows in each situation


@pytest.mark.parametrize("want_up", [True, False])
def test_record_of_a_supervisor_that_has_just_started(want_up: bool) -> None:
    """No pid, both stamps now, ready, and "not started yet"."""
    status = Simulated(want_up).status
    assert flags(status) == (True, False, want_up, True)
    assert (status.pid, status.wait_status) == (0, 0)
    assert status.stamp_ns == status.ready_ns == WALL_NS
    assert not status.started


def test_record_of_a_service_that_is_up() -> None:
    """Its pid and when it was started; the ready stamp is the old one."""
    service = Simulated()
    service.advance(5)
    assert flags(service.status) == (False, False, True, False)
    assert service.status.pid == service.pid
    assert service.status.stamp_ns == WALL_NS + 5 * NS
    assert service.status.ready_ns == WALL_NS


def test_record_of_a_service_that_is_ready() -> None:
    """The second stamp is when it said so."""
    service = up()
    service.advance(7)
    service.happen(events.NEWLINE)
    assert flags(service.status) == (False, False, True, True)
    assert service.status.stamp_ns == WALL_NS
    assert service.status.ready_ns == WALL_NS + 7 * NS


@pytest.mark.parametrize("letter", [b"p", b"P"])
@pytest.mark.parametrize("ready", [True, False])
def test_record_of_a_service_that_was_stopped(letter: bytes, ready: bool) -> None:
    """One flag more, until it is continued; nothing else changes."""
    service = up(ready=ready)
    before = service.record
    service.happen(COMMANDS[letter].event)
    assert flags(service.status) == (True, False, True, ready)
    assert service.record[:-1] == before[:-1]
    service.happen(COMMANDS[letter.replace(b"p", b"c").replace(b"P", b"C")].event)
    assert service.record == before


def test_record_while_finish_runs() -> None:
    """The pid of finish, when and how run died, not ready, and not paused."""
    service = up(ready=True)
    service.happen(events.PAUSE)
    run = service.pid
    service.advance(9)
    service.die(EXITED_3)
    assert flags(service.status) == (False, True, True, False)
    assert service.status.pid == service.pid != run
    assert service.status.stamp_ns == WALL_NS + 9 * NS
    assert service.status.ready_ns == WALL_NS
    assert service.status.wait_status == EXITED_3
    assert not service.status.up


@pytest.mark.parametrize("has_finish", [True, False])
def test_record_of_a_service_that_is_down(has_finish: bool) -> None:
    """When it died, and when its finish was over."""
    service = up(has_finish)
    service.advance(9)
    service.die(EXITED_3)
    over_ms = 9
    if has_finish:
        service.advance(4)
        service.die()
        over_ms = 13
    assert flags(service.status) == (False, False, True, True)
    assert service.status.pid == 0
    assert service.status.wait_status == EXITED_3
    assert service.status.stamp_ns == WALL_NS + 9 * NS
    assert service.status.ready_ns == WALL_NS + over_ms * NS


def test_record_keeps_the_last_death_while_up_again() -> None:
    """The wait status of run, and never that of finish."""
    service = up()
    service.die(EXITED_3)
    service.die(EXITED_125 | 1)
    service.advance(1000)
    assert service.status.up
    assert service.status.wait_status == EXITED_3


# ---- when it starts again


@pytest.mark.parametrize("has_finish", [True, False])
@pytest.mark.parametrize("lived_ms", [0, 999, 1500, 100_000])
def test_without_readiness_it_pauses_for_a_second(
    has_finish: bool, lived_ms: int
) -> None:
    """From when it is down, its finish over, however long it had been up."""
    service = up(has_finish)
    service.advance(lived_ms)
    service.die()
    if has_finish:
        service.advance(300)
        service.die()
    service.advance(999)
    assert service.alive == ""
    service.advance(1)
    assert service.alive == "run"


@pytest.mark.parametrize(
    ("lived_ms", "finish_ms", "pause_ms"),
    [(0, 0, 1000), (300, 0, 700), (300, 500, 200), (999, 0, 1)],
)
def test_a_second_counts_from_readiness(
    lived_ms: int, finish_ms: int, pause_ms: int
) -> None:
    """What it and its finish have lived since then is taken off the pause."""
    service = up(ready=True)
    service.advance(lived_ms)
    service.die()
    service.advance(finish_ms)
    service.die()
    service.advance(pause_ms - 1)
    assert service.alive == ""
    service.advance(1)
    assert service.alive == "run"


@pytest.mark.parametrize(("lived_ms", "finish_ms"), [(1000, 0), (600, 400), (5000, 0)])
def test_a_second_after_readiness_it_restarts_at_once(
    lived_ms: int, finish_ms: int
) -> None:
    """A service that was ready that long does not crash in a loop."""
    service = up(ready=True)
    service.advance(lived_ms)
    service.die()
    service.advance(finish_ms)
    service.die()
    service.advance(0)
    assert service.alive == "run"


def test_readiness_counts_for_one_life_only() -> None:
    """After the next start the pause is a whole second again."""
    service = up(has_finish=False, ready=True)
    service.advance(2000)
    service.die()
    service.advance(0)
    service.die()
    service.advance(999)
    assert service.alive == ""
    service.advance(1)
    assert service.alive == "run"


@pytest.mark.parametrize("letter", [b"u", b"U", b"o"])
def test_a_command_does_not_wait(letter: bytes) -> None:
    """It starts a service within its pause, and one that could not be started."""
    service = down()
    service.happen(COMMANDS[letter].event)
    assert service.alive == "run"
    assert service.status.want_up == (letter != b"o")


def test_a_start_that_failed_is_repeated() -> None:
    """After the time that the shell says; nobody is told, nothing is written."""
    service = Simulated()
    service.run_works = False
    before = service.record
    service.advance(0)
    assert (service.record, service.heard) == (before, b"s")
    service.run_works = True
    service.advance(service.retry_ms - 1)
    assert service.alive == ""
    service.advance(1)
    assert service.alive == "run"


def test_a_start_that_cannot_succeed_is_not_repeated() -> None:
    """With a delay of 0 only a command tries again."""
    service = Simulated()
    service.run_works, service.retry_ms = False, 0
    service.advance(0)
    assert service.machine.deadline_ns is None
    service.run_works = True
    service.happen(events.WANT_UP)
    assert service.alive == "run"


def test_nothing_is_due_while_nothing_can_happen() -> None:
    """Neither up nor unwanted and down: no wake-ups."""
    assert up().machine.deadline_ns is None
    service = down()
    service.happen(events.WANT_DOWN)
    service.advance(1000)
    assert service.machine.deadline_ns is None
    service.advance(100_000)
    assert service.alive == ""


# ---- what takes too long


@pytest.mark.parametrize("event", [events.WANT_DOWN, events.STAY_DOWN, events.TERM])
def test_a_service_that_does_not_die_is_killed(event: str) -> None:
    """After timeout-kill, and every five seconds from then on."""
    service = up()
    service.kill_limit_ms = 300
    service.happen(event)
    asked = [(events.KILL_DOWN, None), (events.KILL, 18)]
    assert service.sent == asked
    service.advance(299)
    assert service.sent == asked
    service.advance(1)
    service.advance(4999)
    assert service.sent == [*asked, (events.KILL_HARD, None)]
    service.advance(1)
    assert service.sent[2:] == [(events.KILL_HARD, None)] * 2


def test_wanting_it_again_does_not_save_it() -> None:
    """It is killed all the same, and then starts again."""
    service = up(has_finish=False)
    service.kill_limit_ms = 300
    service.happen(events.WANT_DOWN)
    service.happen(events.WANT_UP)
    service.advance(300)
    assert service.sent[-1] == (events.KILL_HARD, None)
    service.die(9)
    service.advance(1000)
    assert service.alive == "run"


def test_the_last_limit_counts() -> None:
    """Whoever takes timeout-kill away and asks again gets no kill."""
    service = up()
    service.kill_limit_ms = 300
    service.happen(events.WANT_DOWN)
    service.kill_limit_ms = 0
    service.happen(events.WANT_DOWN)
    assert service.machine.deadline_ns is None


def test_a_finish_that_does_not_end_is_killed() -> None:
    """After timeout-finish, and every five seconds from then on, with a warning."""
    service = up()
    service.die()
    service.advance(4999)
    assert not service.sent
    service.advance(1)
    assert service.sent == [(events.KILL, 18), (events.KILL, 9)]
    service.advance(5000)
    assert len(service.sent) == 4
    assert service.done.count(events.FINISH_TOO_LONG) == 2


@pytest.mark.parametrize(
    ("wait_status", "heard"),
    [(EXITED_125, b"sudOD"), (125, b"sudD"), (EXITED_3, b"sudD"), (9, b"sudD")],
)
def test_only_exit_125_of_finish_means_failure_for_good(
    wait_status: int, heard: bytes
) -> None:
    """Then it is not wanted any more; a command starts it all the same."""
    service = up()
    service.die()
    service.die(wait_status)
    assert service.heard == heard
    service.advance(1000)
    assert (service.alive == "run") == (wait_status != EXITED_125)
    service.happen(events.WANT_UP)
    assert service.alive == "run"


# ---- how it ends


@pytest.mark.parametrize("event", [events.QUIT, events.INT])
@pytest.mark.parametrize("has_finish", [True, False])
def test_quit_and_int_end_it_at_once(event: str, has_finish: bool) -> None:
    """Whatever lives is left as it is, but for the signal of INT."""
    service = up(has_finish)
    before = service.record
    service.happen(event)
    assert service.ended
    assert service.heard == b"sux"
    assert service.record == before
    assert service.sent == ([(events.KILL_ALL, 2)] if event == events.INT else [])


def test_a_logger_with_lines_left_starts_once_more() -> None:
    """It is started at once, reads them, and when it ends, all is over."""
    service = down()
    service.happen(events.DRAIN)
    assert service.alive == "run"
    assert service.done[-1] == events.LET_GO
    service.die()
    service.die()
    assert service.ended
    assert service.heard == b"sudDudDx"


def test_a_logger_that_cannot_start_once_more_just_ends() -> None:
    """There is no second try: nobody waits a minute for a shutdown."""
    service = down()
    service.run_works = False
    service.happen(events.DRAIN)
    assert service.ended


def test_a_logger_drains_after_its_finish() -> None:
    """Where that runs when the tree ends; a permanent failure stays one."""
    for wait_status, heard in ((0, b"sudDudDx"), (EXITED_125, b"sudODx")):
        service = up()
        service.die()
        service.happen(events.DRAIN)
        service.die(wait_status)
        while service.alive:
            service.die()
        assert service.ended
        assert service.heard == heard


# ---- whatever happens

HAPPENINGS = st.one_of(
    st.sampled_from([command.event for command in COMMANDS.values()]),
    st.sampled_from([*LEAVING, events.QUIT, events.INT]),
    st.sampled_from(
        ["die", "die", "fail", "ready", "time", "no run", "run", "lose finish"]
    ),
)


def play(service: Simulated, happening: str) -> None:
    """Let one of HAPPENINGS happen, where it can."""
    if happening in events.EVENTS:
        service.happen(happening, 15 if happening == events.SIGNAL else 0)
    elif happening in ("die", "fail") and service.alive:
        service.die(EXITED_125 if happening == "fail" else 0)
    elif happening == "ready" and service.alive == "run":
        service.happen(events.NEWLINE)
    elif happening == "time":
        service.advance(1000)
    elif happening in ("run", "no run"):
        service.run_works = happening == "run"
    elif happening == "lose finish":
        service.has_finish = False


@given(st.lists(HAPPENINGS, max_size=60), st.sampled_from(LEAVING))
def test_a_supervisor_that_is_told_to_end_does(history: list[str], leave: str) -> None:
    """After at most one more finish, or run and finish of a logger that drains."""
    service = Simulated()
    for happening in history:
        play(service, happening)
    pid = service.pid
    service.happen(leave)
    while service.alive:
        service.die()
    assert service.ended
    assert service.pid - pid <= (2 if leave == events.DRAIN else 1)
    assert service.heard.endswith(b"x")
    assert service.heard.count(b"x") == 1


@given(st.lists(HAPPENINGS, max_size=60))
def test_what_it_says_is_what_is_written(history: list[str]) -> None:
    """Between two events of a history the record agrees with the machine."""
    service = Simulated()
    for happening in history:
        play(service, happening)
        assert service.status.flags == service.machine.status.flags
        assert service.status.pid == service.machine.status.pid


@pytest.mark.parametrize(
    ("state", "event"), list(itertools.product(events.STATES, events.EVENTS))
)
def test_every_step_is_the_table_s(state: str, event: str) -> None:
    """What the machine asks for are the table's effects, in its order."""
    machine = Machine(want_up=True, wall_ns=WALL_NS)
    machine.state = state
    effects = machine.step(event, Now(WALL_NS, MONOTONIC_NS), 15)
    following, actions = TABLE[state, event]
    assert machine.state == following
    words = [action if isinstance(action, str) else action[0] for action in actions]
    started = ["start run"] if "start if wanted" in words else []
    expected = [word for word in words if word in events.EFFECTS] + started
    assert [name for name, _ in effects] == expected


def adopted(ready: bool) -> Simulated:
    """Give a service that another supervisor had started, and nobody else."""
    service = Simulated(want_up=False)
    status = Status(42, WALL_NS - 1, WALL_NS - 1, EXITED_3, 0)
    status.want_up, status.ready = True, ready
    service.machine.adopt(events.UP, status)
    service.alive = "run"
    return service


def test_adoption_goes_on_where_the_last_supervisor_was() -> None:
    """Without a start, and with the record as it was read."""
    service = adopted(ready=False)
    service.advance(5000)
    service.happen(events.NEWLINE)
    assert service.heard == b"sU"
    assert (service.status.pid, service.status.stamp_ns) == (42, WALL_NS - 1)
    service.die(9)
    service.die()
    assert service.heard == b"sUdD"
    assert service.status.wait_status == 9


@pytest.mark.parametrize("ready", [True, False])
def test_an_adopted_service_that_was_ready_restarts_at_once(ready: bool) -> None:
    """When that was does not matter: it was before this supervisor."""
    service = adopted(ready)
    service.die()
    service.die()
    service.advance(0)
    assert (service.alive == "run") == ready
    service.advance(1000)
    assert service.alive == "run"
