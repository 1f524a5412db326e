"""The records of deaths, against bytes that the real programs wrote."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.service.tally import (
    DEFAULT_MOST,
    MOST,
    RECORD_BYTES,
    Death,
    add,
    decode,
    encode,
    of_status,
)

# By s6-supervise 2.11.3.2: exit 3, then SIGTERM.
WRITTEN = bytes.fromhex("400000006b022eb037860e920300400000006b022eb201cc7cbd8f0f")
DEATHS = st.builds(
    Death,
    when_ns=st.integers(0, 1 << 66),
    code=st.integers(0, 255),
    signal=st.integers(0, 127),
)


def fields(death: Death) -> tuple[int, int, int]:
    """List what a death consists of."""
    return death.when_ns, death.code, death.signal


def test_what_s6_wrote_is_read_as_it_meant_it() -> None:
    """An exit has its code; a signal has 128 and its number as the code."""
    exit_3, terminated = decode(WRITTEN)
    assert fields(exit_3) == (1795305099_931532434, 3, 0)
    assert fields(terminated) == (1795305101_030178493, 143, 15)
    assert encode(exit_3) + encode(terminated) == WRITTEN


@given(st.lists(DEATHS, max_size=20))
def test_records_can_be_read_back(deaths: list[Death]) -> None:
    """In their order, 14 bytes each."""
    tally = b"".join(map(encode, deaths))
    assert len(tally) == 14 * len(deaths)
    assert list(map(fields, decode(tally))) == list(map(fields, deaths))


@given(st.binary(max_size=100).filter(lambda tally: len(tally) % RECORD_BYTES))
def test_a_file_of_another_size_is_empty(tally: bytes) -> None:
    """Nothing is read out of it, and the next death replaces it."""
    death = Death(1, 7, 0)
    assert decode(tally) == []
    assert add(tally, death, 5) == encode(death)


@given(st.lists(DEATHS, max_size=12), st.integers(1, 8))
def test_exactly_the_newest_are_kept(deaths: list[Death], most: int) -> None:
    """One after another, as many as are asked for."""
    tally = b""
    for death in deaths:
        tally = add(tally, death, most)
    assert tally == b"".join(map(encode, deaths[-most:]))


@given(st.lists(DEATHS, max_size=12), DEATHS, st.integers(1, 8))
def test_a_smaller_number_shortens_a_longer_tally(
    deaths: list[Death], death: Death, most: int
) -> None:
    """At the next death; what goes is the oldest."""
    tally = b"".join(map(encode, deaths))
    assert decode(add(tally, death, most))[-1].when_ns == death.when_ns
    assert add(tally, death, most) == (tally + encode(death))[-14 * most :]


@given(st.binary(max_size=100))
def test_with_none_asked_for_the_file_stays_as_it_is(tally: bytes) -> None:
    """Whatever is in it."""
    assert add(tally, Death(1, 0, 9), 0) == tally


def test_never_more_than_the_limit_are_kept() -> None:
    """4096, as in s6, even where more are asked for."""
    full = encode(Death(1, 0, 0)) * MOST
    longer = add(full, Death(2, 0, 0), 1_000_000)
    assert len(longer) == 4096 * RECORD_BYTES
    assert longer.endswith(encode(Death(2, 0, 0)))


def test_a_hundred_are_kept_unless_told_otherwise() -> None:
    """As the manual page of the service directory says."""
    assert DEFAULT_MOST == 100


@pytest.mark.parametrize(
    ("wait_status", "code", "signal"),
    [
        (0, 0, 0),
        (3 << 8, 3, 0),
        (255 << 8, 255, 0),
        (15, 143, 15),
        (9, 137, 9),
        (11 | 0x80, 139, 11),  # with a core
        (64, 192, 64),
    ],
)
def test_a_wait_status_says_how_it_died(
    wait_status: int, code: int, signal: int
) -> None:
    """As wait(2) has it, and as the system's own macros read it."""
    death = of_status(5, wait_status)
    assert fields(death) == (5, code, signal)
    if signal:
        assert os.WTERMSIG(wait_status) == signal
    else:
        assert os.WEXITSTATUS(wait_status) == code
