"""Lists of causes of death, and which deaths they are about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standins import NOW_NS, SECOND_NS
from supervisor.clients.causes import Causes, Invalid, fatal_death, read
from supervisor.service.signal_names import NAMES
from supervisor.service.tally import Death


def causes(codes: set[int], signals: set[int]) -> Causes:
    """Make a list out of what is in it."""
    made = Causes()
    made.codes, made.signals = codes, signals
    return made


@pytest.mark.parametrize(
    ("text", "codes", "signals"),
    [
        (b"", set(), set()),
        (b"7", {7}, set()),
        (b"007", {7}, set()),
        (b"1,101-103,SIGSEGV,SIGBUS", {1, 101, 102, 103}, {11, 7}),
        (b"1, 2;3\t4\n5\r6", {1, 2, 3, 4, 5, 6}, set()),
        (b"1,,2, ", {1, 2}, set()),
        (b"0-255", set(range(256)), set()),
        (b"9-9", {9}, set()),
        (b"term SigKill hup", set(), {15, 9, 1}),
        (b"SIG15 sig09 SIG64", set(), {15, 9, 64}),
        (b"SIGCLD SIGIOT SIGIO", set(), {17, 6, 29}),
        (b"7SIGTERM", {7}, {15}),
        (b"1-3TERM", {1, 2, 3}, {15}),
    ],
)
def test_lists_that_are_valid(text: bytes, codes: set[int], signals: set[int]) -> None:
    """Codes, ranges and signals, in any order."""
    found = read(text)
    assert (found.codes, found.signals) == (codes, signals)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b",1", "status list specification"),
        (b",", "status list specification"),
        (b" 1", "status list specification"),
        (b"foo", "status list specification"),
        (b"SIG", "status list specification"),
        (b"SIGTERMx", "status list specification"),
        (b"1-5-9", "status list specification"),
        (b"0x7", "status list specification"),
        (b"+1", "status list specification"),
        (b"SIG 15", "status list specification"),
        (b"256", "exit code"),
        (b"1-256", "exit code"),
        (b"4294967303", "exit code"),
        (b"9-7", "interval"),
        (b"9-", "interval specification"),
        (b"9-TERM", "interval specification"),
        (b"SIG0", "signal"),
        (b"SIG32", "signal"),
        (b"SIG65", "signal"),
        (b"SIG99999999999", "signal"),
    ],
)
def test_lists_that_are_not(text: bytes, why: str) -> None:
    """Each with its reason."""
    with pytest.raises(Invalid) as refused:
        read(text)
    assert str(refused.value) == f"invalid {why}"


@given(st.binary(max_size=20))
def test_any_list_is_either(text: bytes) -> None:
    """Nothing else happens to it."""
    try:
        found = read(text)
    except Invalid:
        return
    assert found.codes <= set(range(256))
    assert found.signals <= set(range(1, 65))


@given(st.sets(st.integers(0, 255)), st.sets(st.sampled_from(NAMES)))
def test_what_is_listed_is_found(codes: set[int], names: set[bytes]) -> None:
    """All of it and no more."""
    words = [b"%d" % code for code in codes] + [b"SIG" + name for name in names]
    found = read(b",".join(words))
    assert found.codes == codes
    assert found.signals == {NAMES.index(name) + 1 for name in names}


def test_a_signal_has_an_exit_code_too() -> None:
    """137 means SIGKILL as well as exit 137; SIGKILL is the signal alone."""
    killed, exited = Death(0, 137, 9), Death(0, 137, 0)
    assert causes({137}, set()).include(killed)
    assert causes({137}, set()).include(exited)
    assert causes(set(), {9}).include(killed)
    assert not causes(set(), {9}).include(exited)
    assert not causes({9}, {15}).include(killed)


def test_the_one_that_is_too_many_is_given() -> None:
    """The oldest ones of those that are recent enough are counted first."""
    deaths = [Death(NOW_NS + n * SECOND_NS, n, 0) for n in range(10)]
    any_code = causes(set(range(256)), set())

    def code(since_s: int, count: int) -> int | None:
        since_ns = NOW_NS + since_s * SECOND_NS
        death = fatal_death(deaths, any_code, since_ns, count)
        return None if death is None else death.code

    assert code(0, 1) == 0
    assert code(0, 10) == 9
    assert code(0, 11) is None
    assert code(4, 1) == 4  # the very instant counts
    assert code(4, 6) == 9
    assert code(4, 7) is None
    assert fatal_death(deaths, causes({3, 5}, set()), NOW_NS, 2) is deaths[5]
    assert fatal_death(deaths, causes(set(), set()), NOW_NS, 1) is None
