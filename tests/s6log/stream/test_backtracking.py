"""The proof that `re` takes linear time, against a matcher that counts its steps."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import strategies_ere
from s6log.script.ere import EreError, parse
from s6log.script.tree import (
    BOL,
    EOL,
    Alt,
    Assert,
    Cat,
    Node,
    Repeat,
    Set,
)
from s6log.stream.backtracking import STEPS_PER_BYTE, is_linear


@pytest.mark.parametrize(
    "pattern",
    [
        b"ERROR",
        b"ERROR|WARN|FATAL",
        b" 5[0-9][0-9] ",
        b".*error.*",
        b"^[^ ]+ [^ ]+ x",
        b"^.*x$",
        b"^a*b",
        rb"took [0-9]+ms",
        rb"\bfoo\b",
        b"[0-9]{1,3}[.][0-9]{1,3}",
        b"(ab|cd){1,3}$",
        b"^(ab)*c",
        b"x*",
        b"(a+)+$",
        b"(a|aa)*b",
        b"([ab]*a[ab]{12})",
        b"[0-9]+ bytes",
    ],
)
def test_proves_what_people_write(pattern: bytes) -> None:
    """Common patterns are known to be linear."""
    assert is_linear(parse(pattern))


@pytest.mark.parametrize(
    "pattern",
    [
        b"xx*y",
        b"^(a+b?)+$",
        b"^(a|aa)*b",
        b"A.*B",
        b"^.*a.*b",
        b"^(a|ab)*c",
        b"^([ab]*a[ab]{12})*c",
        b"x(a?){40}a{40}$",
        b"xa{1,5000}b",
        b"x[^y]*y",
        b"x[0-9]*a.*b",
        rb"(.)\1",
    ],
)
def test_does_not_claim_too_much(pattern: bytes) -> None:
    """What a hostile line can make slow, or might, is not called linear."""
    assert not is_linear(parse(pattern))


class Counter:
    """A backtracking search as `re` does it, step by step. No word edges."""

    def __init__(self, line: bytes) -> None:
        self.line = line
        self.steps = 0

    def search(self, tree: Node) -> bool:
        """Try each place in turn."""
        places = range(len(self.line) + 1)
        return any(True for place in places for _ in self.ways(tree, place))

    def ways(self, node: Node, at: int) -> Iterator[int]:
        """Give the ends of the matches that begin at a place."""
        self.steps += 1
        if isinstance(node, Set):
            if at < len(self.line) and node.mask >> self.line[at] & 1:
                yield at + 1
        elif isinstance(node, Assert):
            edge = {BOL: 0, EOL: len(self.line)}.get(node.kind, at)
            if at == edge:
                yield at
        elif isinstance(node, Alt):
            for branch in node.branches:
                yield from self.ways(branch, at)
        elif isinstance(node, Repeat):
            yield from self.rounds(node, at)
        else:
            yield from self.row(node.parts if isinstance(node, Cat) else (), at)

    def row(self, parts: tuple[Node, ...], at: int) -> Iterator[int]:
        """Match one part after the other."""
        if not parts:
            yield at
            return
        for end in self.ways(parts[0], at):
            yield from self.row(parts[1:], end)

    def rounds(self, node: Repeat, at: int, done: int = 0) -> Iterator[int]:
        """Match as many times as possible, then fewer."""
        if node.most is None or done < node.most:
            for end in self.ways(node.node, at):
                if end > at or done < node.least:
                    yield from self.rounds(node, end, done + 1)
        if done >= node.least:
            yield at


@settings(max_examples=200)
@given(
    strategies_ere.patterns(),
    st.lists(st.sampled_from([b"a", b"b", b"ab", b"aab", b"x", b" ", b"a ", b"-"])),
    st.integers(1, 60),
    strategies_ere.lines(),
)
def test_what_is_proved_holds(
    pattern: bytes, unit: list[bytes], times: int, tail: bytes
) -> None:
    """A pattern called linear takes a bounded number of steps for each byte."""
    try:
        tree = parse(pattern)
    except EreError:
        return
    line = (b"".join(unit) * times)[:120] + tail
    if is_linear(tree):
        counter = Counter(line)
        counter.search(tree)
        # Entering a node is a step here, of which a byte's has a few.
        assert counter.steps <= 4 * STEPS_PER_BYTE * (len(line) + 1)
