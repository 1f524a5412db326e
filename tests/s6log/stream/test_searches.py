"""Asking lines about one pattern: only those asked, whichever the way."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s6log.script.ere import parse
from s6log.script.tree import Alt, Cat, Node, Repeat, Set
from s6log.stream.automaton import Automaton
from s6log.stream.bits import BitSet
from s6log.stream.lines import Lines, column
from s6log.stream.regex import to_re
from s6log.stream.searches import Regex, Walked, needed
from s6log.stream.verdict import DESELECT, SELECT, Program
from s6log.stream.work import Limits, Work
from selecting import block_of

Search = Callable[[Node, Work], BitSet | Regex | Walked]


def walked(tree: Node, work: Work) -> Walked:
    """Make the automaton of one pattern, to be walked in Python."""
    program = Program([[(DESELECT, 0), (SELECT, 1)]], [tree])
    return Walked(Automaton(program, Limits(), work), tree, work)


SEARCHES = [Regex, BitSet, walked]


@pytest.mark.parametrize("search", SEARCHES)
@given(
    st.lists(
        st.tuples(st.sampled_from([b"", b"a", b"xa", b"x"]), st.booleans()), min_size=1
    )
)
def test_answers_for_the_lines_asked(
    search: Search, asked: list[tuple[bytes, bool]]
) -> None:
    """Whether few or many lines are asked."""
    lines = Lines(block_of([line for line, _ in asked]))
    flags = column(bytes(wanted for _, wanted in asked))
    found = search(parse(b"a$"), Work()).among(lines, flags)
    expected = bytes(wanted and b"a" in line for line, wanted in asked)
    assert lines.flags(found) == expected


@pytest.mark.parametrize("search", SEARCHES)
def test_lines_asked_are_counted(search: Search) -> None:
    """The others cost nothing."""
    work = Work()
    lines = Lines(block_of([b"a"] * 100))
    search(parse(b"a"), work).among(lines, column(b"\1\0\0\0\0" * 20))
    assert work.tested == 20


@pytest.mark.parametrize(
    ("pattern", "part"),
    [
        (b"A.*Bc", b"Bc"),
        (b"user [^ ]*.*timeout", b"timeout"),
        (b"^a+b$", b"b$"),
        (b"(a|b)+c[0-9]*d", b"[ab]c"),
        (b"A.*B|C.*DE", b"A|DE"),
        (b"A.*B|C*", None),
        (b"a*b*", None),
    ],
)
def test_what_a_pattern_needs(pattern: bytes, part: bytes | None) -> None:
    """The longest part that is found in every line the pattern is found in."""
    found = needed(parse(pattern))
    if part is None:
        assert found is None
    else:
        assert found is not None
        assert to_re(found, whole_block=False) == to_re(parse(part), whole_block=False)


def test_only_lines_with_what_is_needed_are_walked() -> None:
    """The automaton, slow in Python, sees no other line."""
    work = Work()
    search = walked(parse(b"A.*timeout"), work)
    lines = Lines(block_of([b"A" * 50, b"A timeout", b"timeout", b"x"]))
    assert lines.flags(search.among(lines, lines.every())) == b"\0\1\0\0"
    assert work.walked <= len(b"A timeout") + len(b"timeout\n")


def test_a_pattern_that_nothing_matches_is_not_walked() -> None:
    """Its automaton has no states at all."""
    never = Cat((Repeat(Set(1 << 97), 0, None), Set(0)))
    lines = Lines(block_of([b"a", b""]))
    for tree in (never, Alt((never, never))):
        assert walked(tree, Work()).among(lines, lines.every()) == 0
