"""The states of a script's automaton: few, bounded, and settled early."""

import random
import tracemalloc

import pytest

from s6log.stream.automaton import (
    MISSING,
    OUTCOME,
    SETTLED,
    SPECIAL,
    Automaton,
    Thrashing,
)
from s6log.stream.verdict import program_of
from s6log.stream.work import Limits, Work
from selecting import elements


def automaton_of(*words: bytes, limits: Limits | None = None) -> Automaton:
    """Make the automaton of a script."""
    return Automaton(program_of(elements(*words)), limits or Limits(), Work())


def walk(automaton: Automaton, line: bytes) -> int:
    """Follow a line from its start; give the first special entry."""
    state = automaton.start
    for byte in line:
        state = automaton.extend(state, byte)
        if state >= SPECIAL:
            break
    return state


def test_a_line_ends_with_its_outcome() -> None:
    """The LF leads to the number of the elements that act on the line."""
    automaton = automaton_of(b"-", b"+ab$", b"1")
    assert automaton.program.masks[walk(automaton, b"xab\n") & OUTCOME] == 1
    assert automaton.program.masks[walk(automaton, b"abx\n") & OUTCOME] == 0


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((b"-", b"+ab", b"1"), b"ab"),  # matched
        ((b"-", b"+^ab", b"1"), b"x"),  # can match no more
        ((b"-a", b"1", b"f", b"-b", b"1"), b"ba"),
        ((b"-", b"+a", b"-b", b"1"), b"b"),  # whatever `+a` says
        ((b"-", b"+^a", b"+^b", b"1"), b"c"),
    ],
)
def test_settles_as_soon_as_nothing_can_change(
    words: tuple[bytes, ...], line: bytes
) -> None:
    """The last byte of these lines leaves nothing open, and none before it."""
    automaton = automaton_of(*words)
    if len(line) > 1:
        assert walk(automaton, line[:-1]) < SPECIAL
    assert walk(automaton, line) >= SETTLED


def test_matched_patterns_are_no_longer_followed() -> None:
    """After `a` and `b` were seen in either order there is one state."""
    automaton = automaton_of(b"-", b"+a", b"1", b"-", b"+b", b"1", b"-", b"+c", b"1")
    assert walk(automaton, b"ab") == walk(automaton, b"ba") == walk(automaton, b"abab")


def test_entries_are_kept() -> None:
    """What was worked out stands in the table; the rest is marked."""
    automaton = automaton_of(b"-", b"+ab", b"1")
    state = automaton.start
    place = state + automaton.classes[ord("a")]
    assert automaton.table[place] == MISSING | state
    entry = automaton.extend(state, ord("a"))
    assert automaton.table[place] == entry
    assert automaton.work.misses == 1


@pytest.mark.parametrize(
    ("words", "mask"),
    [((b"-", b"+x*y*", b"1"), 1), ((b"-a\n", b"1"), 1), ((b"+a", b"1"), 1)],
)
def test_knows_when_there_is_nothing_to_walk(
    words: tuple[bytes, ...], mask: int
) -> None:
    """Patterns that match every line, or none, or do not matter."""
    automaton = automaton_of(*words)
    assert automaton.program.masks[automaton.settled] == mask


def test_flush_keeps_the_states_in_use() -> None:
    """They mean the same as before, under new numbers."""
    automaton = automaton_of(b"-", b"+ab$", b"1")
    state = automaton.extend(automaton.start, ord("a"))
    [flushed, none] = automaton.flush([state, 0], 2)
    assert none == 0
    state = automaton.extend(flushed, ord("b"))
    assert automaton.program.masks[automaton.extend(state, ord("\n")) & OUTCOME] == 1
    assert automaton.work.flushes == 1


@pytest.mark.parametrize(("walked", "thrashes"), [(80, False), (79, True)])
def test_thrashes_when_a_flush_did_not_help(walked: int, thrashes: bool) -> None:
    """Since the last flush too many bytes had no transition: one in four here."""
    automaton = automaton_of(b"-", b"+ab", b"1", limits=Limits(step_bytes=4))
    automaton.flush([], 20)
    for _ in range(20):
        automaton.extend(automaton.start, ord("x"))
    if thrashes:
        with pytest.raises(Thrashing) as caught:
            automaton.flush([], 20 + walked)
        assert caught.value.automaton is automaton
    else:
        assert automaton.flush([automaton.start], 20 + walked) == [automaton.start]


def test_the_cache_is_bounded_in_bytes() -> None:
    """A pattern with a million states never has them all."""
    limit = 300_000
    automaton = automaton_of(
        b"-", b"+^[ab]*a[ab]{20}$", b"1", limits=Limits(limit, step_bytes=0)
    )
    rng = random.Random(1)
    tracemalloc.start()
    try:
        state = automaton.start
        for number in range(20_000):
            if automaton.full:
                [state] = automaton.flush([state], number)
            state = automaton.extend(state, rng.choice(b"ab"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert automaton.work.flushes > 2
    assert limit / 4 < peak < limit * 1.25
