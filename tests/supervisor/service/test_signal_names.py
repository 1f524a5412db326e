"""Signals by name and number, as s6 2.11 prints them and every version reads them."""

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.service.signal_names import ALIASES, LAST, NAMES, UNKNOWN, name, number

# In the order of their numbers, from the output of s6-svstat 2.11.3.2.
PRINTED = (
    *("HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1"),
    *("SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP"),
    *("TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "POLL", "PWR"),
    "SYS",
)


@pytest.mark.parametrize(("value", "printed"), list(enumerate(PRINTED, 1)))
def test_a_name_is_printed_as_s6_does(value: int, printed: str) -> None:
    """With SIG before it."""
    assert name(value) == b"SIG" + printed.encode()


@pytest.mark.parametrize("value", [-1, 0, 32, 33, 34, 64, 65, 255])
def test_a_number_without_a_name_is_printed_with_question_marks(value: int) -> None:
    """Real-time signals among them."""
    assert name(value) == UNKNOWN == b"SIG???"


def test_the_numbers_are_those_of_the_system() -> None:
    """Names and aliases mean what signal.h says."""
    for word in (*NAMES, *ALIASES):
        assert number(word) == signal.Signals["SIG" + word.decode()]


@given(st.sampled_from([*NAMES, *ALIASES]), st.sampled_from([b"", b"SIG"]), st.data())
def test_a_name_is_read_in_any_case(
    word: bytes, prefix: bytes, data: st.DataObject
) -> None:
    """With SIG before it or without."""
    cases = st.tuples(*(st.sampled_from((c, c | 0x20)) for c in prefix + word))
    assert number(bytes(data.draw(cases))) == number(word)


@given(st.integers(0, 99_999), st.sampled_from([b"%d", b"SIG%d", b"sig%d", b"%05d"]))
def test_a_number_is_read_when_there_is_such_a_signal(value: int, form: bytes) -> None:
    """From 1 to the last real-time signal; s6 takes the others too, for nothing."""
    assert number(form % value) == (value if 1 <= value <= LAST else None)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"SIG",
        b"SIGSIGTERM",
        b"TERM ",
        b" TERM",
        b"15 ",
        b"+15",
        b"-1",
        b"1_5",
        b"0x9",
        b"T",
        b"TERMS",
        b"HUP INT",
        b"\xb2",
        b"9" * 5000,
        b"RTMIN",
    ],
)
def test_anything_else_is_no_signal(text: bytes) -> None:
    """Whatever is in a file, reading it does not fail."""
    assert number(text) is None


@given(st.binary(max_size=64))
def test_reading_never_fails(text: bytes) -> None:
    """It gives a signal's number or nothing."""
    value = number(text)
    assert value is None or 1 <= value <= LAST


@given(st.integers(1, 31))
def test_what_is_printed_can_be_read(value: int) -> None:
    """Every name that is printed means the same number."""
    assert number(name(value)) == value
