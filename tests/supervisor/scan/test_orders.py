"""Letters and signals of s6-svscan."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.scan import orders


@pytest.mark.parametrize(
    ("letters", "wanted"),
    [
        (b"z", [orders.REAP]),
        (b"a", [orders.SCAN]),
        (b"h", [orders.SCAN, orders.PRUNE]),
        (b"n", [orders.PRUNE]),
        (b"N", [orders.PRUNE_ALL]),
        (b"t", [orders.STOP]),
        (b"i", [orders.STOP]),
        (b"q", [orders.STOP_ALL]),
        (b"b", [orders.ABORT]),
        (b"", []),
    ],
)
def test_each_letter_has_its_order(letters: bytes, wanted: list[str]) -> None:
    """As s6-svscanctl writes them."""
    assert orders.merge(letters) == (wanted, b"")


@pytest.mark.parametrize(
    ("letters", "wanted"),
    [
        (b"an", [orders.SCAN, orders.PRUNE]),
        (b"nN", [orders.PRUNE_ALL]),
        (b"tq", [orders.STOP_ALL]),
        (b"at", [orders.STOP, orders.SCAN]),
        (b"tb", [orders.STOP, orders.ABORT]),
    ],
)
def test_letters_are_merged_whatever_their_order(
    letters: bytes, wanted: list[str]
) -> None:
    """A scan comes before what it decides, and a stop before everything that waits."""
    for shuffled in permutations(letters):
        assert orders.merge(bytes(shuffled)) == (wanted, b"")


@given(st.binary(max_size=5000))
def test_any_bytes_are_understood_or_named(letters: bytes) -> None:
    """Garbage costs one warning, and changes nothing about the rest."""
    wanted, unknown = orders.merge(letters)
    assert len(wanted) <= len(orders.SEQUENCE)
    assert set(unknown) == set(letters) - set(b"zabhitqnN")
    assert orders.merge(bytes(c for c in letters if c not in unknown)) == (wanted, b"")


def test_signals_are_the_letters_of_s6() -> None:
    """What each signal does without a script."""
    builtin = {name: orders.in_sequence(o) for name, o in orders.SIGNALS.items() if o}
    assert builtin == {
        "SIGCHLD": orders.merge(b"z")[0],
        "SIGALRM": orders.merge(b"a")[0],
        "SIGABRT": orders.merge(b"b")[0],
        "SIGHUP": orders.merge(b"h")[0],
        "SIGTERM": orders.merge(b"t")[0],
        "SIGINT": orders.merge(b"t")[0],
        "SIGQUIT": orders.merge(b"q")[0],
    }


def test_a_script_may_answer_what_people_send() -> None:
    """But reaping, scanning and aborting always work."""
    assert {
        "SIGHUP",
        "SIGINT",
        "SIGTERM",
        "SIGQUIT",
        "SIGUSR1",
        "SIGUSR2",
        "SIGPWR",
        "SIGWINCH",
    } == orders.SCRIPTED
