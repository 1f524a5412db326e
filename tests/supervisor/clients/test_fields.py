"""What a status is called: text and fields, without any files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standins import NOW_NS, SECOND_NS, down, statuses, up
from supervisor.clients.fields import FIELDS, View, field, find, last_exit, text
from supervisor.service.status import FINISHING, PAUSED, READY, WANT_UP, Status

VIEWS = st.builds(View, statuses(NOW_NS), st.booleans(), st.just(NOW_NS))

TEXTS = (
    (up(3, WANT_UP), True, "up (pid 4242 pgid 4242) 3 seconds"),
    (
        up(3, WANT_UP | READY),
        True,
        "up (pid 4242 pgid 4242) 3 seconds, ready 3 seconds",
    ),
    (
        up(0),
        False,
        "up (pid 4242 pgid 4242) 0 seconds, normally down, want down",
    ),
    (
        up(9, WANT_UP | PAUSED),
        True,
        "up (pid 4242 pgid 4242) 9 seconds, paused",
    ),
    (
        down(5, WANT_UP | READY, 7 << 8),
        True,
        "down (exitcode 7) 5 seconds, normally up, want up, ready 5 seconds",
    ),
    (
        up(0, WANT_UP | FINISHING, 99, 9),
        True,
        "down (signal SIGKILL) 0 seconds, normally up, want up",
    ),
    (down(1, READY, 0), False, "down (exitcode 0) 1 seconds, ready 1 seconds"),
    (
        down(60, WANT_UP | READY | PAUSED),
        True,
        "down (not started yet) , normally up, want up",
    ),
    (down(60, READY | PAUSED), False, "down (not started yet) "),
)


@pytest.mark.parametrize(("status", "normally_up", "expected"), TEXTS)
def test_the_text_is_that_of_s6(
    status: Status, normally_up: bool, expected: str
) -> None:
    """Word for word, odd blanks and plurals included."""
    assert text(View(status, normally_up, NOW_NS), False).decode() == expected


def test_a_stamp_that_is_yet_to_come_counts_as_now() -> None:
    """Clocks are set back; s6 does so for the one stamp, and wraps the other."""
    status = up(-100, READY)
    ends = text(View(status, True, NOW_NS), False).decode().partition(") ")[2]
    assert ends == "0 seconds, want down, ready 0 seconds"


def test_seconds_are_whole_ones() -> None:
    """Those that are over, not the nearest."""
    almost = Status(1, NOW_NS - 2 * SECOND_NS + 1, NOW_NS, 0, WANT_UP)
    assert field(View(almost, True, NOW_NS), b"updownfor") == b"1"


@pytest.mark.parametrize(
    ("wait_status", "name", "number"),
    [
        (0, b"exitcode 0", b"exitcode 0"),
        (3 << 8, b"exitcode 3", b"exitcode 3"),
        (15, b"signal SIGTERM", b"signal 15"),
        (11 | 0x80, b"signal SIGSEGV", b"signal 11"),
        (40, b"signal SIG???", b"signal 40"),
    ],
)
def test_an_exit_is_told_by_name_or_number(
    wait_status: int, name: bytes, number: bytes
) -> None:
    """Of signals; that a core was dumped is not told."""
    assert last_exit(wait_status, False) == name
    assert last_exit(wait_status, True) == number


FIELD_CASES = (
    (
        up(3, WANT_UP | READY | PAUSED),
        "true true true true true 4242 4242 -1 NA -1",
    ),
    (down(3, READY, 15), "false false true false false -1 -1 -1 SIGTERM 15"),
    (down(3, WANT_UP, 7 << 8), "false true true false false -1 -1 7 NA -1"),
    (
        up(3, FINISHING, 99, 7 << 8),
        "false false true false false -1 -1 7 NA -1",
    ),
    (
        down(3, WANT_UP | READY | PAUSED),
        "false true true false false -1 -1 -1 NA -1",
    ),
)


@pytest.mark.parametrize(("status", "expected"), FIELD_CASES)
def test_fields_that_are_not_times(status: Status, expected: str) -> None:
    """What there is not is -1 or NA; before its first start nothing has died."""
    view = View(status, True, NOW_NS)
    names = list(FIELDS)[: len(expected.split())]
    assert b" ".join(field(view, name) for name in names).decode() == expected


def test_times_are_labels_and_seconds() -> None:
    """Of the last change, and of the last time that it was ready."""
    status = Status(1, NOW_NS - 9 * SECOND_NS - 1, NOW_NS - 4 * SECOND_NS, 0, READY)
    view = View(status, True, NOW_NS)
    values = [field(view, name) for name in list(FIELDS)[-4:]]
    assert values == [
        b"@400000006b49d21b3b9ac9ff",
        b"@400000006b49d22100000000",
        b"9",
        b"4",
    ]


@given(VIEWS, st.sampled_from(sorted(FIELDS)))
def test_a_field_is_one_word(view: View, name: bytes) -> None:
    """So that a line of them can be split at its blanks."""
    assert len(field(view, name).split()) == 1


@given(VIEWS)
def test_at_most_one_cause_of_death_is_given(view: View) -> None:
    """While it is down after a death, and exactly one then."""
    causes = [view.exit_code is not None, view.signal is not None]
    died = view.status.started and not view.status.up
    assert sum(causes) == died


@pytest.mark.parametrize("name", FIELDS)
def test_a_whole_name_means_its_field(name: bytes) -> None:
    """Also where it begins another name."""
    assert find(name) == name


@pytest.mark.parametrize(
    ("word", "name"),
    [
        (b"u", b"up"),
        (b"r", b"ready"),
        (b"readys", b"readysince"),
        (b"p", b"paused"),
        (b"pi", b"pid"),
        (b"s", b"signal"),
        (b"sign", b"signal"),
        (b"signu", b"signum"),
        (b"upd", b"updownsince"),
        (b"x", None),
        (b"", None),
        (b"upp", None),
        (b"UP", None),
    ],
)
def test_a_beginning_means_the_first_field_of_s6(
    word: bytes, name: bytes | None
) -> None:
    """In the order of s6 2.11, which takes beginnings."""
    assert find(word) == name
