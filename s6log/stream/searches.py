"""Asking lines about one pattern in Python: by `re`, or walking an automaton. Pure."""

from s6log.script.ere_facts import shortest
from s6log.script.tree import Alt, Cat, Node, Repeat
from s6log.stream.finder import Finder
from s6log.stream.lines import Lines, column
from s6log.stream.regex import compile_line, is_linear
from s6log.stream.walk import walk_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

    from s6log.stream.automaton import Automaton
    from s6log.stream.work import Work

BLOCK_GAIN = 4
"""Asking all lines in one go costs what asking one in so many does, about."""


class Regex:
    """One pattern and Python's `re`: the caller knows that it is safe."""

    __slots__ = ("_finder", "_line", "_tree", "_work")

    def __init__(self, tree: Node, work: "Work") -> None:
        self._tree = tree
        self._work = work
        self._finder = Finder(tree)
        self._line: re.Pattern[bytes] | None = None

    def among(self, lines: Lines, asked: int) -> int:
        """Give those of the lines asked about that the pattern matches."""
        count = asked.bit_count()
        if count * BLOCK_GAIN < len(lines.lines):
            return self._by_line(lines, asked)
        self._work.tested += len(lines.lines)
        found = bytearray(len(lines.lines))
        number_of = lines.number_of()
        for end in self._finder.ends(lines.data):
            found[number_of[end]] = 1
        return column(found) & asked

    def _by_line(self, lines: Lines, asked: int) -> int:
        if self._line is None:
            self._line = compile_line(self._tree)
        search = self._line.search
        self._work.tested += asked.bit_count()
        found = bytearray(lines.flags(asked))
        number = found.find(1)
        while number >= 0:
            found[number] = search(lines.lines[number]) is not None
            number = found.find(1, number + 1)
        return column(found)


def needed(tree: Node) -> Node | None:
    """Give a part of a pattern that is found wherever the pattern is, if any.

    It is one that `re` takes linear time for: `timeout` in `user [^ ]*.*timeout`.
    """
    if isinstance(tree, Alt):
        branches = [part for part in map(needed, tree.branches) if part is not None]
        return Alt(tuple(branches)) if len(branches) == len(tree.branches) else None
    pieces: list[list[Node]] = [[]]
    for part in tree.parts if isinstance(tree, Cat) else (tree,):
        if isinstance(part, Repeat) and part.most is None:
            pieces.append([])
        else:
            pieces[-1].append(part)
    longest = max((Cat(tuple(piece)) for piece in pieces), key=shortest)
    return longest if shortest(longest) and is_linear(longest) else None


class Walked:
    """One pattern and its automaton, walked in Python where there is no kernel.

    Slow, so only lines are walked that have what the pattern needs.
    """

    __slots__ = ("_filter", "_work", "automaton")

    def __init__(self, automaton: "Automaton", tree: Node, work: "Work") -> None:
        self.automaton = automaton
        self._work = work
        part = needed(tree)
        self._filter = None if part is None else Regex(part, work)

    def among(self, lines: Lines, asked: int) -> int:
        """Give those of the lines asked about that the pattern matches.

        May raise Thrashing.
        """
        if self._filter is not None:
            asked = self._filter.among(lines, asked)
        found = bytearray(lines.flags(asked))
        masks = self.automaton.program.masks
        start = 0
        for number, end in enumerate(lines.ends):
            if found[number]:
                found[number] = masks[walk_line(self.automaton, lines.data, start)]
            start = end
        return column(found)
