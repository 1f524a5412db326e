"""The stamps `t` and `T`, against what the real s6-log wrote under a given clock."""

import time
from datetime import datetime
from time import struct_time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s6log.stream.stamps import Iso, tai64n
from s6log.unix.tai64n import NANOSECONDS, tai_second, unix_ns

YEAR_9999 = 253402300799
SECONDS = st.integers(0, YEAR_9999)


def in_zone(name: str, second: float) -> struct_time:
    """Do what time.localtime does in a process with TZ=name."""
    return datetime.fromtimestamp(second, ZoneInfo(name)).timetuple()


@pytest.mark.parametrize(
    ("now_ns", "stamp", "iso"),
    [
        (0, b"@400000000000000a000001f4", b"1970-01-01 00:00:00.000000500"),
        (
            1483228799_999_999_400,
            b"@40000000586846a33b9ac99c",
            b"2016-12-31 23:59:59.999999900",
        ),
        (
            1483228799_999_999_600,
            b"@40000000586846a500000064",
            b"2017-01-01 00:00:00.000000100",
        ),
        (
            -11_000_000_000,
            b"@3fffffffffffffff000001f4",
            b"1969-12-31 23:59:49.000000500",
        ),
    ],
)
def test_both_stamps_show_the_rounded_instant(
    now_ns: int, stamp: bytes, iso: bytes
) -> None:
    """Half a microsecond is added to the reading, as s6-log does."""
    assert tai64n(now_ns) == stamp
    assert Iso(time.gmtime).at(now_ns) == iso


@given(st.integers(0, YEAR_9999 * NANOSECONDS))
def test_both_stamps_of_a_reading_are_the_same_instant(now_ns: int) -> None:
    """A reader gets the same nanoseconds from `t` and from `T`."""
    instant_ns = unix_ns(tai64n(now_ns))
    assert instant_ns is not None
    second, nanoseconds = divmod(instant_ns, NANOSECONDS)
    date = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second))
    assert Iso(time.gmtime).at(now_ns).decode() == f"{date}.{nanoseconds:09d}"


@given(st.lists(SECONDS, max_size=8), st.sampled_from([0, 999_999_499]))
def test_the_cache_does_not_show(seconds: list[int], nanoseconds: int) -> None:
    """One Iso for many readings writes what a fresh one for each would."""
    iso = Iso(time.gmtime)
    readings = [second * NANOSECONDS + nanoseconds for second in seconds]
    readings += readings  # each once more, some right behind each other
    assert [iso.at(at) for at in readings] == [
        Iso(time.gmtime).at(at) for at in readings
    ]


def test_a_second_is_asked_for_once() -> None:
    """Readings within one second cost one call of localtime."""
    asked: list[float] = []

    def localtime(second: float) -> struct_time:
        asked.append(second)
        return time.gmtime(second)

    iso = Iso(localtime)
    asked.clear()
    for now_ns in range(5 * NANOSECONDS, 6 * NANOSECONDS - 1000, NANOSECONDS // 7):
        iso.at(now_ns)
    assert asked == [5]


@pytest.mark.parametrize(
    ("zone", "leap_second"),
    [
        ("UTC", b"2016-12-31 23:59:60"),
        ("Europe/Berlin", b"2017-01-01 00:59:60"),
        ("Asia/Kathmandu", b"2017-01-01 05:44:60"),
    ],
)
def test_a_leap_second_is_second_60(zone: str, leap_second: bytes) -> None:
    """The TAI second between two Unix seconds is 60 in its minute, in any zone."""
    iso = Iso(lambda second: in_zone(zone, second))
    assert iso.second(tai_second(1483228800) - 1) == leap_second


def test_zones_that_count_leap_seconds_are_noticed() -> None:
    """With TZ=right/..., localtime takes TAI seconds less 10 and is given those."""

    def right_utc(second: float) -> struct_time:
        if second == 78796800:
            return struct_time((1972, 6, 30, 23, 59, 60, 4, 182, 0))
        return time.gmtime(second - (second > 78796800))

    iso = Iso(right_utc)
    assert iso.second(tai_second(78796799)) == b"1972-06-30 23:59:59"
    assert iso.second(tai_second(78796799) + 1) == b"1972-06-30 23:59:60"
    assert iso.second(tai_second(78796800)) == b"1972-07-01 00:00:00"
