"""The construction: which position follows which, and what is too large."""

import pytest

from s6log.script.ere import parse
from s6log.script.tree import Alt, BackRef, Cat, Empty, Node, Repeat, Set
from s6log.stream.positions import (
    MAX_POSITIONS,
    Builder,
    PatternTooLarge,
    check,
    mask_of,
    measure,
)

A, B = Set(1 << ord("a")), Set(1 << ord("b"))


def edges(tree: Node) -> set[tuple[int, int]]:
    """Give all pairs (position, follower) of one pattern."""
    builder = Builder()
    builder.add(tree)
    moves, links = builder.edges()
    everything = range(builder.positions)
    pairs = {
        (source, source + distance)
        for distance, mask in moves.items()
        for source in everything
        if mask >> source & 1
    }
    for sources, targets in links:
        pairs |= {
            (source, target)
            for source in everything
            for target in everything
            if sources >> source & 1 and targets >> target & 1
        }
    return pairs


@pytest.mark.parametrize(
    ("tree", "pairs"),
    [
        (Cat((A, B)), {(0, 1), (1, 2)}),
        (Alt((A, B)), {(0, 2), (1, 2)}),
        (Repeat(A, 1, None), {(0, 0), (0, 1)}),
        (Cat((A, Repeat(B, 0, None), A)), {(0, 1), (0, 2), (1, 1), (1, 2), (2, 3)}),
        (Repeat(Cat((A, B)), 1, None), {(0, 1), (1, 0), (1, 2)}),
        (Repeat(A, 2, 4), {(0, 1), (1, 2), (2, 3), (1, 4), (2, 4), (3, 4)}),
        (Repeat(A, 2, None), {(0, 1), (1, 1), (1, 2)}),
        (Cat((A, Set(0), B)), {(1, 2)}),
        (Empty(), set()),
        (Cat((A, Repeat(B, 0, 0))), {(0, 1)}),
    ],
)
def test_who_follows_whom(tree: Node, pairs: set[tuple[int, int]]) -> None:
    """Positions count from the left; the last one means "matched"."""
    assert edges(tree) == pairs


def test_optional_copies_are_a_chain() -> None:
    """Of many optional copies each follows only the one before."""
    builder = Builder()
    builder.add(Cat((Repeat(Repeat(A, 0, 1), 0, 1000), B)))
    moves, links = builder.edges()
    assert set(moves) == {1}
    assert len(links) == 1


def test_links_of_one_shape_become_moves() -> None:
    """Copies of an alternation cost a few shifts, not a link each."""
    builder = Builder()
    builder.add(parse(b"^(ab|cd){500}$"))
    moves, links = builder.edges()
    assert len(moves) <= 5
    assert len(links) <= 2


@pytest.mark.parametrize(
    ("pattern", "positions"),
    [(b"a{32767}", 32767), (b"^x{1,32767}$", 32769), (b"^(a|b){3}[ab]$", 6)],
)
def test_measures_without_building(pattern: bytes, positions: int) -> None:
    """Repeats count as often as they are written out."""
    assert measure(parse(pattern)) == positions


@pytest.mark.parametrize(
    "tree", [Repeat(Repeat(Repeat(A, 1000, 1000), 1000, 1000), 1000, 1000)]
)
def test_refuses_nested_giants(tree: Node) -> None:
    """A billion positions are refused by counting, not by making them."""
    with pytest.raises(PatternTooLarge, match=str(MAX_POSITIONS)):
        measure(tree)


@pytest.mark.parametrize("pattern", [b"a{32767}", b"^x{1,32767}y{1,32767}$"])
def test_takes_what_fits(pattern: bytes) -> None:
    """The largest single repeats that glibc knows are no problem."""
    check(parse(pattern))


def test_refuses_too_many_edges() -> None:
    """Where everything may follow everything, memory is what is too large."""
    several = [Repeat(Set(1 << ord("a") + n % 26), 0, 1) for n in range(2000)]
    with pytest.raises(PatternTooLarge, match="ways"):
        check(Cat((A, *several, A)))


def test_one_builder_has_one_limit() -> None:
    """Patterns that fit alone may be too large together."""
    builder = Builder()
    for _ in range(2):
        builder.add(Repeat(A, 30000, 30000))
    with pytest.raises(PatternTooLarge):
        builder.add(Repeat(A, 30000, 30000))


def test_back_references_are_not_for_automata() -> None:
    """A caller that forgot to ask is told so."""
    with pytest.raises(TypeError, match="back-reference"):
        check(BackRef(1))


def test_mask_of() -> None:
    """Positions become the bits of an int, however far apart."""
    assert mask_of([]) == 0
    assert mask_of([0, 9, 70]) == 1 | 1 << 9 | 1 << 70
