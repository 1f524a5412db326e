"""Command lines and numbers, as the programs of skarnet.org read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s6log.unix.getopt import (
    NO_VALUE,
    UINT32_MAX,
    UINT64_MAX,
    UNKNOWN,
    decimal,
    scan,
)


@pytest.mark.parametrize(
    ("line", "pairs", "rest"),
    [
        ("", [], ""),
        ("1", [], "1"),
        ("-q 1 -v", [("q", "")], "1 -v"),
        ("-qvb 1", [("q", ""), ("v", ""), ("b", "")], "1"),
        ("-l100 -l 200 1", [("l", "100"), ("l", "200")], "1"),
        ("-ql100 1", [("q", ""), ("l", "100")], "1"),
        ("-l -q 1", [("l", "-q")], "1"),
        ("-l -- 1", [("l", "--")], "1"),
        ("-q -- -v", [("q", "")], "-v"),
        ("-- -- 1", [], "-- 1"),
        ("-q - -v", [("q", "")], "- -v"),
        ("-xq 1", [("?", "x")], "1"),
        ("-q -vx 1", [("q", ""), ("v", ""), ("?", "x")], "1"),
        ("--foo 1", [("?", "-")], "1"),
        ("-q- 1", [("q", ""), ("?", "-")], "1"),
        ("-ql", [("q", ""), (":", "l")], ""),
    ],
)
def test_scan(line: str, pairs: list[tuple[str, str]], rest: str) -> None:
    """Clusters, values, ends of options and mistakes come out in their order."""
    found = scan(line.encode().split(), b"qvb", b"l")
    expected = [(letter.encode(), value.encode()) for letter, value in pairs]
    assert found == (expected, rest.encode().split())


def test_an_empty_attached_value_is_the_next_word() -> None:
    """A value can be an empty word, but only in a word of its own."""
    assert scan([b"-l", b"", b"1"], b"", b"l") == ([(b"l", b"")], [b"1"])


@given(st.lists(st.binary(max_size=6), max_size=6))
def test_nothing_is_lost(arguments: list[bytes]) -> None:
    """The rest is always the end of the command line, untouched."""
    pairs, rest = scan(arguments, b"qvb", b"ld")
    assert arguments[len(arguments) - len(rest) :] == rest
    assert all(letter not in (UNKNOWN, NO_VALUE) for letter, _ in pairs[:-1])


@pytest.mark.parametrize(
    ("text", "limit", "number"),
    [
        (b"0", UINT32_MAX, 0),
        (b"007", UINT32_MAX, 7),
        (b"4294967295", UINT32_MAX, 4294967295),
        (b"4294967296", UINT32_MAX, None),
        (b"18446744073709551615", UINT64_MAX, 18446744073709551615),
        (b"18446744073709551616", UINT64_MAX, None),
        (b"0" * 5000 + b"5", UINT32_MAX, 5),
        (b"1" * 5000, UINT64_MAX, None),
        (b"", UINT32_MAX, None),
        (b"+5", UINT32_MAX, None),
        (b"-5", UINT32_MAX, None),
        (b" 5", UINT32_MAX, None),
        (b"5\n", UINT32_MAX, None),
        (b"0x5", UINT32_MAX, None),
        ("٣".encode(), UINT32_MAX, None),
    ],
)
def test_decimal(text: bytes, limit: int, number: int | None) -> None:
    """A number is decimal digits and nothing else, up to its limit."""
    assert decimal(text, limit) == number


@given(st.integers(0, UINT64_MAX))
def test_decimal_reads_what_is_written(number: int) -> None:
    """Every number within the limit is read as itself."""
    assert decimal(b"%d" % number, UINT64_MAX) == number
