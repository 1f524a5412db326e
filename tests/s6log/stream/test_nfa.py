"""Stepping sets of positions: the verdicts are glibc's."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ere_cases
import oracle_regex
import strategies_ere
from s6log.script.ere import EreError, parse
from s6log.script.tree import BOL, EOL, NOT_WORD_EDGE, WORD_EDGE, WORD_END, WORD_START
from s6log.stream.bits import BitSet
from s6log.stream.nfa import EDGE, LF, OTHER, SIDES, WORD, Nfa, holds, partition
from s6log.stream.work import Work


def finds(pattern: bytes, lines: list[bytes]) -> list[bytes]:
    """Give the lines that a pattern is found in."""
    bits = BitSet(parse(pattern), Work())
    return list(filter(bits.matches, lines))


@pytest.mark.parametrize("subject", ere_cases.SUBJECTS)
def test_finds_what_the_table_says(subject: str) -> None:
    """Back-references apart, the table's verdicts are those of the positions."""
    for case in ere_cases.about(subject, "valid"):
        try:
            found = finds(case.pattern, [*case.matched, *case.missed])
        except TypeError:
            continue  # a back-reference
        assert found == list(case.matched), case


@pytest.mark.skipif(not oracle_regex.available(), reason="not on glibc")
@settings(max_examples=200)
@given(
    strategies_ere.patterns(), st.lists(strategies_ere.lines(), min_size=4, max_size=12)
)
def test_agrees_with_regexec(pattern: bytes, lines: list[bytes]) -> None:
    """Whatever the pattern and the lines."""
    try:
        found = finds(pattern, lines)
    except EreError:
        return
    with oracle_regex.Compiled(pattern) as compiled:
        assert found == [line for line in lines if compiled.matches(line)]


@pytest.mark.parametrize(
    ("kind", "true_at"),
    [
        (BOL, {(EDGE, EDGE), (EDGE, OTHER), (EDGE, WORD)}),
        (EOL, {(EDGE, EDGE), (OTHER, EDGE), (WORD, EDGE)}),
        (WORD_START, {(EDGE, WORD), (OTHER, WORD)}),
        (WORD_END, {(WORD, EDGE), (WORD, OTHER)}),
        (WORD_EDGE, {(EDGE, WORD), (OTHER, WORD), (WORD, EDGE), (WORD, OTHER)}),
    ],
)
def test_where_assertions_hold(kind: int, true_at: set[tuple[int, int]]) -> None:
    """Sides are an end of the line, a byte of no word, a byte of a word."""
    places = {(before, after) for before in SIDES for after in SIDES}
    assert {place for place in places if holds(kind, *place)} == true_at


def test_not_a_word_edge_is_the_opposite() -> None:
    r"""`\B` holds where `\b` does not, an empty line included."""
    for before in SIDES:
        for after in SIDES:
            edge = holds(WORD_EDGE, before, after)
            assert holds(NOT_WORD_EDGE, before, after) is not edge


def test_partition_tells_all_masks_apart() -> None:
    """Bytes share a class only if they are in the same masks."""
    assert partition([0b0110, 0b0011]) == [0b0010, 0b0100, 0b0001, (1 << 256) - 8]


def test_partition_ends_at_single_bytes() -> None:
    """There are never more classes than bytes."""
    masks = [1 << byte for byte in range(256)] * 2
    assert len(partition(masks)) == 256


def test_lf_is_a_class_of_its_own() -> None:
    """Even a pattern that takes any byte tells the end of a line."""
    nfa = Nfa([parse(b"..")], Work())
    assert nfa.classes.count(nfa.classes[LF]) == 1


def test_words_are_told_apart_only_where_it_matters() -> None:
    r"""Without `\b` and its like no place needs to know the byte before."""
    assert Nfa([parse(b"x")], Work()).width == 3
    assert Nfa([parse(rb"x\b")], Work()).width == 4


def test_dead_patterns_are_known() -> None:
    """An anchored pattern that failed cannot match the line any more."""
    nfa = Nfa([parse(b"^ab"), parse(b"ab")], Work())
    bits, before = nfa.begin(), EDGE
    assert nfa.dead(bits, 0b11) == 0
    again = nfa.again(0)
    bits, before = nfa.advance(bits, before, nfa.classes[ord("x")], again)
    assert nfa.dead(bits, 0b11) == 0b01


def test_steps_are_counted() -> None:
    """One step looks at a fixed number of masks, whatever the line."""
    work = Work()
    nfa = Nfa([parse(b"^(a|aa)*b")], work)
    bits, before = nfa.begin(), EDGE
    costs = set()
    for _ in range(50):
        steps = work.steps
        bits, before = nfa.advance(bits, before, nfa.classes[ord("a")], nfa.again(0))
        costs.add(work.steps - steps)
    assert len(costs) == 1
