"""Hopping from hit to hit: the same runs, whatever the hops go by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s6log.script.ere import parse
from s6log.stream.automaton import Automaton
from s6log.stream.finder import Finder
from s6log.stream.hops import BYTES_PER_HOP, RegexHops, TextHops
from s6log.stream.verdict import Program, program_of
from s6log.stream.walk import KernelWalk
from s6log.stream.ways import Whole
from s6log.stream.work import Limits, Work
from selecting import KERNEL, KERNELS, block_of, elements, masks_of, needs_kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.stream.runs import Kernel, Runs

PADDING = b"-" * 9 * BYTES_PER_HOP
"""Makes every byte of a text rare enough to hop to."""


def hops_of(
    program: Program, text: bytes, kernel: Kernel | None
) -> TextHops | RegexHops:
    """Make the hops of a text, with this kernel or without one."""
    work = Work()
    if kernel is None:
        return RegexHops(program, Finder(parse(text)), work)
    whole = Whole(Automaton(program, Limits(), work), KernelWalk(kernel))
    return TextHops(program, text, whole, work)


def runs_of(
    text: bytes, lines: list[bytes], kernel: Kernel | None
) -> tuple[Runs, list[int]]:
    """Select the lines that have the text; give their runs, and which were found."""
    program = program_of(elements(b"-", b"+" + text, b"1"))
    runs = hops_of(program, text, kernel).runs(block_of(lines))
    return runs, masks_of(runs, program.masks, lines)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("padding", [b"", PADDING], ids=["dense", "sparse"])
@given(
    st.lists(
        st.lists(st.sampled_from([b"a", b"ab", b"abc", b"bc", b"-"]), max_size=4).map(
            b"".join
        ),
        min_size=1,
        max_size=20,
    )
)
def test_finds_the_lines_with_a_text(
    kernel: Kernel | None, padding: bytes, lines: list[bytes]
) -> None:
    """Runs of hits and of misses take turns, wherever they are in the block."""
    lines = [line + padding for line in lines]
    runs, found = runs_of(b"abc", lines, kernel)
    assert found == [b"abc" in line for line in lines]
    assert all(a != b for a, b in zip(runs.outcomes, runs.outcomes[1:], strict=False))


@pytest.mark.parametrize("kernel", KERNELS)
def test_there_is_room_for_any_number_of_runs(kernel: Kernel | None) -> None:
    """More than were expected, and then few again."""
    for count in (4000, 2):
        lines = [b"abc" + PADDING, b"-"] * count
        runs, found = runs_of(b"abc", lines, kernel)
        assert found == [1, 0] * count
        assert len(runs.ends) == 2 * count


@needs_kernel
@pytest.mark.parametrize(("line", "walks"), [(b"a-b-c-", True), (b"a-b-" * 30, False)])
def test_where_hops_are_short_the_automaton_walks(line: bytes, walks: bool) -> None:
    """The kernel hops to the rarest byte of the text, if that is rare."""
    program = program_of(elements(b"-", b"+abc", b"1"))
    work = Work()
    whole = Whole(Automaton(program, Limits(), work), KernelWalk(KERNEL))  # type: ignore[arg-type]
    TextHops(program, b"abc", whole, work).runs(block_of([line] * 20))
    assert work.walked == 20 * len(line) + 20
    assert (work.misses > 0) is walks
