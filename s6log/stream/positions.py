"""The positions of patterns, and which may follow which. Pure.

Glushkov's construction: every byte set and every assertion of a tree becomes
one position, numbered from left to right, and each pattern gets one more that
means "matched". A repeat is written out, so the size has to be bounded; what
does not fit is refused with a reason, never approximated.
"""

from s6log.script.ere_facts import children
from s6log.script.tree import (
    Alt,
    Assert,
    Cat,
    Empty,
    Group,
    Node,
    Repeat,
    Set,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Link = tuple[tuple[int, ...], list[int]]

MAX_POSITIONS = 1 << 16  # x{1,32767} takes half of them
MAX_EDGE_BYTES = 1 << 19  # of masks; it bounds the time of a step, too
MAX_PAIRS = 256  # of a link that may become moves


class PatternTooLarge(ValueError):
    """The automaton of a pattern would take too much memory or time.

    The text is the reason, ready for a message to the user.
    """


TOO_MANY_POSITIONS = f"it needs more than {MAX_POSITIONS} states"
TOO_MANY_EDGES = "it has too many ways from one state to others"


def check(tree: Node) -> None:
    """Raise PatternTooLarge if no automaton for this pattern will be made.

    The tree must hold no back-reference.
    """
    builder = Builder()
    builder.add(tree)
    builder.edges()


def measure(tree: Node) -> int:
    """Count the positions of a pattern without making them.

    Raises PatternTooLarge beyond the limit, however large the tree would get.
    """
    total = 0
    left = [(tree, 1)]
    while left:
        node, times = left.pop()
        if isinstance(node, Set | Assert):
            total += times
        elif isinstance(node, Repeat):
            times *= copies(node)
        if total > MAX_POSITIONS:
            raise PatternTooLarge(TOO_MANY_POSITIONS)
        if times:
            left += [(child, times) for child in children(node)]
    return total


def copies(repeat: Repeat) -> int:
    """Give the number of copies of its node that a repeat becomes."""
    return max(repeat.least, 1) if repeat.most is None else repeat.most


class Fragment:
    """Part of a pattern: the positions it may begin with and end with."""

    __slots__ = ("first", "last", "nullable")

    def __init__(self, nullable: bool, first: list[int], last: list[int]) -> None:
        self.nullable = nullable
        self.first = first
        self.last = last


class Builder:
    """Numbers the positions of patterns and notes which follow which.

    `sets` has the positions of each mask of bytes, `asserts` of each kind.
    """

    __slots__ = ("_bytes_left", "_links", "_moves", "asserts", "positions", "sets")

    def __init__(self) -> None:
        self.positions = 0
        self.sets: dict[int, list[int]] = {}
        self.asserts: dict[int, list[int]] = {}
        self._moves: dict[int, list[int]] = {}  # distance to sources
        self._links: dict[tuple[int, ...], list[int]] = {}  # targets to sources
        self._bytes_left = MAX_EDGE_BYTES

    def add(self, tree: Node) -> tuple[Fragment, int]:
        """Add one pattern; give it with the position that means "matched"."""
        if self.positions + measure(tree) > MAX_POSITIONS:
            raise PatternTooLarge(TOO_MANY_POSITIONS)
        whole = self._build(tree)
        final = self._position()
        self._join(whole.last, [final])
        return whole, final

    def edges(self) -> "tuple[dict[int, int], list[tuple[int, int]]]":
        """Give all edges as masks of positions: (moves, links). Ends the building.

        moves[d] has the sources of the edges that lead d positions up (or down,
        where negative); a link leads from each of its sources to all targets.
        Copies of one part have links of one shape: those take fewer moves.
        """
        links = []
        for distances, shape in self._shapes().items():
            if distances and len(distances - self._moves.keys()) <= len(shape):
                self._move(shape)
            else:
                links += [(mask_of(s), mask_of(t)) for t, s in shape]
        self._spend((len(self._moves) + 2 * len(links)) * self.positions // 8)
        moves = {distance: mask_of(by) for distance, by in self._moves.items()}
        return moves, links

    def _move(self, links: "Iterable[Link]") -> None:
        for targets, sources in links:
            for target in targets:
                for source in sources:
                    self._moves.setdefault(target - source, []).append(source)

    def _shapes(self) -> "dict[frozenset[int], list[Link]]":
        """Sort the links by the distances they span; the empty set: too many."""
        shapes: dict[frozenset[int], list[Link]] = {}
        for targets, sources in self._links.items():
            distances = frozenset[int]()
            if len(targets) * len(sources) <= MAX_PAIRS:
                distances = frozenset(t - s for t in targets for s in sources)
            shapes.setdefault(distances, []).append((targets, sources))
        return shapes

    def _position(self) -> int:
        self.positions += 1
        return self.positions - 1

    def _build(self, node: Node) -> Fragment:
        """Make positions for a node. Recursive: trees are never deep (ere_limits)."""
        match node:
            case Set(mask=0):
                made = Fragment(False, [], [])  # nothing gets through
            case Set():
                made = self._leaf(self.sets.setdefault(node.mask, []))
            case Assert():
                made = self._leaf(self.asserts.setdefault(node.kind, []))
            case Cat():
                made = self._cat(node)
            case Alt():
                made = self._alt(node)
            case Repeat():
                made = self._repeat(node)
            case Group():
                made = self._build(node.node)
            case Empty():
                made = Fragment(True, [], [])
            case _:
                raise TypeError("no automaton can follow a back-reference")
        return made

    def _leaf(self, alike: list[int]) -> Fragment:
        position = self._position()
        alike.append(position)
        return Fragment(False, [position], [position])

    def _cat(self, node: Cat) -> Fragment:
        whole = Fragment(True, [], [])
        for part in map(self._build, node.parts):
            self._join(whole.last, part.first)
            if whole.nullable:
                whole.first = whole.first + part.first
            if part.nullable:
                self._spend(len(whole.last))
                whole.last = whole.last + part.last
            else:
                whole.last = part.last
                whole.nullable = False
        return whole

    def _alt(self, node: Alt) -> Fragment:
        whole = Fragment(False, [], [])
        for branch in map(self._build, node.branches):
            whole.nullable |= branch.nullable
            whole.first += branch.first
            whole.last += branch.last
        return whole

    def _repeat(self, node: Repeat) -> Fragment:
        """Make copies in a chain: x(x(x)?)? for x{1,3}.

        A copy that may match the empty string need never do so: fewer rounds
        do as well. So only neighbours are joined, not each with all after it.
        """
        whole = Fragment(node.least == 0, [], [])
        copy = Fragment(True, [], [])
        for number in range(1, copies(node) + 1):
            before = copy.last
            copy = self._build(node.node)
            self._join(before, copy.first)
            if number == 1:
                whole.first = copy.first
                whole.nullable |= copy.nullable
            if number >= node.least or whole.nullable:
                whole.last += copy.last
            if not copy.first:
                break  # no byte gets through, and more copies change nothing
        if node.most is None:
            self._join(copy.last, copy.first)
        return whole

    def _join(self, sources: list[int], targets: list[int]) -> None:
        """Let all the targets follow each of the sources."""
        if not sources or not targets:
            return
        if len(sources) == len(targets) == 1:
            self._moves.setdefault(targets[0] - sources[0], []).append(sources[0])
            return
        self._links.setdefault(tuple(targets), []).extend(sources)
        self._spend(len(sources) + len(targets))

    def _spend(self, size_bytes: int) -> None:
        """Count what edges take."""
        self._bytes_left -= size_bytes
        if self._bytes_left < 0:
            raise PatternTooLarge(TOO_MANY_EDGES)


def mask_of(positions: "Iterable[int]") -> int:
    """Give the int whose bits are these positions."""
    bits = bytearray()
    for position in positions:
        if position >> 3 >= len(bits):
            bits += bytes((position >> 3) + 1 - len(bits))
        bits[position >> 3] |= 1 << (position & 7)
    return int.from_bytes(bits, "little")
