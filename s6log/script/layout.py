"""Text for a terminal of 80 columns. Pure."""

from textwrap import TextWrapper

from s6log.script.words import printable

WIDTH = 79
_SOLID = "\x1f"  # a space that is not to be broken at; printable() leaves none


def hang(first: str, text: str) -> list[str]:
    """Set a paragraph behind `first`, its further lines below its beginning."""
    wrapper = TextWrapper(
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_SOLID, " ") for line in wrapper.wrap(text)]


def row(left: str, text: str, column: int) -> list[str]:
    """Set `left` and, from a column on, a paragraph; below it if there is no room."""
    if len(left) < column:
        return hang(left.ljust(column), text)
    return [left.replace(_SOLID, " "), *hang(" " * column, text)]


def heading(text: str) -> list[str]:
    """Set a title, with a blank line before and after it."""
    return ["", text, "-" * len(text), ""]


def verbatim(text: bytes) -> str:
    """Show the user's own bytes, for hang(): quoted where their ends would blur."""
    shown = printable(text)
    if shown != shown.strip() or not shown:
        shown = f'"{shown}"'
    return shown.replace(" ", _SOLID)


def listed(words: list[str]) -> str:
    """Join words (at least one) as a sentence does: a, b and c."""
    *others, final = words
    return f"{', '.join(others)} and {final}" if others else final


def size(count: int) -> str:
    """Write a number of bytes; big ones also in a unit people know."""
    exact = f"{count:,} bytes"
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20)):
        if count >= factor:
            return f"{exact} ({count / factor:.1f} {unit})"
    return exact


def duration(milliseconds: int) -> str:
    """Write a time in the largest unit that takes it whole."""
    for unit, factor in (("h", 3_600_000), ("min", 60_000), ("s", 1000)):
        if milliseconds and milliseconds % factor == 0:
            return f"{milliseconds // factor} {unit}"
    return f"{milliseconds} ms"
