"""Which lines can reach which directive, whatever the patterns match. Pure.

The lines are sorted by what matters: which patterns they match. With n patterns
there are 2^n sorts of lines, and a set of sorts is an int with a bit for each.
Selection then is arithmetic on such sets, and "no line gets here" is 0.
"""

from s6log.script.directives import ACTION, SELECTION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from s6log.script.words import Word

PATTERNS_MOST = 16  # 2^16 sorts: 8 KiB a set


class Reach:
    """Sets of sorts of lines; `everything` is all of them.

    `selected[p]` are those selected once the directive at position p is done
    (p 0: at the start); `dropped` those that no action has had at the end.
    """

    __slots__ = ("dropped", "everything", "selected")

    def __init__(self, everything: int) -> None:
        self.everything = everything
        self.selected = [everything]
        self.dropped = everything


def reach(words: "Sequence[Word]") -> Reach | None:
    """Follow all sorts of lines through a script; None for too many patterns."""
    patterns = {word.argument for word in words if word.row.role is SELECTION} - {b""}
    if len(patterns) > PATTERNS_MOST:
        return None
    count = 1 << len(patterns)
    everything = (1 << count) - 1
    matching = {
        pattern: _half(everything, number) for number, pattern in enumerate(patterns)
    }
    matching[b""] = everything
    found = Reach(everything)
    for word in words:
        selected = found.selected[-1]
        if word.row.role is ACTION:
            found.dropped &= ~selected
        elif word.row.letter == b"f":
            selected = found.dropped
        elif word.row.letter == b"+":
            selected |= matching[word.argument]
        elif word.row.letter == b"-":
            selected &= ~matching[word.argument]
        found.selected.append(selected)
    return found


def _half(everything: int, number: int) -> int:
    """Give the sorts whose bit `number` is set: every second run of 2^number."""
    run = 1 << number
    pair = ((1 << run) - 1) << run
    return everything // ((1 << 2 * run) - 1) * pair
