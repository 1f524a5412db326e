"""Services that give up, pause and are restarted: all together, in the machine."""

import pytest

from simulated import Simulated
from supervisor.service import events
from supervisor.service.commands import COMMANDS
from supervisor.service.restarts import (
    Backoff,
    Limit,
)

EXITED_3 = 3 << 8
EXITED_125 = 125 << 8


def limited(deaths: int = 3, has_finish: bool = True) -> Simulated:
    """Give a service that gives up after some deaths."""
    service = Simulated()
    service.has_finish = has_finish
    service.limit = Limit(deaths, 600_000, b"10m")
    service.advance(0)
    return service


def fall(service: Simulated, wait_status: int = EXITED_3) -> None:
    """Let run die, and its finish, if there is one."""
    service.die(wait_status)
    if service.alive:
        service.die()


@pytest.mark.parametrize("has_finish", [True, False])
def test_giving_up_is_failing_for_good(has_finish: bool) -> None:
    """It stays down and is told as if finish had exited 125, which it need not."""
    service = limited(has_finish=has_finish)
    for _ in range(3):
        fall(service)
        service.advance(1000)
    assert service.heard == b"s" + 2 * b"udD" + b"udOD"
    assert not service.alive
    assert not service.status.want_up
    assert service.reasons == [b"died 3 times within 10m"]
    assert service.reported == [EXITED_3]


def test_after_giving_up_it_counts_anew() -> None:
    """Whoever wants it up has mended it, and it may die as often again."""
    service = limited(deaths=2)
    for _ in range(2):
        for _ in range(2):
            assert service.alive == "run"
            fall(service)
            service.advance(1000)
        assert not service.alive
        service.happen(events.WANT_UP)
    assert service.reasons == [b"died 2 times within 10m"] * 2


@pytest.mark.parametrize("has_finish", [True, False])
def test_run_gives_up_by_exit_125(has_finish: bool) -> None:
    """Where there is a limit; else that is an exit code like others."""
    service = limited(has_finish=has_finish)
    fall(service, EXITED_125)
    assert service.heard.endswith(b"dOD" if not has_finish else b"OD")
    assert service.reported == [EXITED_125]
    other = limited(has_finish=has_finish)
    other.limit = None
    fall(other, EXITED_125)
    other.advance(1000)
    assert other.alive == "run"


@pytest.mark.parametrize("deaths", [None, 3])
def test_finish_gives_up_by_exit_125(deaths: int | None) -> None:
    """Whether there is a limit or not, and that too is final."""
    service = limited()
    service.limit = None if deaths is None else Limit(deaths, 1000, b"1s")
    service.die(9)
    service.die(EXITED_125)
    assert service.heard == b"sudOD"
    assert service.reported == [9]
    assert service.reasons == []


def test_a_death_within_the_limit_is_not_told() -> None:
    """The service is essential, but may die so often."""
    service = limited(deaths=2)
    fall(service)
    assert service.reported == []
    service.advance(1000)
    fall(service)
    assert service.reported == [EXITED_3]


def starts_after(service: Simulated, pause_ms: int) -> bool:
    """Tell whether it starts when that time has passed, and not before."""
    service.advance(pause_ms - 1)
    early = service.alive
    service.advance(1)
    return not early and service.alive == "run"


def pausing() -> Simulated:
    """Give a service that pauses 20, 40, 80, 80 ... milliseconds."""
    service = Simulated()
    service.backoff = Backoff(20, 2000, 80)
    service.advance(0)
    return service


def test_the_pause_counts_from_the_end_of_finish() -> None:
    """And is the only one: a second, more or less, does not matter any more."""
    service = pausing()
    for pause_ms in (20, 40, 80, 80):
        service.die(EXITED_3)
        service.advance(500)
        service.die()
        assert starts_after(service, pause_ms)


def test_the_pause_may_be_longer_than_a_second() -> None:
    """Also where s6 would start a service that was ready at once."""
    service = pausing()
    service.backoff = Backoff(5000, 2000, 5000)
    service.happen(events.NEWLINE)
    service.advance(2000)
    fall(service)
    assert starts_after(service, 5000)


@pytest.mark.parametrize("letter", [b"u", b"o", b"U"])
def test_a_command_ends_the_pause(letter: bytes) -> None:
    """As it ends every other pause."""
    service = pausing()
    fall(service)
    service.happen(COMMANDS[letter].event)
    assert service.alive == "run"


def test_a_restart_by_command_is_not_delayed() -> None:
    """Not by the backoff: s6's second it is."""
    service = pausing()
    service.backoff = Backoff(5000, 2000, 5000)
    service.happen(events.RESTART)
    fall(service, 15)
    service.advance(1000)
    assert service.alive == "run"


def test_a_service_that_is_down_stays_down_after_the_pause() -> None:
    """What was wanted in the meantime counts."""
    service = pausing()
    fall(service)
    service.happen(events.WANT_DOWN)
    service.advance(1000)
    assert not service.alive
