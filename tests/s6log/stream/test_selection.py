"""All ways to select lines give the same answers, and none can be stalled."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import oracle_regex
import selecting
import strategies_ere
from s6log.script.ere import parse
from s6log.script.model import Selector
from s6log.script.tree import EOL, Alt, Assert, Cat, Node, Repeat, Set
from s6log.stream.automaton import Automaton
from s6log.stream.bits import BitSet
from s6log.stream.positions import PatternTooLarge
from s6log.stream.searches import Regex, Walked
from s6log.stream.selection import Selection
from s6log.stream.verdict import Program, program_of
from s6log.stream.walk import KernelWalk
from s6log.stream.ways import Columns, Parts, Whole
from s6log.stream.work import Limits, Work
from selecting import KERNELS, block_of, elements, masks_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.stream.runs import Kernel, Runs

    Classify = Callable[[memoryview], Runs]

glibc = pytest.mark.skipif(not oracle_regex.available(), reason="not on glibc")

TINY = Limits(cache_bytes=6000, split_bytes=10, step_bytes=10, retry_bytes=100)


def selected(
    selection: Selection, lines: Sequence[bytes], cuts: Sequence[int] = ()
) -> list[int]:
    """Give the elements that act on each line, as bits; cut into several blocks."""
    found = []
    starts = sorted({0, *cuts} & set(range(len(lines))))
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        block = lines[start:end]
        runs = selection.classify(block_of(block))
        found += masks_of(runs, selection.masks, block)
    return found


def by_hand(program: Program) -> dict[str, Classify]:
    """Give ways that a selection would only take for some scripts."""
    work, limits = Work(), Limits()
    parts = [
        Automaton(program.part([n]), limits, work) for n in range(len(program.trees))
    ]
    searches: dict[str, list[BitSet | Regex | Walked]] = {
        "re": [Regex(tree, work) for tree in program.trees],
        "bits": [BitSet(tree, work) for tree in program.trees],
        "walked": [Walked(part, part.program.trees[0], work) for part in parts],
    }
    ways: dict[str, Classify] = {}
    for name, asked in searches.items():
        columns = Columns(program)
        columns.searches.update({1 << n: search for n, search in enumerate(asked)})
        ways[name] = columns.runs
    if selecting.KERNEL is not None:
        walk = KernelWalk(selecting.KERNEL)
        split = Parts(walk)
        split.numbers.update({part: [n] for n, part in enumerate(parts)})
        ways["split"] = Columns(program, split).runs
        whole = Automaton(program, limits, work)
        if whole.settled < 0:
            ways["whole"] = Whole(whole, walk).runs
    return ways


@glibc
@settings(max_examples=100, deadline=None)
@given(selecting.scripts(), st.lists(strategies_ere.lines(), min_size=1, max_size=15))
def test_all_ways_agree_with_regexec(
    script: selecting.Elements, lines: list[bytes]
) -> None:
    """Line by line, each pattern judged by regexec, s6-log's rules applied."""
    expected = selecting.judged(script, lines)
    program = program_of(script)
    for name, classify in by_hand(program).items():
        runs = classify(block_of(lines))
        assert masks_of(runs, program.masks, lines) == expected, name


@glibc
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("limits", [Limits(), TINY], ids=["usual", "tiny"])
@settings(max_examples=100, deadline=None)
@given(
    selecting.scripts(),
    st.lists(strategies_ere.lines(), min_size=1, max_size=30),
    st.lists(st.integers(0, 30)),
)
def test_any_division_into_blocks_gives_the_same(
    kernel: Kernel | None,
    limits: Limits,
    script: selecting.Elements,
    lines: list[bytes],
    cuts: list[int],
) -> None:
    """Also while caches are flushed, automata split and given a new chance."""
    selection = Selection(script, kernel, limits)
    assert selected(selection, lines, cuts) == selecting.judged(script, lines)


@glibc
@pytest.mark.parametrize("kernel", KERNELS)
def test_back_references_go_beside_the_automaton(kernel: Kernel | None) -> None:
    """They are asked about the lines that are left."""
    script = elements(
        b"-", b"+^[a-z]", rb"-^(.)(.).*\2\1", b"1", b"f", rb"-(.)\1$", b"1"
    )
    lines = [b"abba", b"abab", b"xyyx!", b"12", b"11", b""]
    assert selected(Selection(script, kernel), lines) == selecting.judged(script, lines)


@pytest.mark.parametrize("kernel", KERNELS)
def test_one_back_reference_alone(kernel: Kernel | None) -> None:
    """A script needs nothing else."""
    selection = Selection(elements(b"-", rb"+(.)\1", b"1"), kernel)
    assert selected(selection, [b"abc", b"abb"]) == [0, 1]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(
    ("words", "mask"),
    [
        ((b"-", b"1"), 0),
        ((b"-a", b"+", b"1"), 1),
        ((b"-", b"+x*", b"1"), 1),
        ((b"+ERROR", b"1"), 1),
        ((b"-a", b"+a", b"1"), 1),
        ((b"1", b"f", b"1"), 1),
    ],
)
def test_scripts_without_a_question_look_at_no_byte(
    kernel: Kernel | None, words: tuple[bytes, ...], mask: int
) -> None:
    """Patterns that make no difference are never searched for."""
    selection = Selection(elements(*words), kernel)
    outcome = selection.classify(block_of([b"ab", b"", b"x"])).outcome()
    assert selection.masks[outcome] == mask
    assert selection.work.walked == selection.work.tested == 0


A, B, X, Y = (Set(1 << byte) for byte in b"abxy")
AB = Set(A.mask | B.mask)
HOSTILE: dict[str, Node] = {
    # As written: the parser would make some of them harmless.
    "(a+)+$": Cat((Repeat(Repeat(A, 1, None), 1, None), Assert(EOL))),
    "(a|aa)*b": Cat((Repeat(Alt((A, Cat((A, A)))), 0, None), B)),
    "(x*)*y": Cat((Repeat(Repeat(X, 0, None), 0, None), Y)),
    "([ab]*a[ab]{12})": Cat((Repeat(AB, 0, None), A, Repeat(AB, 12, 12))),
    **{
        pattern: parse(pattern.encode())
        for pattern in (
            "(a+)+$",
            "(a|aa)*b",
            "(x*)*y",
            "([ab]*a[ab]{12})",
            "^(a|aa)*b",
            "^([ab]*a[ab]{12})$",
            "^(a|b|ab)*c",
            "^((a*)*b*)*c",
            "a.*a.*a.*c",
            "^(a?){50}a{50}$",
        )
    },
}


def hostile_lines(length: int) -> list[bytes]:
    """Give lines that make backtracking matchers despair."""
    rng = random.Random(length)
    return [
        b"a" * length,
        b"a" * (length - 1) + b"!",
        b"x" * length,
        b"ab" * (length // 2),
        bytes(rng.choices(b"ab", k=length)),
    ]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("pattern", HOSTILE)
def test_no_line_can_stall_the_logger(kernel: Kernel | None, pattern: str) -> None:
    """Work per byte does not depend on the line's length: a few dozen steps."""
    script = [[Selector(b"-"), Selector(b"+", pattern.encode(), HOSTILE[pattern])]]
    for length in (1024, 8192):
        selection = Selection(script, kernel)
        lines = hostile_lines(length)
        selected(selection, lines)
        work = selection.work
        size_bytes = len(lines) * (length + 1)
        assert work.walked <= size_bytes
        assert work.misses <= size_bytes
        assert work.steps <= 40 * size_bytes


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_state_for_every_byte_is_not_kept(kernel: Kernel | None) -> None:
    """`[ab]*a[ab]{20}` has a million states: it is stepped as a bit set instead."""
    script = elements(b"-", b"+^([ab]*a[ab]{20})+$", b"1")
    selection = Selection(script, kernel, Limits(cache_bytes=400_000))
    lines = [*hostile_lines(8192), *hostile_lines(8190)] * 2
    expected = [
        len(line) > 20 and line[-21:-20] == b"a" and b"!" not in line for line in lines
    ]
    assert selected(selection, lines) == expected
    assert selection.work.splits == 1
    assert selection.work.tested == len(lines)
    assert selection.work.steps < 20 * sum(map(len, lines))


def access_lines(count: int) -> list[bytes]:
    """Give lines with many of the words that the ten patterns look for."""
    rng = random.Random(7)
    parts = [b"A%d" % n for n in range(10)] + [b"B%d" % n for n in range(10)]
    return [b" ".join(rng.choices(parts, k=12)) for _ in range(count)]


TEN = [word for n in range(10) for word in (b"-", b"+A%d.*B%d" % (n, n), b"1")]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("kind", ["A.*B", "+"])
def test_many_patterns_are_split(kernel: Kernel | None, kind: str) -> None:
    """Ten patterns `A.*B` blow one automaton up: several are combined instead."""
    words = TEN if kind == "A.*B" else [b"-", *TEN[1::3], b"-A3.*B4", b"1"]
    script = elements(*words)
    lines = access_lines(800)
    split = Selection(script, kernel, Limits(cache_bytes=60_000))
    whole = Selection(script, kernel, Limits(cache_bytes=1 << 26))
    cuts = range(0, 800, 100)
    assert selected(split, lines, cuts) == selected(whole, lines, cuts)
    assert whole.work.splits == 0
    assert split.work.splits > 0 or kernel is None


@pytest.mark.parametrize("kernel", KERNELS)
def test_hostile_input_that_passes_is_forgotten(kernel: Kernel | None) -> None:
    """After some more input the first choice is tried again."""
    script = elements(b"-", b"+^([ab]*a[ab]{20})+$", b"1")
    limits = Limits(cache_bytes=20_000, retry_bytes=50_000)
    selection = Selection(script, kernel, limits)
    rng = random.Random(1)
    storm = [bytes(rng.choices(b"ab", k=1000)) for _ in range(10)]
    calm = [b"c" * 1000] * 20
    selected(selection, storm)
    assert selection.work.splits == 1
    for _ in range(3):
        selected(selection, calm)
    tested = selection.work.tested
    assert selected(selection, calm) == [0] * 20
    assert selection.work.tested == tested
    assert selection.work.splits == 1


@pytest.mark.parametrize("kernel", KERNELS)
def test_patterns_too_large_together_are_taken_apart(kernel: Kernel | None) -> None:
    """Each alone is within the limits."""
    script = elements(b"-", b"+^a{32767}b{500}$", b"+^b{32767}a{500}$", b"1")
    selection = Selection(script, kernel)
    lines = [b"a" * 32767 + b"b" * 500, b"b" * 32767 + b"a" * 499, b"a"]
    assert selected(selection, lines) == [1, 0, 0]


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_giant_is_refused_alike(kernel: Kernel | None) -> None:
    """With and without a kernel, whether or not `re` could do it."""
    giant = parse(b"^(a{1000}){100}$")
    with pytest.raises(PatternTooLarge):
        Selection([[Selector(b"-", b"giant", giant)]], kernel)
