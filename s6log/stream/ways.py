"""Ways to classify a block, for whole scripts. Pure.

Each has `runs(block)`: it finds the outcome of every line of a block.
"""

from s6log.stream.lines import Lines, column
from s6log.stream.runs import Runs, merged_runs
from s6log.stream.verdict import ALWAYS, REST, SELECT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from s6log.stream.automaton import Automaton
    from s6log.stream.bits import BitSet
    from s6log.stream.searches import Regex, Walked
    from s6log.stream.verdict import Program
    from s6log.stream.walk import KernelWalk


class Constant:
    """The patterns make no difference."""

    __slots__ = ("_outcome",)

    def __init__(self, outcome: int) -> None:
        self._outcome = outcome

    def runs(self, block: memoryview) -> Runs:
        """Give all lines the same outcome."""
        return Runs(block, [len(block)], [self._outcome])


class Whole:
    """One automaton for everything."""

    __slots__ = ("automaton", "walk")

    def __init__(self, automaton: "Automaton", walk: "KernelWalk") -> None:
        self.automaton = automaton
        self.walk = walk

    def runs(self, block: memoryview) -> Runs:
        """Walk the automaton; may raise Thrashing."""
        return self.walk.runs(self.automaton, block)


class Parts:
    """Automata that each find some of the patterns, walked by the kernel.

    `numbers` has, for each, the patterns that the bits of its outcomes stand for.
    """

    __slots__ = ("_walk", "numbers")

    def __init__(self, walk: "KernelWalk") -> None:
        self._walk = walk
        self.numbers: dict[Automaton, Sequence[int]] = {}

    def matches(self, block: memoryview, count: int) -> dict[int, int]:
        """Give the lines that match, for the bit of each pattern.

        The block has `count` lines. May raise Thrashing.
        """
        found = {}
        for automaton, numbers in self.numbers.items():
            outcomes = [automaton.settled] * count
            if automaton.settled < 0:
                outcomes = self._walk.outcomes(automaton, block)
            masks = automaton.program.masks
            for own, number in enumerate(numbers):
                flag_of = [mask >> own & 1 for mask in masks]
                found[1 << number] = column(bytes(map(flag_of.__getitem__, outcomes)))
        return found


class Columns:
    """The selectors one after the other, each for all lines of the block.

    `searches`, by the bits of their patterns, are asked only about lines that
    their selector can change; what `parts` find is known before.
    """

    __slots__ = ("_program", "parts", "searches")

    def __init__(self, program: "Program", parts: Parts | None = None) -> None:
        self._program = program
        self.parts = parts
        self.searches: dict[int, BitSet | Regex | Walked] = {}

    def runs(self, block: memoryview) -> Runs:
        """Apply the selectors; may raise Thrashing."""
        lines = Lines(block)
        known = self.parts.matches(block, len(lines.ends)) if self.parts else {}
        every = selected = lines.every()
        acted = 0
        columns = []
        for element in self._program.elements:
            for kind, pattern in element:
                if kind == REST:
                    selected = every ^ acted
                else:
                    asked = every ^ selected if kind == SELECT else selected
                    selected ^= self._among(pattern, asked, lines, known)
            acted |= selected
            columns.append(lines.flags(selected))
        flags = list(zip(*columns, strict=True))
        outcome_of = {kind: self._outcome(kind) for kind in set(flags)}
        outcomes = list(map(outcome_of.__getitem__, flags))
        return merged_runs(block, lines.ends, outcomes)

    def _among(
        self, pattern: int, asked: int, lines: Lines, known: dict[int, int]
    ) -> int:
        if pattern == ALWAYS:
            return asked
        if pattern in known:
            return asked & known[pattern]
        return self.searches[pattern].among(lines, asked)

    def _outcome(self, flags: tuple[int, ...]) -> int:
        """Give the outcome of a line that these elements select."""
        return self._program.number(
            sum(flag << element for element, flag in enumerate(flags))
        )
