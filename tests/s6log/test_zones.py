"""Local time by the name of a zone, against the C library's."""

import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s6log.zones import localtime_of

IANA = (
    b"Europe/Berlin",
    b"America/New_York",
    b"Asia/Kathmandu",
    b"Australia/Lord_Howe",
)
POSIX = (
    b"CET-1CEST,M3.5.0,M10.5.0/3",
    b"EST5EDT4,M3.2.0,M11.1.0",
    b"IST-5:30",
    b"UTC+3",
    b"NZST-12NZDT,M9.5.0,M4.1.0/3",
)
BERLIN_SUMMER, BERLIN_WINTER = 1774746000, 1792890000  # of 2026, both at 01:00 UTC
SECONDS = [
    0,
    1_000_000_000,
    1_764_375_766,
    *range(1_767_225_600, 1_798_761_600, 86_400 * 3 + 3_601),
    *(BERLIN_SUMMER + i for i in (-3601, -3600, -1, 0, 1, 3599, 3600)),
    *(BERLIN_WINTER + i for i in (-7200, -3601, -3600, -1, 0, 1, 3599, 3600)),
]

ASK = """
import sys, time
for second in sys.argv[1:]:
    date = time.localtime(int(second))
    print(*date[:9], date.tm_zone, date.tm_gmtoff)
"""


def fields(date: time.struct_time) -> str:
    """Write all that strftime could ask for."""
    return " ".join(map(str, (*date[:9], date.tm_zone, date.tm_gmtoff)))


def asked_of_libc(zone: bytes) -> list[str]:
    """Ask a process in that zone for the local time at each of SECONDS."""
    asked = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ASK, *map(str, SECONDS)],
        env={b"TZ": zone},
        capture_output=True,
        text=True,
        check=True,
    )
    return asked.stdout.splitlines()


@pytest.mark.parametrize("zone", IANA + POSIX, ids=bytes.decode)
def test_local_time_is_that_of_a_process_in_the_zone(zone: bytes) -> None:
    """With its offset, letters and summer time, before and after each change."""
    localtime = localtime_of(zone)
    assert [fields(localtime(second)) for second in SECONDS] == asked_of_libc(zone)


def test_an_hour_comes_twice_with_different_offsets() -> None:
    """In autumn, the clock goes back."""
    localtime = localtime_of(b"Europe/Berlin")
    before, after = localtime(BERLIN_WINTER - 1), localtime(BERLIN_WINTER + 3599)
    assert before[:6] == after[:6] == (2026, 10, 25, 2, 59, 59)
    assert (before.tm_zone, before.tm_gmtoff, before.tm_isdst) == ("CEST", 7200, 1)
    assert (after.tm_zone, after.tm_gmtoff, after.tm_isdst) == ("CET", 3600, 0)


@pytest.mark.parametrize("zone", [b"UTC", b"GMT", b"Z"])
def test_utc_needs_no_database(zone: bytes) -> None:
    """It is the C library's."""
    assert localtime_of(zone) is time.gmtime


def test_no_name_is_the_zone_of_the_process() -> None:
    """As if nothing had been asked for."""
    assert localtime_of(b"") is time.localtime


@pytest.mark.parametrize(
    "zone",
    [
        b"Europe",
        b"Europe/",
        b"Europe//Berlin",
        b"Europe/Berlin1",
        b"Europe/Berlin\n",
        b"Europe/./Berlin",
        b"/etc/localtime",
        b"../../etc/passwd",
        b"Mars/Olympus",
        b"CET-1CEST\n",
        b"CET-1CEST,M13.1.0,M10.5.0",
        b"CET-99",
        b"CET-1CEST,x",
        b"zone.tab",
        b"tzdata.zi",
        b".",
        b"..",
        b" ",
        b"a\0b",
        b"\xff",
        "é".encode(),
        b"x" * 5000,
    ],
    ids=repr,
)
def test_what_names_no_zone_is_refused(zone: bytes) -> None:
    """With an exception of one kind, which says so."""
    with pytest.raises(LookupError, match="zone"):
        localtime_of(zone)


@given(
    st.binary()
    | st.text().map(str.encode)
    | st.from_regex(rb"\A[A-Z]{3}[-+\d:,MJ./A-Z]*\Z")
)
def test_any_name_is_a_zone_or_refused(zone: bytes) -> None:
    """Whatever the bytes: never another exception, not even later."""
    try:
        localtime = localtime_of(zone)
    except LookupError:
        return
    assert localtime(1_764_375_766).tm_year == 2025


@pytest.mark.parametrize("zone", [b"UTC", b"Europe/Berlin", b"CET-1"], ids=bytes.decode)
@pytest.mark.parametrize("second", [1e18, -1e18, 1e25])
def test_an_instant_beyond_all_calendars_is_an_error_of_one_sort(
    zone: bytes, second: float
) -> None:
    """That of time.localtime, so that callers need not know the zone."""
    with pytest.raises((OverflowError, OSError)):
        localtime_of(zone)(second)
