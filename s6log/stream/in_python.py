"""How a script is worked out without the kernel. Pure.

By `re` where that surely takes linear time, and an automaton walked in Python
for the patterns where it does not.
"""

from s6log.script.ere_facts import has_backref
from s6log.stream.automaton import Automaton
from s6log.stream.bits import BitSet
from s6log.stream.finder import Finder
from s6log.stream.hops import RegexHops
from s6log.stream.positions import check
from s6log.stream.regex import is_linear
from s6log.stream.searches import Regex, Walked
from s6log.stream.ways import Columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.script.tree import Node
    from s6log.stream.verdict import Program
    from s6log.stream.work import Limits, Work


class InPython:
    """Chooses the ways for one script."""

    __slots__ = ("_columns", "_limits", "_program", "_work")

    def __init__(self, program: "Program", limits: "Limits", work: "Work") -> None:
        self._program = program
        self._limits = limits
        self._work = work
        self._columns = Columns(program)

    def first(self) -> Columns | RegexHops:
        """Give the way to begin with. Raises PatternTooLarge."""
        trees = self._program.trees
        if len(trees) == 1 and _suits_re(trees[0]):
            return RegexHops(self._program, Finder(trees[0]), self._work)
        self._columns = Columns(self._program)
        for number in range(len(trees)):
            self._columns.searches[1 << number] = self._search(number)
        return self._columns

    def after(self, thrashing: Automaton) -> Columns:
        """Give a way without this automaton: its pattern becomes a bit set."""
        for pattern, search in self._columns.searches.items():
            if isinstance(search, Walked) and search.automaton is thrashing:
                tree = thrashing.program.trees[0]
                self._columns.searches[pattern] = BitSet(tree, self._work)
        return self._columns

    def _search(self, number: int) -> Regex | Walked:
        tree = self._program.trees[number]
        if _suits_re(tree):
            return Regex(tree, self._work)
        part = self._program.part([number])
        return Walked(Automaton(part, self._limits, self._work), tree, self._work)


def _suits_re(tree: "Node") -> bool:
    if has_backref(tree):
        return True  # nothing else can do it
    check(tree)  # what the kernel cannot take is refused here, too
    return is_linear(tree)
