"""The words for a service, and how bad they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standins import NOW_NS, down, statuses, up
from supervisor.clients.fields import View
from supervisor.clients.reports import (
    BAD,
    CALM,
    ODD,
    Report,
    duration,
    last,
    logger,
    pid,
    printable,
    ready,
    restarts,
    since,
    state,
)
from supervisor.service.status import FINISHING, PAUSED, READY, WANT_UP, Status

UNSUPERVISED = Report(b"x", None, "not supervised")


def report(status: Status, normally_up: bool = True, deaths: int = 0) -> Report:
    """Report on a service with this status."""
    made = Report(b"x", View(status, normally_up, NOW_NS))
    made.deaths = deaths
    made.most = 100
    return made


STATES = (
    (up(9, WANT_UP), True, "up", CALM),
    (up(9, WANT_UP), False, "up, normally down", ODD),
    (up(9, 0), True, "up, want down", ODD),
    (up(9, 0), False, "up, want down", ODD),
    (up(9, WANT_UP | PAUSED), True, "paused", ODD),
    (up(9, PAUSED), True, "paused, want down", ODD),
    (down(9, READY), False, "down", CALM),
    (down(9, READY), True, "down, normally up", ODD),
    (down(9, WANT_UP), True, "down, want up", BAD),
    (down(9, WANT_UP), False, "down, want up", BAD),
    (down(9, WANT_UP | PAUSED), True, "not started, want up", BAD),
    (down(9, PAUSED), False, "not started", CALM),
    (up(9, FINISHING | WANT_UP), True, "finishing, want up", BAD),
    (up(9, FINISHING), True, "finishing, normally up", ODD),
    (up(9, FINISHING), False, "finishing", ODD),
)


@pytest.mark.parametrize(("status", "normally_up", "word", "tone"), STATES)
def test_the_state_tells_what_is_not_as_it_should_be(
    status: Status, normally_up: bool, word: str, tone: int
) -> None:
    """What is wanted comes before what is usual."""
    assert state(report(status, normally_up)) == (word, tone)


def test_what_nobody_supervises_is_bad_news() -> None:
    """It says so, and nothing else."""
    assert state(UNSUPERVISED) == ("not supervised", BAD)
    assert ready(UNSUPERVISED) == restarts(UNSUPERVISED) == ("-", CALM)
    assert since(UNSUPERVISED) == pid(UNSUPERVISED) == last(UNSUPERVISED, False) == "-"
    assert not UNSUPERVISED.up


@given(statuses(NOW_NS), st.booleans())
def test_only_what_is_as_wanted_and_as_usual_is_calm(
    status: Status, normally_up: bool
) -> None:
    """Whatever the status says."""
    tone = state(report(status, normally_up))[1]
    if status.want_up and not status.up:
        assert tone == BAD
    elif status.up != status.want_up or status.up != normally_up:
        assert tone == ODD


def test_readiness_counts_where_it_is_told() -> None:
    """A service without notification-fd is never ready, and that is no news."""
    service = report(up(9, WANT_UP))
    assert ready(service) == ("-", CALM)
    service.notifies = True
    assert ready(service) == ("no", ODD)
    assert ready(report(up(9, WANT_UP | READY))) == ("yes", CALM)
    assert ready(report(down(9, READY))) == ("-", CALM)


@pytest.mark.parametrize(
    ("status", "deaths", "most", "expected"),
    [
        (up(9, WANT_UP), 0, 100, ("0", CALM)),
        (up(9, WANT_UP), 3, 100, ("3", ODD)),
        (up(60, WANT_UP), 3, 100, ("3", CALM)),
        (up(9, 0), 3, 100, ("3", CALM)),
        (down(9, READY), 3, 100, ("3", CALM)),
        (down(0, WANT_UP), 3, 100, ("3", ODD)),
        (up(3600, WANT_UP), 100, 100, ("100+", CALM)),
        (up(3600, WANT_UP), 4, 4, ("4+", CALM)),
        (up(9, WANT_UP), 0, 0, ("-", CALM)),
    ],
)
def test_restarts_are_odd_while_they_are_fresh(
    status: Status, deaths: int, most: int, expected: tuple[str, int]
) -> None:
    """In the first minute; a full tally may have forgotten some."""
    service = report(status, True, deaths)
    service.most = most
    assert restarts(service) == expected


def test_the_last_exit_is_told_of_one_that_has_died() -> None:
    """Also when it is up again; 0 is what stands there before."""
    assert last(report(up(9, WANT_UP)), False) == "-"
    assert last(report(up(9, WANT_UP), True, 1), False) == "exitcode 0"
    assert last(report(up(9, WANT_UP, 1, 15)), False) == "signal SIGTERM"
    assert last(report(down(9, WANT_UP, 15)), True) == "signal 15"


def test_a_logger_is_told_of_in_one_cell() -> None:
    """With its restarts, as bad as either of them is."""
    service = report(up(9, WANT_UP))
    assert logger(service) == ("-", CALM)
    service.logger = report(up(9, WANT_UP))
    assert logger(service) == ("up", CALM)
    service.logger = report(up(9, WANT_UP), True, 2)
    assert logger(service) == ("up, 2 restarts", ODD)
    service.logger = report(down(0, WANT_UP), True, 100)
    assert logger(service) == ("down, want up, 100+ restarts", BAD)
    service.logger = UNSUPERVISED
    assert logger(service) == ("not supervised", BAD)


def test_since_and_pid_are_of_what_there_is() -> None:
    """A service that was never started has neither; finish's pid is not run's."""
    assert since(report(up(61, WANT_UP))) == "1m 1s"
    assert pid(report(up(61, WANT_UP))) == "4242"
    assert since(report(down(9, WANT_UP | PAUSED))) == "-"
    assert pid(report(up(9, FINISHING))) == "-"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0s"),
        (59, "59s"),
        (60, "1m 0s"),
        (3599, "59m 59s"),
        (3600, "1h 0m"),
        (86399, "23h 59m"),
        (86400, "1d 0h"),
        (3 * 86400 + 4 * 3600 + 59, "3d 4h"),
        (400 * 86400, "400d 0h"),
    ],
)
def test_durations_are_for_people(seconds: int, expected: str) -> None:
    """Two units at most, the smaller one cut off."""
    assert duration(seconds) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"web", "web"),
        ("café".encode(), "café"),
        (b"a b", "a b"),
        (b"\033[31mred", "\\x1b[31mred"),
        (b"two\nlines", "two\\x0alines"),
        (b"\xff\xfe", "\\xff\\xfe"),
    ],
)
def test_names_cannot_disturb_a_terminal(name: bytes, expected: str) -> None:
    """Whatever a directory is called."""
    assert printable(name) == expected


@given(st.binary(min_size=1, max_size=20))
def test_any_name_is_one_printable_line(name: bytes) -> None:
    """That UTF-8 can carry."""
    assert printable(name).isprintable()
    assert printable(name).encode()
