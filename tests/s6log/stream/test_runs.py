"""Classified blocks: gathering lines for an output, finding the last one."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s6log.stream.runs import Packed, Runs, line_start, merged_runs, packed_runs
from selecting import KERNELS, block_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.stream.runs import Kernel

TABLES: list[tuple[bytes, ...]] = [
    (),
    (b"",),
    (b"1 ",),
    (b"1 ", b"2 "),
    (b"", b"again "),
]

some_bytes = st.lists(st.sampled_from([b"a", b"b ", b"\0", b"\xff"]), max_size=5)
contents = st.lists(
    st.tuples(some_bytes.map(b"".join), st.integers(0, 4)), min_size=1, max_size=30
)


def runs_of(
    lines: Sequence[bytes], outcomes: Sequence[int], kernel: Kernel | None
) -> Runs:
    """Make runs by hand, as the kernel would or as Python does."""
    ends: list[int] = []
    for line in lines:
        ends.append((ends[-1] if ends else 0) + len(line) + 1)
    runs = merged_runs(block_of(lines), ends, outcomes)
    if kernel is None:
        return runs
    pairs = [n for pair in zip(runs.ends, runs.outcomes, strict=True) for n in pair]
    buffer = bytearray(struct.pack(f"{len(pairs)}Q", *pairs))
    return packed_runs(runs.block, Packed(kernel, buffer, len(pairs) // 2))


@pytest.mark.parametrize("kernel", KERNELS)
@given(contents, st.permutations(TABLES))
def test_gathers_in_order(
    kernel: Kernel | None,
    content: list[tuple[bytes, int]],
    table: list[tuple[bytes, ...]],
) -> None:
    """Each line once for each of its prefixes, line after line."""
    lines, outcomes = zip(*content, strict=True)
    expected = b"".join(
        prefix + line + b"\n" for line, outcome in content for prefix in table[outcome]
    )
    assert runs_of(lines, outcomes, kernel).gather(table) == expected


@pytest.mark.parametrize("kernel", KERNELS)
@given(contents, st.lists(st.booleans(), min_size=5, max_size=5))
def test_finds_the_last_wanted_line(
    kernel: Kernel | None, content: list[tuple[bytes, int]], wanted: list[bool]
) -> None:
    """Its place is given with the LF; None when no line is wanted."""
    lines, outcomes = zip(*content, strict=True)
    expected = None
    at = 0
    for line, outcome in content:
        if wanted[outcome]:
            expected = at, at + len(line) + 1
        at += len(line) + 1
    assert runs_of(lines, outcomes, kernel).last(wanted) == expected


@given(st.lists(st.integers(0, 2), min_size=1, max_size=6))
def test_the_one_outcome_of_a_block(outcomes: list[int]) -> None:
    """It is told when all lines share it."""
    runs = runs_of([b"x"] * len(outcomes), outcomes, None)
    assert runs.outcome() == (outcomes[0] if len(set(outcomes)) == 1 else -1)


def test_a_run_has_as_many_lines_as_possible() -> None:
    """Neighbours with the same outcome are one run."""
    runs = runs_of([b"a", b"b", b"", b"c"], [1, 1, 0, 1], None)
    assert (runs.ends, runs.outcomes) == ([4, 5, 7], [1, 0, 1])


@pytest.mark.parametrize("length", [0, 1, 254, 255, 256, 3000])
def test_the_start_of_a_long_line_is_found(length: int) -> None:
    """However far back it is, and not before the run."""
    block = memoryview(b"before\n" + b"x" * length + b"\n")
    assert line_start(block, 0, len(block)) == 7
    assert line_start(block, 7, len(block)) == 7
