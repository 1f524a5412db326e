"""What trees tell about their patterns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies_ere
from s6log.script.ere import EreError, parse
from s6log.script.ere_facts import (
    has_assertion,
    has_backref,
    literal,
    longest,
    nullable_without_assertion,
    shortest,
    size,
)
from s6log.stream.regex import compile_line


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (b"abc", b"abc"),
        (b"(a)b(c)", b"abc"),
        (rb"\.\(", b".("),
        (b".*abc.*", b"abc"),
        (b"-{3,}", b"---"),
        (b"x(ab){2}", b"xabab"),
        (b"[a]", b"a"),
        (b"", b""),
        (b"a[bc]", None),
        (b"a|b", None),
        (b"^a", None),
        (b"ab*c", None),
        (b"a\n", None),
        (b"a{5000}", None),
    ],
)
def test_finds_the_text_of_a_plain_pattern(pattern: bytes, text: bytes | None) -> None:
    """A pattern that stands for one text gives it, any other gives None."""
    assert literal(parse(pattern)) == text


@pytest.mark.parametrize(
    ("pattern", "positions"),
    [
        (b"abc", 3),
        (b"a|bc", 3),
        (b"^a$", 3),
        (b"xa*y", 3),
        (b"xa{3,}y", 5),
        (b"xa{2,9}y", 11),
        (b"x(ab|c){5}y", 17),
        (b"x((a|bc){32767}d){32767}y", (3 * 32767 + 1) * 32767 + 2),
    ],
)
def test_counts_positions_without_writing_them_out(
    pattern: bytes, positions: int
) -> None:
    """The size of a pattern is that of its repeats written out."""
    assert size(parse(pattern)) == positions


@pytest.mark.parametrize(
    ("pattern", "least", "most"),
    [
        (b"abc", 3, 3),
        (b"a(b|cde)", 2, 4),
        (b"xa{2,5}y", 4, 7),
        (b"xa*y", 2, None),
        (b"^a$", 1, 1),
        (b"x(^)*y", 2, 2),
        (rb"(ab)\1", 2, None),
    ],
)
def test_bounds_the_length_of_a_match(
    pattern: bytes, least: int, most: int | None
) -> None:
    """No match is shorter or longer than the bounds."""
    tree = parse(pattern)
    assert (shortest(tree), longest(tree)) == (least, most)


def test_tells_back_references_and_assertions() -> None:
    """Both are found at any depth, and not where there are none."""
    assert has_backref(parse(rb"(a)(b|c\1)"))
    assert not has_backref(parse(rb"(a)(b|c)"))
    assert has_assertion(parse(rb"a(b|(c\>)d)"))
    assert not has_assertion(parse(rb"a(b|(c)d)"))


@given(strategies_ere.patterns(), st.lists(strategies_ere.lines()))
def test_what_is_nullable_matches_every_line(
    pattern: bytes, lines: list[bytes]
) -> None:
    """A pattern that may be empty without asking for a place is always found."""
    try:
        tree = parse(pattern)
    except EreError:
        return
    if nullable_without_assertion(tree):
        assert all(map(compile_line(tree).search, lines))
