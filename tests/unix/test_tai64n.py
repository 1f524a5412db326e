"""TAI64N labels against what the real s6-tai64n wrote under a given clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s6log.unix.tai64n import (
    LABEL_BYTES,
    LEAP_SECONDS,
    NANOSECONDS,
    ROUNDING_NS,
    label,
    parse,
    tai_second,
    unix_ns,
    unix_second,
)

# (seconds, nanoseconds) of the clock, and the stamp that Debian's s6-tai64n 2.11
# made of them; every reading is rounded, so they all go through ROUNDING_NS.
RECORDED = [
    (0, 0, b"@400000000000000a000001f4"),
    (0, 499, b"@400000000000000a000003e7"),
    (100, 999_999_499, b"@400000000000006e3b9ac9ff"),
    (100, 999_999_500, b"@400000000000006f00000000"),
    (78796799, 999_999_499, b"@4000000004b258093b9ac9ff"),
    (78796799, 999_999_500, b"@4000000004b2580b00000000"),
    (78796800, 0, b"@4000000004b2580b000001f4"),
    (1483228799, 999_999_400, b"@40000000586846a33b9ac99c"),
    (1483228799, 999_999_600, b"@40000000586846a500000064"),
    (1483228800, 0, b"@40000000586846a5000001f4"),
    (1500000000, 1, b"@4000000059682f25000001f5"),
    (-1, 0, b"@4000000000000009000001f4"),
    (-11, 0, b"@3fffffffffffffff000001f4"),
    (253402300800, 0, b"@4000003afff441a5000001f4"),
    (99999999999999, 0, b"@40005af3107a4024000001f4"),
]
INSTANTS_NS = st.integers(-(1 << 60), 1 << 68)


@pytest.mark.parametrize(("second", "nanoseconds", "stamp"), RECORDED)
def test_a_rounded_reading_gives_the_label_of_s6(
    second: int, nanoseconds: int, stamp: bytes
) -> None:
    """The label of a clock reading plus its rounding is the one that s6 writes."""
    assert label(second * NANOSECONDS + nanoseconds + ROUNDING_NS) == stamp


@given(INSTANTS_NS)
def test_a_label_can_be_read_back(instant_ns: int) -> None:
    """Every instant comes back from its label, in either case of the digits."""
    written = label(instant_ns)
    assert len(written) == LABEL_BYTES
    assert unix_ns(written) == instant_ns
    assert unix_ns(written.upper()) == instant_ns


@given(INSTANTS_NS, INSTANTS_NS)
def test_labels_sort_as_their_instants_do(one_ns: int, other_ns: int) -> None:
    """The order of labels as bytes is the order of time."""
    assert (label(one_ns) < label(other_ns)) == (one_ns < other_ns)


@pytest.mark.parametrize("leap", LEAP_SECONDS)
def test_a_leap_second_has_a_label_that_no_clock_gives(leap: int) -> None:
    """Between the Unix seconds around it there is one more TAI second."""
    before, after = tai_second(leap - 1), tai_second(leap)
    assert after == before + 2
    assert unix_second(before) == (leap - 1, False)
    assert unix_second(before + 1) == (leap - 1, True)
    assert unix_second(after) == (leap, False)


def test_a_leap_second_counts_as_the_second_before_it() -> None:
    """The label of 2016-12-31T23:59:60.5 gives the Unix time of 23:59:59.5."""
    assert unix_ns(b"@40000000586846a41dcd6500") == 1483228799_500_000_000


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"@",
        b"40000000586846a41dcd65000",
        b"@40000000586846a41dcd650",
        b"@40000000586846a41dcd65000",
        b"@40000000586846a41dcd650g",
        b"@+0000000586846a41dcd6500",
        b"@4000000_586846a41dcd6500",
        b"@ 0000000586846a41dcd6500",
        b"@40000000586846a4 dcd6500",
        b"@40000000586846a41dcd650\n",
    ],
)
def test_what_is_no_label_is_refused(text: bytes) -> None:
    """Only `@` and 24 hex digits are a label; int() would take more."""
    assert parse(text) is None
    assert unix_ns(text) is None


def test_nanoseconds_stay_within_a_second() -> None:
    """A label with a billion nanoseconds parses, but names no instant."""
    assert parse(b"@400000000000000a3b9aca00") == (10, NANOSECONDS)
    assert unix_ns(b"@400000000000000a3b9aca00") is None
