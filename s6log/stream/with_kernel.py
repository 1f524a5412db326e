"""How a script is worked out with the kernel. Pure.

By one automaton, or by several with some of the patterns each.
"""

from s6log.script.ere_facts import has_backref, literal
from s6log.stream.automaton import Automaton
from s6log.stream.hops import LONGEST_TEXT, TextHops
from s6log.stream.positions import PatternTooLarge, check
from s6log.stream.walk import KernelWalk
from s6log.stream.ways import Columns, Constant, Parts, Whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from s6log.stream.runs import Kernel
    from s6log.stream.verdict import Program
    from s6log.stream.work import Limits, Work


class WithKernel:
    """Chooses the ways for one script."""

    __slots__ = ("_columns", "_limits", "_parts", "_program", "_walk", "_work")

    def __init__(
        self, program: "Program", limits: "Limits", work: "Work", kernel: "Kernel"
    ) -> None:
        self._program = program
        self._limits = limits
        self._work = work
        self._walk = KernelWalk(kernel)
        self._split_up()

    def _split_up(self) -> None:
        self._parts = Parts(self._walk)
        self._columns = Columns(self._program, self._parts)

    def first(self) -> Columns | Constant | TextHops | Whole:
        """Give the way to begin with. Raises PatternTooLarge."""
        self._split_up()
        numbers = range(len(self._program.trees))
        walked = [number for number in numbers if not self._goes_to_re(number)]
        if len(walked) == len(numbers):
            try:
                automaton = Automaton(self._program, self._limits, self._work)
            except PatternTooLarge:
                pass
            else:
                return self._one(automaton)
        self._add(walked)
        return self._columns

    def after(self, thrashing: Automaton) -> Columns:
        """Give a way without this automaton.

        Two smaller ones replace it; or a bit set, if it has a single pattern.
        """
        numbers = self._parts.numbers.pop(thrashing, range(len(self._program.trees)))
        if len(numbers) > 1:
            self._add_halves(numbers)
        else:
            from s6log.stream.bits import BitSet

            search = BitSet(self._program.trees[numbers[0]], self._work)
            self._columns.searches[1 << numbers[0]] = search
        return self._columns

    def _goes_to_re(self, number: int) -> bool:
        """Set up a search for a pattern with a back-reference; check the others."""
        tree = self._program.trees[number]
        if not has_backref(tree):
            check(tree)
            return False
        from s6log.stream.searches import Regex

        self._columns.searches[1 << number] = Regex(tree, self._work)
        return True

    def _one(self, automaton: Automaton) -> Constant | TextHops | Whole:
        """Give the way for a script that one automaton can do."""
        if automaton.settled >= 0:
            return Constant(automaton.settled)
        whole = Whole(automaton, self._walk)
        trees = self._program.trees
        text = literal(trees[0]) if len(trees) == 1 else None
        if text is None or len(text) > LONGEST_TEXT:
            return whole
        return TextHops(self._program, text, whole, self._work)

    def _add(self, numbers: "Sequence[int]") -> None:
        """Let automata find these patterns: one, or several if it gets too large."""
        if not numbers:
            return
        try:
            part = Automaton(self._program.part(numbers), self._limits, self._work)
        except PatternTooLarge:
            # Each alone has passed check(): there are several.
            self._add_halves(numbers)
        else:
            self._parts.numbers[part] = numbers

    def _add_halves(self, numbers: "Sequence[int]") -> None:
        middle = len(numbers) // 2
        self._add(numbers[:middle])
        self._add(numbers[middle:])
