"""Causes of death, as s6-permafailon is told them, and how many died of them. Pure.

A list has exit codes (7), ranges of them (1-50) and signals (SIGTERM, term, SIG15);
commas, semicolons and white space are between them.
"""

from s6log.unix.getopt import decimal
from supervisor.service import signal_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.service.tally import Death

SEPARATORS = b",; \n\r\t"
SPACES = bytes.maketrans(SEPARATORS, b" " * len(SEPARATORS))
MOST_CODE = 255
RESERVED = (32, 33)  # signals that the C library keeps for itself (nptl(7))


class Invalid(Exception):
    """A list that is none; its text says why, in the words of s6."""


class Causes:
    """Exit codes and signals; a death by signal N has the exit code 128 + N too."""

    __slots__ = ("codes", "signals")

    def __init__(self) -> None:
        self.codes: set[int] = set()
        self.signals: set[int] = set()

    def include(self, death: "Death") -> bool:
        """Tell whether it was one of these that a service died of."""
        by_signal = death.signal != 0 and death.signal in self.signals
        return by_signal or death.code in self.codes


def read(text: bytes) -> Causes:
    """Read a list, which may be empty. Raises Invalid."""
    causes = Causes()
    if text[:1] and text[:1] in SEPARATORS:
        raise Invalid("invalid status list specification")
    for word in text.translate(SPACES).split():
        rest = word
        while rest:
            rest = _read_one(causes, rest)
    return causes


def _read_one(causes: Causes, word: bytes) -> bytes:
    """Read what a word begins with; return the rest, as s6 has it: 7TERM is two."""
    digits, rest = _split(word)
    if not digits:
        causes.signals.add(_signal(word))
        return b""
    first = last = _code(digits)
    if rest.startswith(b"-"):
        digits, rest = _split(rest[1:])
        if not digits:
            raise Invalid("invalid interval specification")
        last = _code(digits)
        if last < first:
            raise Invalid("invalid interval")
    causes.codes.update(range(first, last + 1))
    return rest


def _split(word: bytes) -> tuple[bytes, bytes]:
    rest = word.lstrip(b"0123456789")
    return word[: len(word) - len(rest)], rest


def _code(digits: bytes) -> int:
    code = decimal(digits, MOST_CODE)
    if code is None:
        raise Invalid("invalid exit code")
    return code


def _signal(word: bytes) -> int:
    number = signal_names.number(word)
    if number is not None and number not in RESERVED:
        return number
    if word.upper().removeprefix(b"SIG").isdigit():
        raise Invalid("invalid signal")
    raise Invalid("invalid status list specification")


def fatal_death(
    deaths: "Iterable[Death]", causes: Causes, since_ns: int, count: int
) -> "Death | None":
    """Give the death that was the `count`th of these causes since an instant.

    The deaths are looked at in the order in which they are given.
    """
    matching = (
        death for death in deaths if death.when_ns >= since_ns and causes.include(death)
    )
    return next((d for n, d in enumerate(matching, start=1) if n == count), None)
