"""A pattern stepped as a set of positions, without remembering anything. Pure."""

from s6log.stream.lines import Lines, column
from s6log.stream.nfa import EDGE, Nfa

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.script.tree import Node
    from s6log.stream.work import Work


class BitSet:
    """One pattern, which would need a new state for every other byte."""

    __slots__ = ("_again", "_nfa", "_start", "_work")

    def __init__(self, tree: "Node", work: "Work") -> None:
        self._work = work
        self._nfa = Nfa([tree], work)
        self._again = self._nfa.again(0)
        self._start = self._nfa.begin()

    def among(self, lines: Lines, asked: int) -> int:
        """Give those of the lines asked about that the pattern matches."""
        self._work.tested += asked.bit_count()
        found = bytearray(lines.flags(asked))
        for number, line in enumerate(lines.lines):
            if found[number]:
                found[number] = self.matches(line)
        return column(found)

    def matches(self, line: bytes) -> bool:
        """Tell whether the pattern is found in a line without its LF."""
        nfa, again, finals = self._nfa, self._again, self._nfa.finals
        bits, before = self._start, EDGE
        for class_ in line.translate(nfa.classes):
            if bits & finals or not bits | again:
                break
            bits, before = nfa.advance(bits, before, class_, again)
        return bool(nfa.always or nfa.matched(nfa.finish(bits, before)))
