"""Mistakes in a script that only more than reading it can find.

Names that only the system knows, and patterns that no automaton within bounds can
match. Loaded when there may be one.
"""

from s6log.script.builder import pattern_of
from s6log.script.directives import SELECTION, ScriptError, classify
from s6log.script.ere_facts import has_backref
from s6log.script.words import located

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from s6log.script.words import Word

ZONE, JOIN, START = b"@tz", b"@join", b"start:"


def check(words: "Sequence[bytes]") -> None:
    """Look at the extensions of a valid script; raise ScriptError for a mistake."""
    for word in classify(words):
        if word.row.letter == ZONE and word.argument:
            _check_zone(word)
        elif word.argument.startswith(START) and word.row.letter == JOIN:
            error = _excess(word, word.argument.removeprefix(START))
            if error is not None:
                raise error


def too_large(words: "Sequence[bytes]") -> ScriptError | None:
    """Find the pattern that no automaton within bounds can match, if there is one."""
    for word in classify(words):
        if word.row.role is SELECTION and (error := _excess(word, word.argument)):
            return error
    return None


def _check_zone(word: "Word") -> None:
    from s6log.zones import localtime_of

    try:
        localtime_of(word.argument)
    except LookupError as error:
        raise word.misused() from error


def _excess(word: "Word", pattern: bytes) -> ScriptError | None:
    """Make the error for a pattern that is too large; None if it is not."""
    # Not at the top: only a script with patterns has loaded it.
    from s6log.stream import positions

    tree = pattern_of(word, pattern)
    if tree is None or has_backref(tree):
        return None  # no automaton is made for a back-reference, however large
    try:
        positions.check(tree)
    except positions.PatternTooLarge as error:
        hint = located(word.position, word.text, "repeat less, nest less")
        return ScriptError(f"pattern too large: {error}".encode(), hint, word.position)
    return None
