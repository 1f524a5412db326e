"""What selectors decide, and how early: s6-log's rules with unknown patterns."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s6log.script.tree import Empty
from s6log.stream.verdict import ALWAYS, DESELECT, REST, SELECT, Program, program_of
from selecting import elements

PATTERNS = 3
EVERYTHING = (1 << PATTERNS) - 1

steps = st.one_of(
    st.tuples(
        st.sampled_from([SELECT, DESELECT]),
        st.sampled_from([ALWAYS, *(1 << n for n in range(PATTERNS))]),
    ),
    st.just((REST, ALWAYS)),
)
programs = st.lists(st.lists(steps, max_size=4), min_size=1, max_size=3).map(
    lambda steps: Program(steps, [Empty()] * PATTERNS)
)


def acting(program: Program, yes: int) -> int:
    """Follow the rules of s6-log for a line that matches these patterns."""
    selected, acted, mask = True, False, 0
    for number, element in enumerate(program.elements):
        for kind, pattern in element:
            if kind == REST:
                selected = not acted
            elif pattern == ALWAYS or pattern & yes:
                selected = kind == SELECT
        acted |= selected
        mask |= selected << number
    return mask


@given(programs)
def test_a_verdict_follows_the_rules(program: Program) -> None:
    """When all patterns are known, the outcome is that of s6-log."""
    for yes in range(1 << PATTERNS):
        assert program.masks[program.verdict(yes)] == acting(program, yes)


@given(programs)
def test_a_judgement_holds_whatever_comes(program: Program) -> None:
    """An early outcome is that of all completions; patterns not open are no matter."""
    for known in itertools.product("yn?", repeat=PATTERNS):
        yes = sum(1 << n for n in range(PATTERNS) if known[n] == "y")
        no = sum(1 << n for n in range(PATTERNS) if known[n] == "n")
        outcome, still_open = program.judge(yes, no)
        assert still_open & (yes | no) == 0
        for rest in range(1 << PATTERNS):
            unknown = rest & ~(yes | no) & EVERYTHING
            result = acting(program, yes | unknown)
            if outcome >= 0:
                assert result == program.masks[outcome]
            assert result == acting(program, yes | unknown & still_open)


@pytest.mark.parametrize(
    ("words", "open_at_first"),
    [
        ((b"-a", b"1"), 0b1),
        ((b"+a", b"1"), 0),  # selected already
        ((b"-", b"+a", b"-b", b"1"), 0b11),
        ((b"-a", b"-", b"+b", b"1"), 0b10),  # what `-a` did is overwritten
        ((b"-a", b"f", b"-b", b"1"), 0b10),
        ((b"-", b"+a", b"1", b"f", b"1"), 0b1),
        ((b"-", b"+a", b"1", b"f", b"+b", b"1"), 0b11),
        ((b"1", b"f", b"+b", b"1"), 0b1),
    ],
)
def test_only_patterns_that_matter_are_open(
    words: tuple[bytes, ...], open_at_first: int
) -> None:
    """What cannot change any element's lines is not looked for."""
    assert program_of(elements(*words)).judge(0, 0)[1] == open_at_first


def test_equal_patterns_are_one() -> None:
    """A pattern used twice is looked for once; `+` and `-` alone are none."""
    program = program_of(elements(b"-", b"+x", b"-y", b"1", b"f", b"-x", b"1"))
    assert len(program.trees) == 2
    assert program.elements[1] == [(REST, ALWAYS), (DESELECT, 0b01)]


def test_outcomes_keep_their_numbers() -> None:
    """Masks are only ever added."""
    program = program_of(elements(b"-", b"+a", b"1", b"-", b"+b", b"1"))
    numbers = [program.verdict(yes) for yes in (3, 0, 1, 3, 0)]
    program.forget()
    assert [program.verdict(yes) for yes in (3, 0, 1, 3, 0)] == numbers
    assert program.masks == [3, 0, 1]


def test_a_part_tells_which_of_its_patterns_match() -> None:
    """Bit i of its masks is the pattern that was number i of those given."""
    program = program_of(elements(b"-", b"+a", b"-b", b"+c", b"1"))
    part = program.part([0, 2])
    assert part.trees == [program.trees[0], program.trees[2]]
    assert [part.masks[part.verdict(yes)] for yes in range(4)] == [0, 1, 2, 3]
