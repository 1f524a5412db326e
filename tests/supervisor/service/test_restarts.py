"""When a service starts again that has died, and when no more; who is told of it."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulated import Simulated
from supervisor.service import events
from supervisor.service.commands import COMMANDS
from supervisor.service.restarts import (
    MOST_DEATHS,
    NS_PER_MS,
    Backoff,
    Limit,
    Restarts,
    backoff,
    limit,
)

EXITED_3 = 3 << 8
EXITED_125 = 125 << 8
UNIT_MS = {"": 1000, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}

DURATIONS = st.tuples(st.integers(1, 45), st.sampled_from(list(UNIT_MS)))
LIMITS = st.tuples(st.integers(1, 5), st.integers(1, 50))
MOMENTS = st.lists(st.integers(0, 30), max_size=40)


# ---- what the files say


def said(read: Backoff | None) -> tuple[int, int, int] | None:
    """Give the figures of a backoff."""
    return None if read is None else (read.first_ms, read.thousandths, read.most_ms)


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("1s x2 60s", (1000, 2000, 60_000)),
        ("100ms", (100, 2000, 60_000)),
        ("5 x1", (5000, 1000, 60_000)),
        ("2m", (120_000, 2000, 120_000)),
        ("20ms 80ms", (20, 2000, 80)),
        ("1s x1.5 1h", (1000, 1500, 3_600_000)),
        ("1s x1.125 1d", (1000, 1125, 86_400_000)),
        (" 1s\tx2  1m ", (1000, 2000, 60_000)),
        ("7s x1000 7s", (7000, 1_000_000, 7000)),
        *[(f"{n}ms x1 {n}ms", (n, 1000, n)) for n in (1, 2**32 - 1)],
    ],
)
def test_backoffs(text: str, figures: tuple[int, int, int]) -> None:
    """The first pause, what it grows by, the longest; the last two may be missing."""
    assert said(backoff(text.encode())) == figures


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "0", "0s", "x2", "1s x", "1s x0", "1s x0.9", "1s x1001", "1s x2."),
        *(
            "1s x.5",
            "1s x2.0001",
            "1s x-2",
            "1s 2x",
            "10s x2 5s",
            "1s x2 60s 1",
            "soon",
        ),
        *("1s x2 x2", "1 s", "-1s", "1.5s", "1S", "1w", "1sm", "50d", "4294967296ms"),
        *("1s x2 60s # slowly", "1s,x2", "99999999999999999999s", "\u0661s"),
    ],
)
def test_what_is_no_backoff(text: str) -> None:
    """It counts as if there were none."""
    assert backoff(text.encode()) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "5", "/", "5/", "/10m", "0/10m", "5/0", "5/0m", "5/10w", "5 10m"),
        *("5/10m/2", "5/ 10m", "5 /10m", "-5/10m", "five/10m", "5/10m x", "5/50d"),
        *(f"{MOST_DEATHS + 1}/1m", "1.5/1m"),
    ],
)
def test_what_is_no_limit(text: str) -> None:
    """It counts as if there were none."""
    assert limit(text.encode()) is None


@given(st.integers(1, MOST_DEATHS), DURATIONS)
def test_limits(deaths: int, period: tuple[int, str]) -> None:
    """So many deaths within that time; the time is told as it was written."""
    number, unit = period
    read = limit(f" {deaths}/{number}{unit} ".encode())
    assert read is not None
    assert (read.deaths, read.period_ms) == (deaths, number * UNIT_MS[unit])
    assert read.period == f"{number}{unit}".encode()


@given(st.binary(max_size=20))
def test_anything_can_be_in_there(text: bytes) -> None:
    """It is understood or refused; what is understood makes sense."""
    read, bound = backoff(text), limit(text)
    if read is not None:
        assert 0 < read.first_ms <= read.most_ms
        assert read.thousandths >= 1000
    if bound is not None:
        assert bound.deaths > 0
        assert bound.period_ms > 0


# ---- how long the pauses are


class Life:
    """Deaths of one service that nobody asked for, on a clock of milliseconds."""

    def __init__(self) -> None:
        self.restarts = Restarts()
        self.now_ms = 0

    def live(self, lived_ms: int, ready_ms: int | None = None) -> None:
        """Be started, perhaps become ready, and die."""
        self.restarts.born(self.now_ms * NS_PER_MS)
        if ready_ms is not None:
            self.restarts.ready((self.now_ms + ready_ms) * NS_PER_MS)
        self.now_ms += lived_ms
        self.restarts.died(self.now_ms * NS_PER_MS, EXITED_3, wanted=True)

    def pauses(self, read: Backoff, lives: int, lived_ms: int = 0) -> list[int]:
        """Die so often; give the pauses, which are made."""
        found = []
        for _ in range(lives):
            self.live(lived_ms)
            found.append(self.restarts.pause_ms(read, notifies=False))
            self.now_ms += found[-1]
        return found


@given(st.integers(1, 1000), st.integers(1, 10), st.integers(1000, 100_000))
def test_pauses_grow_up_to_the_longest(first: int, factor: int, most: int) -> None:
    """Each is a multiple of the one before, however many there are."""
    read = Backoff(first, factor * 1000, most)
    expected = [min(first * factor**n, most) for n in range(40)]
    assert Life().pauses(read, 40) == expected


@given(st.integers(1, 1000), st.integers(1001, 3000), st.integers(1000, 5000))
def test_any_factor_above_1_gets_to_the_longest(
    first: int, thousandths: int, most: int
) -> None:
    """Since each pause is longer than the last, if only by a millisecond."""
    pauses = Life().pauses(Backoff(first, thousandths, most), most)
    assert pauses[0] == first
    assert pauses[-1] == most
    assert all(a < b or b == most for a, b in itertools.pairwise(pauses))
    # Rounded up: never shorter than what was asked for.
    for a, b in itertools.pairwise(pauses):
        assert min(a * thousandths, most * 1000) <= b * 1000 < a * thousandths + 1000


@pytest.mark.parametrize(("lived_ms", "pause_ms"), [(80, 80), (81, 20)])
def test_a_long_life_ends_the_row(lived_ms: int, pause_ms: int) -> None:
    """One that is longer than the longest pause."""
    life, read = Life(), Backoff(20, 2000, 80)
    assert life.pauses(read, 4) == [20, 40, 80, 80]
    assert life.pauses(read, 1, lived_ms) == [pause_ms]


@pytest.mark.parametrize(
    ("ready_ms", "pause_ms"), [(None, 40), (0, 20), (919, 20), (920, 40)]
)
def test_a_life_counts_from_readiness(ready_ms: int | None, pause_ms: int) -> None:
    """Where the service tells that; one that never is ready does not live."""
    life, read = Life(), Backoff(20, 2000, 80)
    life.pauses(read, 1)
    life.live(1000, ready_ms)
    assert life.restarts.pause_ms(read, notifies=True) == pause_ms


def test_a_death_that_was_asked_for_ends_the_row() -> None:
    """Somebody has taken care of it."""
    life, read = Life(), Backoff(20, 2000, 80)
    assert life.pauses(read, 2) == [20, 40]
    life.restarts.born(0)
    life.restarts.ask()
    life.restarts.died(0, 15, wanted=True)
    assert life.pauses(read, 2) == [20, 40]


# ---- when it is enough


@given(MOMENTS, LIMITS)
def test_enough_is_so_many_deaths_within_the_time(
    pauses: list[int], bound: tuple[int, int]
) -> None:
    """Not one less, not a moment longer; then it counts from nothing."""
    number, period_ms = bound
    given_up = Limit(number, period_ms, b"a while")
    life = Life()
    deaths: list[int] = []
    for pause in pauses:
        life.live(pause)
        deaths.append(life.now_ms)
        recent = [moment for moment in deaths if moment >= life.now_ms - period_ms]
        reason = life.restarts.gives_up(EXITED_3, given_up)
        assert bool(reason) == (len(recent) >= number)
        assert life.restarts.final == bool(reason)
        if reason:
            deaths = []


@pytest.mark.parametrize(
    ("deaths", "reason"),
    [(1, b"died once within 10m"), (3, b"died 3 times within 10m")],
)
def test_the_reason_is_told(deaths: int, reason: bytes) -> None:
    """In the words of the file."""
    life, given_up = Life(), Limit(deaths, 600_000, b"10m")
    for number in range(deaths):
        life.live(1000)
        found = life.restarts.gives_up(EXITED_3, given_up)
        assert found == (reason if number == deaths - 1 else b"")


def test_exit_125_is_enough() -> None:
    """With a limit, the first time; without, it is a death like others."""
    life = Life()
    life.live(1)
    assert life.restarts.gives_up(EXITED_125, Limit(9, 1, b"1ms")) == b"run exited 125"
    life.live(1)
    assert life.restarts.gives_up(EXITED_125, None) == b""


def test_without_a_limit_every_death_is_final() -> None:
    """For an essential service, that is."""
    life = Life()
    life.live(1)
    assert not life.restarts.final
    life.restarts.gives_up(EXITED_3, None)
    assert life.restarts.final
    life.restarts.born(0)
    assert not life.restarts.final


# ---- which deaths nobody asked for

ORDERS = "KrdD"
"""Letters after which a death is asked for, however and whenever it comes."""
ENDING = {"t": 15, "i": 2, "k": 9, "b": 6, "q": 3}
"""Those that ask for a death soon, or by one signal at any time."""
SOON_MS = 10_000
RELOADING = {"h": 1, "1": 10, "2": 12, "a": 14, "y": 28}
"""Those that ask for death by one signal."""
NEUTRAL = "pcPCuU"


def died_after(letters: str, wait_status: int, after_ms: int = 0) -> Simulated:
    """Start a service, write letters to its supervisor, let it die."""
    service = Simulated()
    service.has_finish = False
    service.advance(0)
    for letter in letters:
        command = COMMANDS[letter.encode()]
        service.happen(command.event, command.signal)
    service.happen(events.WANT_UP)
    service.advance(after_ms)
    service.die(wait_status)
    return service


@pytest.mark.parametrize("wait_status", [0, EXITED_3, 9, 11 | 0x80, 15, 1])
@pytest.mark.parametrize("letter", [*ENDING, *ORDERS])
def test_a_death_after_an_order_to_end(letter: str, wait_status: int) -> None:
    """Whether it is the signal that kills, or the program that ends by itself."""
    assert not died_after(letter, wait_status).reported
    assert not died_after(letter, wait_status, SOON_MS).reported


@pytest.mark.parametrize("letter", ORDERS)
def test_a_death_long_after_an_order(letter: str) -> None:
    """Some need long to end: nobody has taken the order back."""
    assert not died_after(letter, EXITED_3, 3_600_000).reported


@pytest.mark.parametrize("letter", ENDING)
def test_a_death_long_after_a_signal(letter: str) -> None:
    """What went on has not taken it for an order to end: QUIT shows Java's threads."""
    signum = ENDING[letter]
    assert not died_after(letter, signum, SOON_MS + 1).reported
    assert not died_after(letter, signum | 0x80, SOON_MS + 1).reported
    for wait_status in (0, EXITED_3, 128 + signum << 8, 11):
        told = died_after(letter, wait_status, SOON_MS + 1).reported
        assert told == [wait_status]


@given(
    st.lists(st.tuples(st.sampled_from([*ENDING, *RELOADING]), st.integers(0, 12_000))),
    st.sampled_from([0, EXITED_3, *ENDING.values(), *RELOADING.values(), 11]),
)
def test_signals_of_a_life(sent: list[tuple[str, int]], wait_status: int) -> None:
    """The death is asked for by the one that killed it, or the last that means end."""
    service = Simulated()
    service.advance(0)
    since_ms = SOON_MS + 1
    for letter, pause_ms in sent:
        command = COMMANDS[letter.encode()]
        service.happen(command.event, command.signal)
        since_ms = pause_ms if letter in ENDING else since_ms + pause_ms
        service.advance(pause_ms)
    service.die(wait_status)
    numbers = {{**ENDING, **RELOADING}[letter] for letter, _ in sent}
    asked = since_ms <= SOON_MS or wait_status in numbers
    assert service.machine.restarts.unasked == (not asked)


@pytest.mark.parametrize("letter", RELOADING)
def test_a_death_after_a_signal_that_may_mean_anything(letter: str) -> None:
    """It is asked for if that is what it died of, and not if it died otherwise."""
    signum = RELOADING[letter]
    assert not died_after(letter, signum).reported
    for wait_status in (0, EXITED_3, 128 + signum << 8, 9, 15):
        assert died_after(letter, wait_status).reported == [wait_status]


@pytest.mark.parametrize("letter", NEUTRAL)
def test_a_death_after_other_commands(letter: str) -> None:
    """They have not caused it."""
    assert died_after(letter, EXITED_3).reported == [EXITED_3]


@pytest.mark.parametrize("letter", "oOQ")
def test_a_service_that_runs_once_may_die(letter: str) -> None:
    """It was not to be up for ever; unless it is in the meantime."""
    assert died_after(letter, EXITED_3).reported == [EXITED_3]
    service = Simulated()
    service.advance(0)
    service.happen(COMMANDS[letter.encode()].event)
    service.die()
    service.die()
    assert not service.reported


def test_orders_are_about_one_life() -> None:
    """The next one has a death of its own."""
    service = died_after("r", 15)
    service.advance(1000)
    service.die(EXITED_3)
    assert service.reported == [EXITED_3]
    other = died_after("q", 3)
    other.advance(1000)
    other.die(EXITED_3)
    assert other.reported == [EXITED_3]


@pytest.mark.parametrize(
    "event", [events.TERM, events.HUP, events.EXIT, events.DRAIN, events.INT]
)
@pytest.mark.parametrize("has_finish", [True, False])
def test_a_death_during_a_stop_is_nobody_s_worry(event: str, has_finish: bool) -> None:
    """Nor does it give up, nor wait."""
    service = Simulated()
    service.has_finish = has_finish
    service.backoff, service.limit = Backoff(20, 2000, 80), Limit(1, 1, b"1ms")
    service.advance(0)
    service.happen(event)
    while service.alive and not service.ended:
        service.die(EXITED_3)
    assert service.ended
    assert (service.reported, service.reasons) == ([], [])
    assert b"O" not in service.heard
