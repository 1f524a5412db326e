"""Following an automaton over blocks: in C and in Python, alike."""

from __future__ import annotations

import random
from itertools import accumulate

import pytest

from s6log.stream.automaton import Automaton
from s6log.stream.verdict import program_of
from s6log.stream.walk import KernelWalk, walk_line
from s6log.stream.work import Limits, Work
from selecting import KERNEL, KERNELS, block_of, elements, needs_kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.stream.runs import Kernel


def outcomes_of(
    automaton: Automaton, lines: list[bytes], kernel: Kernel | None
) -> list[int]:
    """Walk lines with this kernel, or without one."""
    if kernel is not None:
        return KernelWalk(kernel).outcomes(automaton, block_of(lines))
    data = bytes(block_of(lines))
    starts = accumulate([0, *(len(line) + 1 for line in lines[:-1])])
    return [walk_line(automaton, data, start) for start in starts]


def walk() -> KernelWalk:
    """Give the kernel's walk."""
    assert KERNEL is not None
    return KernelWalk(KERNEL)


def has_a(limits: Limits | None = None) -> Automaton:
    """Make an automaton that tells lines with `a` (mask 1) from others."""
    return Automaton(
        program_of(elements(b"-", b"+a.?", b"1")), limits or Limits(), Work()
    )


@pytest.mark.parametrize("kernel", KERNELS)
def test_outcomes_are_those_of_the_lines_in_order(kernel: Kernel | None) -> None:
    """However many lines there are, and however long."""
    rng = random.Random(3)
    for count in (1, 2, 3, 5, 40, 3000):
        lines = [
            bytes(rng.choices(b"xyza", k=rng.choice([0, 1, 3, 40])))
            for _ in range(count)
        ]
        automaton = has_a()
        outcomes = outcomes_of(automaton, lines, kernel)
        masks = automaton.program.masks
        assert [masks[outcome] for outcome in outcomes] == [
            b"a" in line for line in lines
        ]


@needs_kernel
def test_runs_are_merged() -> None:
    """Neighbours with one outcome are one run, across all cuts of the block."""
    lines = [b"a"] * 500 + [b"x"] * 700 + [b"a"]
    automaton = has_a()
    runs = walk().runs(automaton, block_of(lines))
    assert list(runs.ends) == [1000, 2400, 2402]
    masks = [automaton.program.masks[outcome] for outcome in runs.outcomes]
    assert masks == [1, 0, 1]


@needs_kernel
def test_there_is_room_for_any_number_of_runs() -> None:
    """Even if each line differs from the one before; and again after that."""
    walker = walk()
    for count in (20_000, 3, 50_000):
        runs = walker.runs(has_a(), block_of([b"a", b""] * count))
        assert len(runs.ends) == 2 * count
        assert runs.ends[-1] == 3 * count


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_cache_of_a_few_states_is_enough(kernel: Kernel | None) -> None:
    """States in use survive each flush, in whichever lane."""
    rng = random.Random(4)
    lines = [bytes(rng.choices(b"ab", k=rng.randrange(60))) for _ in range(50)]
    program = program_of(elements(b"-", b"+^[ab]*a[ab]{6}$", b"1"))
    automaton = Automaton(program, Limits(7000, step_bytes=0), Work())
    outcomes = outcomes_of(automaton, lines, kernel)
    expected = [len(line) > 6 and line[-7] == ord("a") for line in lines]
    assert [program.masks[outcome] for outcome in outcomes] == expected
    assert automaton.work.flushes > 5


@pytest.mark.parametrize("kernel", KERNELS)
def test_each_byte_is_walked_once(kernel: Kernel | None) -> None:
    """Work counts bytes, and transitions only when they are new."""
    automaton = has_a()
    lines = [b"xyz", b"zx", b"zyx"] * 10
    outcomes_of(automaton, lines, kernel)
    misses = automaton.work.misses
    outcomes_of(automaton, lines, kernel)
    assert automaton.work.walked == 2 * len(block_of(lines))
    assert automaton.work.misses == misses


def test_a_settled_line_is_left() -> None:
    """In Python the rest of the line is not even looked at."""
    automaton = has_a()
    walk_line(automaton, b"xa" + b"x" * 1000 + b"\n", 0)
    assert automaton.work.walked == 2
