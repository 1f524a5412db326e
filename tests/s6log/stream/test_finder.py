"""Searching a block for all lines that match, also by the LF before them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import strategies_ere
from s6log.script.ere import EreError, parse
from s6log.stream.finder import Finder, after_bol
from s6log.stream.regex import compile_line

FEW = [b"", b"a", b"ba", b"b", b"ab", b" a"]


def found(pattern: bytes, lines: list[bytes]) -> list[int]:
    """Give the ends of the lines found, in a block of these."""
    return Finder(parse(pattern)).ends(b"".join(line + b"\n" for line in lines))


@pytest.mark.parametrize(
    ("pattern", "anchored"),
    [
        (b"^a", True),
        (b"^(a|b)$", True),
        (b"^a|^b", True),
        (b"(^a|^b)c", True),
        (b"^", False),  # every line has one: the parser says so
        (b"a", False),
        (b"^a|b", False),
        (b"(^a)?b", False),
    ],
)
def test_tells_what_begins_at_the_start_of_a_line(
    pattern: bytes, anchored: bool
) -> None:
    """Known when every way through the pattern begins with `^`."""
    assert (after_bol(parse(pattern)) is not None) is anchored


@pytest.mark.parametrize(
    "pattern", [b"^", b"^$", b"^b*$", b"^a", b"a", b"$", rb"^\ba", b"^^a"]
)
@given(st.lists(st.sampled_from(FEW), min_size=1))
def test_finds_each_line_once(pattern: bytes, lines: list[bytes]) -> None:
    """And nothing after the last LF, where no line begins."""
    search = compile_line(parse(pattern)).search
    at = 0
    expected = []
    for line in lines:
        at += len(line) + 1
        if search(line):
            expected.append(at)
    assert found(pattern, lines) == expected


@settings(max_examples=200)
@given(strategies_ere.patterns(), st.lists(strategies_ere.lines(), min_size=1))
def test_agrees_with_a_search_line_by_line(pattern: bytes, lines: list[bytes]) -> None:
    """For any pattern, put behind an `^`."""
    try:
        tree = parse(b"^(%b)" % pattern)
    except EreError:
        return
    search = compile_line(tree).search
    data = b"".join(line + b"\n" for line in lines)
    ends = Finder(tree).ends(data)
    starts = [data.rfind(b"\n", 0, end - 1) + 1 for end in ends]
    assert [data[s : e - 1] for s, e in zip(starts, ends, strict=True)] == [
        line for line in lines if search(line)
    ]
