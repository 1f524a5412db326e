"""The ways to classify whole blocks; that they agree is tested with the selection."""

from s6log.stream.automaton import Automaton
from s6log.stream.bits import BitSet
from s6log.stream.searches import Regex
from s6log.stream.verdict import program_of
from s6log.stream.walk import KernelWalk
from s6log.stream.ways import Columns, Constant, Parts
from s6log.stream.work import Limits, Work
from selecting import KERNEL, block_of, elements, masks_of, needs_kernel


def test_a_constant_needs_no_look() -> None:
    """All lines of any block have the same outcome."""
    assert Constant(3).runs(block_of([b"a", b"b"])).outcome() == 3


def test_columns_ask_only_lines_that_can_change() -> None:
    """`+` asks what is not selected, `-` what is."""
    program = program_of(elements(b"-", b"+a", b"-b", b"+c", b"1"))
    work = Work()
    columns = Columns(program)
    for number in range(3):
        columns.searches[1 << number] = BitSet(program.trees[number], work)
    lines = [b"a", b"ab", b"abc", b"c", b""]
    runs = columns.runs(block_of(lines))
    assert masks_of(runs, program.masks, lines) == [1, 0, 1, 1, 0]
    assert work.tested == 5 + 3 + 4


@needs_kernel
def test_columns_mix_automata_and_searches() -> None:
    """Bits of a part's outcomes stand for the patterns it was given."""
    program = program_of(elements(b"-a", b"1", b"f", b"-b", b"1", b"+c", b"1"))
    work = Work()
    assert KERNEL is not None
    parts = Parts(KernelWalk(KERNEL))
    parts.numbers[Automaton(program.part([0, 2]), Limits(), work)] = [0, 2]
    columns = Columns(program, parts)
    columns.searches[1 << 1] = Regex(program.trees[1], work)
    lines = [b"x", b"a", b"ab", b"abc", b"c"]
    runs = columns.runs(block_of(lines))
    assert masks_of(runs, program.masks, lines) == [1, 6, 0, 4, 5]
