"""POSIX extended regular expressions, as glibc 2.36 takes them: text to tree.

`regcomp(REG_EXTENDED | REG_NOSUB | REG_NEWLINE)` in the C locale is the
definition, and its source (posix/regcomp.c) the last word on odd syntax. Pure.
"""

from s6log.script.ere_atoms import ANY, ESCAPES, Bracket, EreError, EreRefusal, interval
from s6log.script.ere_build import NEVER, alt, cat, repeat, trim
from s6log.script.ere_limits import (
    DEPTH_LIMIT,
    depth,
    forgets_assertion,
    unsure_reference,
)
from s6log.script.tree import BOL, EOL, Alt, Assert, BackRef, Group, Node, Repeat, Set

__all__ = ["EreError", "EreRefusal", "parse"]

ATOMS: dict[int, Node] = {
    ord("."): Set(ANY),
    ord("^"): Assert(BOL),
    ord("$"): Assert(EOL),
    ord("\n"): NEVER,
}
"""Single bytes that do not stand for themselves. LF does, but no line has one."""

LEVELS = 4
"""A parenthesis adds at most a group of an optional choice of rows."""

COUNTS: dict[int, tuple[int, int | None]] = {
    ord("*"): (0, None),
    ord("+"): (1, None),
    ord("?"): (0, 1),
}


def parse(pattern: bytes) -> Node:
    """Read a pattern; an empty one matches everything.

    The tree finds a match in exactly the lines in which glibc finds one for the
    pattern, though not always at the same place. It has a `Group` only where a
    back-reference names it. Raise EreError for what glibc refuses and for NUL;
    EreRefusal, which is one too, for a tree deeper than DEPTH_LIMIT and for what
    `ere_limits` explains.
    """
    nul = pattern.find(0)
    if nul >= 0:
        raise EreError("a pattern cannot hold NUL", nul)
    reader = _Reader(pattern, 0)
    tree = reader.read()
    if not reader.references:
        return trim(tree)
    # Only now is it known which groups to keep. Nothing is simplified then:
    # glibc's trouble with back-references depends on how things are written.
    tree = _Reader(pattern, reader.references).read()
    reason = unsure_reference(tree)
    if reason:
        raise EreRefusal(reason, reader.first_reference)
    return tree


class _Level:
    """One open parenthesis: its branches so far, and the branch being read.

    Groups are bits of an int. A back-reference may name the groups `closed`
    before it in its own branch, not those of the branches beside it. No part is
    deeper than `depth`.
    """

    __slots__ = (
        "before",
        "branches",
        "closed",
        "depth",
        "elsewhere",
        "number",
        "opening",
        "parts",
    )

    def __init__(self, opening: int, number: int, closed: int) -> None:
        self.opening = opening
        self.number = number
        self.before = self.closed = closed
        self.elsewhere = 0
        self.depth = 0
        self.branches: list[Node] = []
        self.parts: list[Node] = []

    def next_branch(self) -> None:
        self.branches.append(cat(self.parts))
        self.parts = []
        self.elsewhere |= self.closed
        self.closed = self.before


class _Reader:
    """One pass over a pattern, with a stack of its own: any nesting can be read."""

    __slots__ = (
        "at",
        "first_reference",
        "groups",
        "keep",
        "last_depth",
        "outer",
        "pattern",
        "references",
        "refusal",
        "repeatable",
        "top",
    )

    def __init__(self, pattern: bytes, keep: int) -> None:
        self.pattern = pattern
        self.keep = keep
        self.references = 0
        self.first_reference = 0
        self.groups = 0
        self.at = 0
        self.last_depth = 0
        self.repeatable = False
        self.refusal: EreRefusal | None = None
        self.outer: list[_Level] = []
        self.top = _Level(0, 0, 0)

    def read(self) -> Node:
        """Give the tree of the whole pattern."""
        while self.at < len(self.pattern):
            self._step(self.pattern[self.at])
        if self.outer:
            raise EreError("unmatched (", self.top.opening)
        if self.refusal:
            raise self.refusal
        return self._either(self.top)

    def _step(self, byte: int) -> None:
        if byte == ord("("):
            self._open()
        elif byte == ord(")") and self.outer:
            self._close()
        elif byte == ord("|"):
            self.top.next_branch()
            self.repeatable = False
            self.at += 1
        elif byte in COUNTS or byte == ord("{"):
            self._repeat(byte)
        elif byte == ord("["):
            bracket = Bracket(self.pattern, self.at)
            self._add(Set(bracket.read()), bracket.at)
        elif byte == ord("\\"):
            self._escape()
        else:
            self._add(ATOMS.get(byte) or Set(1 << byte), self.at + 1)

    def _add(self, node: Node, after: int, depth_most: int = 1) -> None:
        """Append a part that is at most so deep; what comes next is at `after`."""
        if depth_most > DEPTH_LIMIT:
            depth_most = depth(node)  # simplified, it may be far less deep
        if depth_most > DEPTH_LIMIT:
            raise EreRefusal(f"nested more than {DEPTH_LIMIT} deep", self.at)
        self.last_depth = depth_most
        self.top.depth = max(self.top.depth, depth_most)
        self.top.parts.append(node)
        self.repeatable = not isinstance(node, Assert)
        self.at = after

    def _open(self) -> None:
        self.groups += 1
        self.outer.append(self.top)
        self.top = _Level(self.at, self.groups, self.top.closed)
        self.repeatable = False
        self.at += 1

    def _close(self) -> None:
        level = self.top
        node = self._either(level)
        bit = 1 << level.number
        if self.keep & bit:
            node = Group(level.number, node)
        self.top = self.outer.pop()
        self.top.closed |= level.elsewhere | bit
        self._add(node, self.at + 1, level.depth + LEVELS)
        self.repeatable = True  # unlike a bare assertion: `(^)*`

    def _either(self, level: _Level) -> Node:
        level.next_branch()
        if self.keep and len(level.branches) > 1:
            return Alt(tuple(level.branches))
        return alt(level.branches)

    def _escape(self) -> None:
        if self.at + 1 == len(self.pattern):
            raise EreError("trailing backslash", self.at)
        byte = self.pattern[self.at + 1]
        if ord("1") <= byte <= ord("9"):
            node: Node = self._reference(byte - ord("0"))
        else:
            node = ESCAPES.get(byte) or Set(1 << byte & ANY)
        self._add(node, self.at + 2)

    def _reference(self, number: int) -> BackRef:
        if not self.top.closed >> number & 1:
            raise EreError("back-reference to no group closed before it", self.at)
        if not self.references:
            self.first_reference = self.at
        self.references |= 1 << number
        return BackRef(number)

    def _repeat(self, byte: int) -> None:
        if not self.repeatable:
            raise EreError("nothing to repeat", self.at)
        if byte == ord("{"):
            least, most, after = interval(self.pattern, self.at)
        else:
            (least, most), after = COUNTS[byte], self.at + 1
        node = self.top.parts.pop()
        if forgets_assertion(node, least, most) and not self.refusal:
            # Not raised yet: what follows may be invalid altogether.
            reason = "the C library ignores ^ $ or \\b in such a repeat"
            self.refusal = EreRefusal(reason, self.at)
        simple = not self.keep or isinstance(node, Set)
        repeated = (repeat if simple else Repeat)(node, least, most)
        self._add(repeated, after, self.last_depth + 1)
        self.repeatable = True
