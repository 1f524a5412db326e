"""Trees to Python's `re`: the verdicts are those of glibc."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ere_cases
import oracle_regex
import strategies_ere
from s6log.script.ere import EreError, parse
from s6log.script.tree import Node
from s6log.stream.regex import compile_block, compile_line, to_re

glibc = pytest.mark.skipif(not oracle_regex.available(), reason="not on glibc")


def tree_of(pattern: bytes) -> Node | None:
    """Give the tree, None for what is not taken."""
    try:
        return parse(pattern)
    except EreError:
        return None


def found_in_block(tree: Node, lines: list[bytes]) -> list[bytes]:
    """Give the lines found by one search through all of them."""
    block = b"".join(line + b"\n" for line in lines)
    starts = [match.start() for match in compile_block(tree).finditer(block)]
    return [lines[block.count(b"\n", 0, start)] for start in starts]


@pytest.mark.parametrize("subject", ere_cases.SUBJECTS)
def test_finds_what_the_table_says(subject: str) -> None:
    """Line by line, what the table says is found and nothing else."""
    for case in ere_cases.about(subject, "valid"):
        compiled = compile_line(parse(case.pattern))
        lines = (*case.matched, *case.missed)
        assert tuple(filter(compiled.search, lines)) == case.matched, case


@pytest.mark.parametrize("subject", ere_cases.SUBJECTS)
def test_finds_each_line_of_a_block_once(subject: str) -> None:
    """In a block the same lines are found, each once, and nothing after the last."""
    for case in ere_cases.about(subject, "valid"):
        lines = [*case.matched, *case.missed, *case.matched, *case.missed]
        found = found_in_block(parse(case.pattern), lines)
        assert found == [*case.matched, *case.matched], case


@glibc
@settings(max_examples=300)
@given(
    st.one_of(strategies_ere.patterns(), strategies_ere.references()),
    st.lists(strategies_ere.lines(), min_size=4, max_size=12),
)
def test_agrees_with_regexec(pattern: bytes, lines: list[bytes]) -> None:
    """Whatever the pattern and the lines, each way gives regexec's verdict."""
    tree = tree_of(pattern)
    if tree is None:
        return
    with oracle_regex.Compiled(pattern) as compiled:
        expected = [line for line in lines if compiled.matches(line)]
    assert list(filter(compile_line(tree).search, lines)) == expected
    assert found_in_block(tree, lines) == expected


def test_matches_end_with_their_line() -> None:
    """A match in a block takes the rest of its line and the LF."""
    found = compile_block(parse(b"b")).search(b"abbc\nb\n")
    assert found is not None
    assert found.span() == (1, 5)


@pytest.mark.parametrize(
    ("pattern", "source"),
    [
        (b"x.y", rb"(?m:\x78.\x79)"),
        (b"[a-cx]", rb"(?m:[\x61-\x63\x78-\x78])"),
        (b"[^a]", rb"(?m:[\x00-\x09\x0b-\x60\x62-\xff])"),
        (b"a\n", b"(?m:(?!))"),
        (b"x(ab?)+?y", rb"(?m:\x78(?:\x61\x62{0,1})*\x79)"),
        (b"x(a{2,3})?y", rb"(?m:\x78(?:\x61{2,3}){0,1}\x79)"),
        (rb"(a)(b)\2", rb"(?m:\x61(?P<g2>\x62)(?P=g2))"),
    ],
)
def test_leaves_nothing_to_interpretation(pattern: bytes, source: bytes) -> None:
    """Sets are spelled out, repeats have parentheses, groups names."""
    assert to_re(parse(pattern), whole_block=False) == source
