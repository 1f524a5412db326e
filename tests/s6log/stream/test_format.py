"""What stands before a line, and lines cut to a size."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s6log.script.model import Format
from s6log.stream.format import (
    Prefixes,
    cut_line,
    prefix_size,
    repeat,
    shorten,
    status_record,
)
from s6log.stream.stamps import tai64n

NOW_NS = 1_700_000_000_123_456_789
LINES = st.lists(
    st.binary(max_size=20).map(lambda text: text.replace(b"\n", b" ")),
    min_size=1,
    max_size=10,
)
FORMATS = st.builds(
    Format, st.booleans(), st.booleans(), st.sampled_from([b"", b"p", b"a b", b"\xff"])
)


def joined(lines: list[bytes]) -> bytes:
    """Make a block of lines."""
    return b"".join(line + b"\n" for line in lines)


@pytest.fixture
def prefixes() -> Prefixes:
    """Give prefixes at a known time, in UTC."""
    made = Prefixes(time.gmtime)
    made.at(NOW_NS)
    return made


# ---- prefixes

ISO = b"2023-11-14 22:13:20.123457289  "


@pytest.mark.parametrize(
    ("format_", "expected"),
    [
        (Format(), b""),
        (Format(prefix=b"web"), b"web "),
        (Format(prefix=b" "), b"  "),
        (Format(stamp=True), b"@400000006553f125075bcf09 "),
        (Format(iso=True), ISO),
        (
            Format(stamp=True, iso=True, prefix=b"web"),
            b"@400000006553f125075bcf09 " + ISO + b"web ",
        ),
    ],
)
def test_prefixes_come_in_their_order(
    prefixes: Prefixes, format_: Format, expected: bytes
) -> None:
    """Stamp, local time and prefix, whatever order the script has."""
    assert prefixes.of(format_) == expected


@given(FORMATS, st.integers(0, 1 << 62))
def test_the_size_of_a_prefix_is_known_before_its_time(
    format_: Format, now_ns: int
) -> None:
    """So a buffer's limit can be kept, whatever lines come."""
    made = Prefixes(time.gmtime)
    made.at(now_ns % (253_402_300_799 * 10**9))  # up to the year 9999
    assert len(made.of(format_)) == prefix_size(format_)


def test_both_stamps_show_the_same_instant(prefixes: Prefixes) -> None:
    """That of the block, not of the call."""
    both = Format(stamp=True, iso=True)
    first = prefixes.of(both)
    assert prefixes.of(both) == first
    assert first.startswith(tai64n(NOW_NS))
    prefixes.at(NOW_NS + 1_000_000_000)
    assert prefixes.of(both).startswith(tai64n(NOW_NS + 1_000_000_000))
    assert b"22:13:21.123457289" in prefixes.of(both)


# ---- several records of one line


@given(LINES, st.lists(st.sampled_from([b"", b"a ", b"b "]), max_size=3))
def test_lines_are_repeated_line_by_line(
    lines: list[bytes], heads: list[bytes]
) -> None:
    """Once for each prefix; what is behind the end is left out."""
    block = joined(lines)
    expected = joined([head + line for line in lines for head in heads])
    assert repeat(bytearray(block + b"more\n"), len(block), heads) == expected


# ---- alerts


@pytest.mark.parametrize(
    ("limit", "line", "expected"),
    [
        (5, b"12345678", b"12345678"),
        (5, b"123456789", b"12345..."),
        (200, b"x" * 203, b"x" * 203),
        (200, b"x" * 204, b"x" * 200 + b"..."),
        (0, b"x" * 9999, b"x" * 9999),
        (1, b"", b""),
    ],
)
def test_known_alerts(limit: int, line: bytes, expected: bytes) -> None:
    """A line is not cut where the dots would take as much room."""
    assert cut_line(line, limit) == expected
    data, end = shorten(line + b"\n", len(line) + 1, limit)
    assert bytes(data[:end]) == expected + b"\n"


@given(LINES, st.integers(0, 15))
def test_every_line_is_cut_by_itself(lines: list[bytes], limit: int) -> None:
    """Cut ones have limit and dots, others are whole; none is dropped."""
    block = joined(lines)
    data, end = shorten(bytearray(block + b"behind\n"), len(block), limit)
    cut = bytes(data[:end]).split(b"\n")[:-1]
    assert len(cut) == len(lines)
    for line, short in zip(lines, cut, strict=True):
        if limit == 0 or len(line) <= limit + 3:
            assert short == line
        else:
            assert short == line[:limit] + b"..."


def test_short_lines_are_not_copied() -> None:
    """Most alerts are."""
    block = bytearray(b"one\ntwo\n")
    data, end = shorten(block, 8, 1)
    assert data is block
    assert end == 8


# ---- status files


@pytest.mark.parametrize(
    ("size", "content", "padding"),
    [
        (0, b"hello\n", 0),
        (10, b"hello\n", 4),
        (6, b"hello\n", 0),
        (5, b"hello", 0),
        (3, b"hel", 0),
    ],
)
def test_known_status_files(size: int, content: bytes, padding: int) -> None:
    """Cut, filled up, or as the line is."""
    assert status_record(b"hello\n", size) == (content, padding)


@given(st.binary(max_size=40), st.integers(0, 60))
def test_a_status_file_has_its_size(line: bytes, size: int) -> None:
    """Whatever the line."""
    record = line.replace(b"\n", b" ") + b"\n"
    content, padding = status_record(record, size)
    assert record.startswith(content)
    assert len(content) + padding == (size or len(record))
    assert padding == 0 or content == record
