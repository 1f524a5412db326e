"""The forms of `T`, against strftime and the stamps."""

import time
from time import struct_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s6log.stream.stamps import Iso
from s6log.stream.times import CONVERSIONS, FLAGS, FORMS, Times, check, size
from s6log.unix.tai64n import LEAP_SECONDS, NANOSECONDS, tai_second
from s6log.zones import localtime_of

SAMPLE_NS = 1795908166_123_456_789  # that of the table, but for the rounding
NOW_NS = SAMPLE_NS - 500
YEAR_9999 = 253402300799 - 86400  # the day before its last: zones are ahead
READINGS = st.integers(0, YEAR_9999 * NANOSECONDS)
ZONES = st.sampled_from([b"UTC", b"Europe/Berlin", b"America/St_Johns"])


def times(form: bytes, zone: bytes = b"UTC") -> Times:
    """Make one with the real functions."""
    return Times(form, localtime_of(zone), time.strftime)


@st.composite
def formats(draw: st.DrawFn) -> bytes:
    """Give valid formats of all sorts."""
    letters = st.sampled_from([*CONVERSIONS, "t"])
    flags = st.text(FLAGS, max_size=2)
    plain = st.text(st.characters(exclude_characters="%\n\0", codec="utf-8"))
    conversions = st.builds(lambda f, c: f"%{f}{c}", flags, letters)
    own = st.sampled_from(["%f", "%L", "%N", "%%", "%Ey", "%Od"])
    words = st.lists(plain | own | conversions, max_size=6)
    return "".join([*draw(words), "%d"]).encode()


# ---- names


@pytest.mark.parametrize(
    "form", [form for form in FORMS if form.startswith((b"rfc", b"unix"))]
)
def test_the_table_shows_what_is_written(form: bytes) -> None:
    """Its samples are of one instant, in Berlin."""
    expected = FORMS[form].partition(",")[0].encode()
    assert times(form, b"Europe/Berlin").at(NOW_NS) == expected


@pytest.mark.parametrize(
    ("form", "zone", "expected"),
    [
        (b"rfc3339", b"UTC", b"2026-11-28T23:22:46Z"),
        (b"rfc3339us", b"UTC", b"2026-11-28T23:22:46.123456Z"),
        (b"rfc3339", b"Europe/London", b"2026-11-28T23:22:46Z"),
        (b"ms", b"America/St_Johns", b"2026-11-28T19:52:46.123-03:30"),
        (b"us", b"Asia/Kathmandu", b"2026-11-29T05:07:46.123456+05:45"),
        (b"ns", b"UTC", b"2026-11-28T23:22:46.123456789Z"),
        (b"unix", b"Asia/Kathmandu", b"1795908166.123456789"),
        (b"%s %N %f %L%%", b"Europe/Berlin", b"1795908166 123456789 123456 123%"),
        (b"%H:%M %Z%z", b"Europe/Berlin", b"00:22 CET+0100"),
        (b"%-d.%-m. [%f]", b"UTC", b"28.11. [123456]"),
        ("%Y年".encode(), b"UTC", "2026年".encode()),
        (b"%%s", b"UTC", b"%s"),
        (b"%%%%f", b"UTC", b"%%f"),
    ],
)
def test_known_times(form: bytes, zone: bytes, expected: bytes) -> None:
    """Of one instant, in several forms and zones."""
    assert check(form) == ""
    assert times(form, zone).at(NOW_NS) == expected


@given(READINGS, ZONES)
def test_all_forms_show_the_same_instant(now_ns: int, zone: bytes) -> None:
    """That of Iso, with the same rounding; digits are cut off."""
    iso = Iso(localtime_of(zone)).at(now_ns).replace(b" ", b"T")
    for digits, unit in ((0, b""), (3, b"ms"), (6, b"us"), (9, b"ns")):
        written = times(b"rfc3339" + unit, zone).at(now_ns)
        shown = len(b"2026-11-29T00:22:46.") + digits if digits else 19
        assert written[:shown] == iso[:shown]
    assert times(b"unix").at(now_ns)[-10:] == iso[-10:]


@given(READINGS, st.sampled_from([b"ms", b"us", b"ns"]), ZONES)
def test_a_short_name_means_the_long_one(now_ns: int, unit: bytes, zone: bytes) -> None:
    """`T` with ms is as good as with rfc3339ms."""
    assert times(unit, zone).at(now_ns) == times(b"rfc3339" + unit, zone).at(now_ns)


# ---- formats


@given(formats(), READINGS, ZONES)
def test_formats_are_strftimes(form: bytes, now_ns: int, zone: bytes) -> None:
    """But for the fractions, which are put in before."""
    second, nanoseconds = divmod(now_ns + 500, NANOSECONDS)
    text = form.decode().replace("%%", "\0")
    text = text.replace("%f", f"{nanoseconds // 1000:06d}")
    text = text.replace("%L", f"{nanoseconds // 1000000:03d}")
    text = text.replace("%N", f"{nanoseconds:09d}").replace("\0", "%%")
    assert check(form) == ""
    expected = time.strftime(text, localtime_of(zone)(second))
    written = times(form, zone).at(now_ns)
    assert written.decode() == expected
    assert b"\n" not in written


@given(READINGS, ZONES, st.sampled_from([*FORMS, b"%c %Z", b"%s%N"]) | formats())
def test_the_size_is_never_exceeded(now_ns: int, zone: bytes, form: bytes) -> None:
    """So memory can be counted before there is a time."""
    assert len(times(form, zone).at(now_ns)) <= size(form)


def test_long_names_of_zones_are_cut() -> None:
    """TZ may hold any; their size was counted before."""
    date = struct_time((2026, 11, 28, 23, 22, 46, 5, 332, 0, "A" * 100, 0))
    written = Times(b"%H%Z", lambda _second: date, time.strftime).at(NOW_NS)
    assert written == b"23" + b"A" * 64
    assert len(written) == size(b"%H%Z")


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        (b"", "no time has this name"),
        (b"rfc", "no time has this name"),
        (b"RFC3339", "no time has this name"),
        (b"%", "nothing to convert"),
        (b"%H:%", "nothing to convert"),
        (b"%-", "nothing to convert"),
        (b"%E", "nothing to convert"),
        (b"%%%", "nothing to convert"),
        (b"%n", "line break"),
        (b"%H%-n", "line break"),
        (b"%On", "line break"),
        (b"a\n%H", "line break"),
        (b"a\0%H", "NUL"),
        (b"\xff%H", "UTF-8"),
        (b"%q", "a time has no %q"),
        (b"%-f", "a time has no %-f"),
        (b"%-s", "a time has no %-s"),
        (b"%99999d", "a time has no %9"),
        (b"%:z", "a time has no %:"),
        (b"%:", "a time has no %:"),
        (b"%E%H", "a time has no %E%"),
    ],
)
def test_what_is_no_form_is_explained(form: bytes, reason: str) -> None:
    """In a sentence about the first fault."""
    assert reason in check(form)


@given(st.binary(max_size=8) | st.lists(st.sampled_from(list(b"%fnEO-0sd"))).map(bytes))
def test_what_passes_can_be_written(form: bytes) -> None:
    """On one line, and within its size."""
    if check(form) == "":
        written = times(form).at(NOW_NS)
        assert len(written) <= size(form)
        assert not {*b"\n\0"} & {*written}


# ---- seconds


@given(st.lists(st.integers(0, YEAR_9999), max_size=8), st.sampled_from(list(FORMS)))
def test_the_cache_does_not_show(seconds: list[int], form: bytes) -> None:
    """One for many readings writes what a fresh one for each would."""
    kept = times(form)
    readings = [second * NANOSECONDS for second in seconds]
    readings += readings
    assert [kept.at(at) for at in readings] == [times(form).at(at) for at in readings]


def test_a_second_is_asked_for_once() -> None:
    """Readings within one second cost one call of localtime, and of strftime."""
    asked: list[object] = []

    def localtime(second: float) -> struct_time:
        asked.append(second)
        return time.gmtime(second)

    def strftime(form: str, date: struct_time) -> str:
        asked.append(form)
        return time.strftime(form, date)

    made = Times(b"%H:%S.%f", localtime, strftime)
    asked.clear()
    written = {
        made.at(at)
        for at in range(5 * NANOSECONDS, 6 * NANOSECONDS - 1000, NANOSECONDS // 7)
    }
    assert asked == [5, "%H", "%S"]
    assert len(written) == 7


@pytest.mark.parametrize(
    ("form", "zone", "expected"),
    [
        (b"us", b"UTC", b"2016-12-31T23:59:60.000001Z"),
        (b"ms", b"Europe/Berlin", b"2017-01-01T00:59:60.000+01:00"),
        (b"%S %Z%z", b"Europe/Berlin", b"60 CET+0100"),
        (b"unix", b"UTC", b"1483228799.000001500"),
        (b"%s", b"UTC", b"1483228799"),
    ],
)
def test_a_leap_second_is_second_60(form: bytes, zone: bytes, expected: bytes) -> None:
    """Unix time has no number for it: there it is the second before."""
    assert times(form, zone).of(tai_second(1483228800) - 1, 1500) == expected


@pytest.mark.parametrize("leap", LEAP_SECONDS)
def test_no_reading_is_in_a_leap_second(leap: int) -> None:
    """The clock that is read has no number for them."""
    made = times(b"rfc3339")
    assert made.at((leap - 1) * NANOSECONDS).endswith(b":59:59Z")
    assert made.at(leap * NANOSECONDS).endswith(b":00:00Z")


def test_zones_that_count_leap_seconds_are_noticed() -> None:
    """With TZ=right/..., localtime takes TAI seconds less 10 and is given those."""

    def right_utc(second: float) -> struct_time:
        if second == 78796800:
            return struct_time((1972, 6, 30, 23, 59, 60, 4, 182, 0, "UTC", 0))
        return time.gmtime(second - (second > 78796800))

    made = Times(b"rfc3339", right_utc, time.strftime)
    assert made.at(78796799 * NANOSECONDS) == b"1972-06-30T23:59:59Z"
    assert made.of(tai_second(78796799) + 1, 0) == b"1972-06-30T23:59:60Z"
    assert made.at(78796800 * NANOSECONDS) == b"1972-07-01T00:00:00Z"
