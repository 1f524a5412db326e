"""What can be said about a pattern from its tree alone. Pure.

Trees from `ere.parse` are shallow enough for the plain recursion used here.
"""

from s6log.script.tree import (
    Alt,
    Assert,
    BackRef,
    Cat,
    Empty,
    Group,
    Node,
    Repeat,
    Set,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LITERAL_LIMIT = 4096


def children(node: Node) -> tuple[Node, ...]:
    """Give the nodes right below a node, in the pattern's order."""
    if isinstance(node, Cat):
        return node.parts
    if isinstance(node, Alt):
        return node.branches
    if isinstance(node, (Repeat, Group)):
        return (node.node,)
    return ()


def walk(node: Node) -> "Iterator[Node]":
    """Give the node and everything below it, in the pattern's order."""
    yield node
    for child in children(node):
        yield from walk(child)


def has_backref(node: Node) -> bool:
    """Tell whether no automaton can match this."""
    return any(isinstance(below, BackRef) for below in walk(node))


def has_assertion(node: Node) -> bool:
    """Tell whether any place is asked for, as `^` does."""
    return any(isinstance(below, Assert) for below in walk(node))


def nullable_without_assertion(node: Node) -> bool:
    """Tell whether the empty string matches anywhere, so that every line does."""
    if isinstance(node, (Empty, Group)):
        return all(nullable_without_assertion(child) for child in children(node))
    if isinstance(node, Cat):
        return all(nullable_without_assertion(part) for part in node.parts)
    if isinstance(node, Alt):
        return any(nullable_without_assertion(branch) for branch in node.branches)
    if isinstance(node, Repeat):
        return not node.least or nullable_without_assertion(node.node)
    return False


def literal(node: Node) -> bytes | None:
    """Give the one plain byte string that the pattern stands for, if it is one."""
    if isinstance(node, Empty):
        return b""
    if isinstance(node, Set):
        single = node.mask and not node.mask & (node.mask - 1)
        return bytes([node.mask.bit_length() - 1]) if single else None
    if isinstance(node, Cat):
        parts = [literal(part) for part in node.parts]
        known = [part for part in parts if part is not None]
        return b"".join(known) if len(known) == len(parts) else None
    if isinstance(node, Repeat) and node.least == node.most:
        once = literal(node.node)
        if once is not None and len(once) * node.least <= LITERAL_LIMIT:
            return once * node.least
    return None


def size(node: Node) -> int:
    """Count `Set` and `Assert` positions as if counted repeats were written out.

    Computed, not expanded: the answer may be astronomical.
    """
    if isinstance(node, (Set, Assert)):
        return 1
    below = sum(size(child) for child in children(node))
    if isinstance(node, Repeat):
        copies = node.least if node.most is None else node.most
        return below * max(copies, 1)
    return below


def shortest(node: Node) -> int:
    """Give a lower bound of a match's length; exact without back-references."""
    if isinstance(node, Set):
        return 1
    below = [shortest(child) for child in children(node)]
    if isinstance(node, Alt):
        return min(below)
    if isinstance(node, Repeat):
        return below[0] * node.least
    return sum(below)


def longest(node: Node) -> int | None:
    """Give an upper bound of a match's length; None when there is none."""
    if isinstance(node, Set):
        return 1
    if isinstance(node, BackRef):
        return None
    below = [longest(child) for child in children(node)]
    known = [length for length in below if length is not None]
    if isinstance(node, Repeat) and node.most is None and known != [0]:
        return None
    if len(known) < len(below):
        return None
    if isinstance(node, Alt):
        return max(known)
    return sum(known) * ((node.most or 0) if isinstance(node, Repeat) else 1)
