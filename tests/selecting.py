"""Selectors for tests: made from words, and judged line by line with regexec(3)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

import pytest
from hypothesis import strategies as st

import oracle_regex
import strategies_ere
from s6log.script.ere import EreError, parse
from s6log.script.model import Selector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.stream.runs import Kernel, Runs

try:
    from s6log.stream import _scan
except ImportError:
    KERNEL: Kernel | None = None
else:
    KERNEL = _scan

needs_kernel = pytest.mark.skipif(
    KERNEL is None, reason="the C kernel s6log.stream._scan is not built"
)
KERNELS = [
    pytest.param(KERNEL, id="kernel", marks=needs_kernel),
    pytest.param(None, id="python"),
]

Elements = Sequence[Sequence[Selector]]


def selector(word: bytes) -> Selector:
    """Read one of `+RE`, `-RE`, `f`."""
    pattern = word[1:]
    return Selector(word[:1], pattern, parse(pattern) if pattern else None)


def elements(*words: bytes) -> Elements:
    """Read a script; the word `1` stands for the actions of an element."""
    script: list[list[Selector]] = [[]]
    for word in words:
        if word == b"1":
            script.append([])
        else:
            script[-1].append(selector(word))
    return script[:-1]


def judged(script: Elements, lines: Sequence[bytes]) -> list[int]:
    """Give for each line the elements that act on it, as bits: s6-log's rules."""
    with ExitStack() as stack:
        compiled = {
            item.pattern: stack.enter_context(oracle_regex.Compiled(item.pattern))
            for element in script
            for item in element
            if item.pattern
        }
        return [_judged_line(script, compiled, line) for line in lines]


def _judged_line(
    script: Elements, compiled: dict[bytes, oracle_regex.Compiled], line: bytes
) -> int:
    selected, acted, mask = True, False, 0
    for number, element in enumerate(script):
        for item in element:
            if item.kind == b"f":
                selected = not acted
            elif not item.pattern or compiled[item.pattern].matches(line):
                selected = item.kind == b"+"
        acted |= selected
        mask |= selected << number
    return mask


def block_of(lines: Sequence[bytes]) -> memoryview:
    """Put lines into a buffer that can be used again, as the logger's is."""
    return memoryview(bytearray(b"".join(line + b"\n" for line in lines)))


def masks_of(runs: Runs, masks: Sequence[int], lines: Sequence[bytes]) -> list[int]:
    """Give for each line of a classified block the elements that act on it."""
    found = []
    ends = iter(zip(runs.ends, runs.outcomes, strict=True))
    end = at = outcome = 0
    for line in lines:
        at += len(line) + 1
        while end < at:
            end, outcome = next(ends)
        found.append(masks[outcome])
    assert end == at
    assert next(ends, None) is None
    return found


def _is_valid(pattern: bytes) -> bool:
    try:
        parse(pattern)
    except EreError:
        return False
    return b"\0" not in pattern


def words() -> st.SearchStrategy[bytes]:
    """Give selectors, with patterns of all sorts."""
    patterns = strategies_ere.patterns().filter(_is_valid)
    kinds = st.sampled_from([b"+", b"-"])
    return st.one_of(
        st.tuples(kinds, patterns).map(b"".join),
        st.tuples(kinds, patterns).map(b"".join),
        st.sampled_from([b"f", b"-", b"+", b"-a", b"+b", rb"+\bx", b"-x$"]),
    )


def scripts() -> st.SearchStrategy[Elements]:
    """Give scripts of one to three elements; only the first may be empty."""
    first = st.lists(words(), max_size=3)
    later = st.lists(st.lists(words(), min_size=1, max_size=3), max_size=2)
    return st.tuples(first, later).map(
        lambda parts: [[selector(word) for word in e] for e in [parts[0], *parts[1]]]
    )
