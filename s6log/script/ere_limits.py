r"""What we refuse although glibc compiles it: its verdict would not be ours. Pure.

Two defects of glibc 2.36 make it answer something else than the pattern says.
Copying them would be worse than refusing; ignoring them would mean that a
script selects other lines here than there. Both were found, and the rules
below checked, by comparing millions of verdicts with regexec(3).

Assertions in copies. `x+`, `x{2}` and the like are compiled as copies of `x`
(posix/regcomp.c, parse_dup_op). An assertion hands its condition on to what
follows it, unless that is marked as a copy (calc_eclosure_iter): so `(^a)+$`
finds `aa`, and `(b\b){2}` finds `bb`.

Back-references. regexec(3) looks for any way the group could have matched, not
for the way it did match: `([ab]{1,2}){2}\1` does not find `aaa`. It is right
about groups that take part exactly once in every match.
"""

from s6log.script.ere_facts import (
    children,
    has_assertion,
    nullable_without_assertion,
    walk,
)
from s6log.script.tree import Assert, BackRef, Cat, Group, Node, Repeat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DEPTH_LIMIT = 100
"""Levels of a tree: few enough for recursion here, and inside `re`."""


def depth(node: Node) -> int:
    """Count the levels of a tree whose branches are known not to be deep."""
    return 1 + max((depth(child) for child in children(node)), default=0)


def forgets_assertion(node: Node, least: int, most: int | None) -> bool:
    """Tell whether glibc, repeating this node, would ignore an assertion in it."""
    if most is None:
        copied, adjacent = least > 0, least > 1
    else:
        copied, adjacent = most > 1, least > 1 or most - least > 1
    return (copied and _followed(node)) or (adjacent and _trailing(node))


def _trailing(node: Node) -> bool:
    """Tell whether an assertion may be the very last thing of the node."""
    if isinstance(node, Assert):
        return True
    if isinstance(node, Cat):
        return _trailing(node.parts[-1])
    if isinstance(node, Repeat) and node.most is None:
        return False  # the loop itself follows
    return any(_trailing(child) for child in children(node))


def _followed(node: Node) -> bool:
    """Tell whether something inside the node follows an assertion in it."""
    if any(_followed(child) for child in children(node)):
        return True
    if isinstance(node, Cat):
        return any(_trailing(part) for part in node.parts[:-1])
    return isinstance(node, Repeat) and node.most != 1 and _trailing(node.node)


def unsure_reference(tree: Node) -> str | None:
    """Say why glibc's verdict on the back-references is not to be relied on.

    None when it is. The tree must be as written: an assertion that cannot
    matter still misleads glibc.
    """
    spine = list(_spine(tree))
    groups = {part.number: part for part in spine if isinstance(part, Group)}
    references = [node for node in walk(tree) if isinstance(node, BackRef)]
    if any(reference.number not in groups for reference in references):
        return "back-reference to a group that is optional, repeated or in a branch"
    if any(has_assertion(group) for group in groups.values()):
        return "back-reference to a group with an assertion like ^ or \b in it"
    if not any(nullable_without_assertion(group) for group in groups.values()):
        return None
    if len(references) > 1 or _count_places(spine) < _count_places(walk(tree)):
        return "back-reference to a group that may be empty, in too rich a pattern"
    return None


def _spine(node: Node) -> "Iterator[Node]":
    """Give the nodes that take part exactly once in every match."""
    yield node
    if isinstance(node, (Cat, Group)):
        for child in children(node):
            yield from _spine(child)


def _count_places(nodes: "Iterable[Node]") -> int:
    return sum(isinstance(node, (Assert, BackRef)) for node in nodes)
