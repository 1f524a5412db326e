"""The syntax tree of one POSIX extended regular expression. Pure.

Only yes or no matters to a logger, so the tree knows no captures but those a
back-reference needs. A line never holds LF, and no `Set` contains it.
"""

BOL, EOL, WORD_START, WORD_END, WORD_EDGE, NOT_WORD_EDGE = range(6)
"""Kinds of `Assert`: ^ $ \\< \\> \\b \\B."""


class Node:
    """One node of the tree; the subclasses are all there are."""

    __slots__ = ()


class Empty(Node):
    """Matches the empty string."""

    __slots__ = ()


class Set(Node):
    """One byte out of a set: bit `b` of `mask` stands for byte `b`.

    An empty mask matches nothing (a literal LF in the pattern).
    """

    __slots__ = ("mask",)

    def __init__(self, mask: int) -> None:
        self.mask = mask


class Cat(Node):
    """One part after the other."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[Node, ...]) -> None:
        self.parts = parts


class Alt(Node):
    """One branch or another."""

    __slots__ = ("branches",)

    def __init__(self, branches: tuple[Node, ...]) -> None:
        self.branches = branches


class Repeat(Node):
    """`least` to `most` times the node; `most` None means without end."""

    __slots__ = ("least", "most", "node")

    def __init__(self, node: Node, least: int, most: int | None) -> None:
        self.node = node
        self.least = least
        self.most = most


class Assert(Node):
    """A place, not a byte: one of the kinds above."""

    __slots__ = ("kind",)

    def __init__(self, kind: int) -> None:
        self.kind = kind


class Group(Node):
    """A parenthesised part, numbered from 1 by its opening parenthesis."""

    __slots__ = ("node", "number")

    def __init__(self, number: int, node: Node) -> None:
        self.number = number
        self.node = node


class BackRef(Node):
    """What group `number` matched, once more."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number
