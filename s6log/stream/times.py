"""The forms of `T`: an instant as RFC 3339, Unix time, or in strftime's words. Pure.

The instant is that of Tai64n and Iso (see stamps.py), with the same rounding; what
is finer than a form shows is cut off. All but the fraction is made once per second.
"""

from s6log.stream.stamps import LEAP_SECOND
from s6log.unix.tai64n import (
    EPOCH_OFFSET,
    LEAP_SECONDS,
    NANOSECONDS,
    ROUNDING_NS,
    tai_second,
    unix_second,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from time import struct_time

FORMS = {
    b"rfc3339": "2026-11-29T00:22:46+01:00, with Z for an offset of 0",
    b"rfc3339ms": "2026-11-29T00:22:46.123+01:00",
    b"rfc3339us": "2026-11-29T00:22:46.123456+01:00",
    b"rfc3339ns": "2026-11-29T00:22:46.123456789+01:00",
    b"ms": "as rfc3339ms",
    b"us": "as rfc3339us",
    b"ns": "as rfc3339ns",
    b"unix": "1795908166.123456789",
}
"""The names of forms, and what they look like; a text with `%` is a form too."""

FRACTIONS = {"%f": 6, "%L": 3, "%N": 9}
"""Digits of the fraction: conversions that strftime does not have."""

SECONDS = "%s"  # strftime's would go by the zone of the process
OFFSET = "%:"  # RFC 3339's, for the names only
PERCENT = "%%"
OWN_BYTES = {SECONDS: 20, OFFSET: len("+01:00"), PERCENT: 1, **FRACTIONS}

_DATE = "%Y-%m-%dT%H:%M:%S"
_NAMED = {
    b"rfc3339": _DATE + OFFSET,
    b"rfc3339ms": f"{_DATE}.%L{OFFSET}",
    b"rfc3339us": f"{_DATE}.%f{OFFSET}",
    b"rfc3339ns": f"{_DATE}.%N{OFFSET}",
    b"ms": f"{_DATE}.%L{OFFSET}",
    b"us": f"{_DATE}.%f{OFFSET}",
    b"ns": f"{_DATE}.%N{OFFSET}",
    b"unix": "%s.%N",
}

# strftime(3) of glibc; %n would end the line. Flags change case and padding,
# modifiers ask for another calendar or other digits. Widths are refused: one of a
# million writes a million bytes.
CONVERSIONS = "aAbBcCdDeFgGhHIjklmMpPrRStTuUVwWxXyYzZ"
FLAGS = "_-0^#"
MODIFIERS = ("E", "O")
NAME_BYTES = 64  # what a conversion may take that is not listed here: a name
_WIDTHS = {
    **dict.fromkeys(("%C", "%G", "%Y"), 5),  # years have four digits, for a while
    **dict.fromkeys(("%d", "%e", "%g", "%H", "%I", "%k", "%l", "%m"), 2),
    **dict.fromkeys(("%M", "%S", "%U", "%V", "%W", "%y"), 2),
    **dict.fromkeys(("%t", "%u", "%w"), 1),
    "%D": 8,
    "%F": 11,
    "%j": 3,
    "%R": 5,
    "%T": 8,
    "%z": 5,
}


def check(form: bytes) -> str:
    """Say in a few words why this is no form; nothing if it is one."""
    if form in FORMS:
        return ""
    if b"%" not in form:
        names = ", ".join(name.decode() for name in FORMS)
        return f"no time has this name: there are {names}, and formats with %"
    if b"\n" in form or b"\0" in form:
        return "a time cannot hold a line break or NUL"
    try:
        text = form.decode()
    except UnicodeDecodeError:
        return "a format of times is UTF-8"
    return next(filter(None, map(_fault, _tokens(text))), "")


def size(form: bytes) -> int:
    """Give how many bytes a valid form takes at most."""
    return sum(map(_token_size, _tokens(_format(form))))


class Times:
    """Writes one form in the zone of a localtime function.

    `localtime` and `strftime` are time's, or do the same; of what localtime gives
    tm_gmtoff and tm_zone are used.
    """

    __slots__ = (
        "_counts_leaps",
        "_divisors",
        "_localtime",
        "_strftime",
        "_tai_second",
        "_template",
        "_tokens",
    )

    def __init__(
        self,
        form: bytes,
        localtime: "Callable[[float], struct_time]",
        strftime: "Callable[[str, struct_time], str]",
    ) -> None:
        """Take a form that `check` has nothing against."""
        self._localtime = localtime
        self._strftime = strftime
        # As in Iso: zones named right/... are for clocks that count leap seconds.
        self._counts_leaps = localtime(LEAP_SECONDS[0]).tm_sec == LEAP_SECOND
        self._tokens = tuple(_tokens(_format(form)))
        self._divisors = [
            10 ** (9 - FRACTIONS[token]) for token in self._tokens if token in FRACTIONS
        ]
        self._tai_second: int | None = None
        self._template = b""  # of that second, with a %0nd for each fraction

    def at(self, now_ns: int) -> bytes:
        """Give the text for a clock reading (nanoseconds since the epoch).

        A reading is never in a leap second, as Unix time has no number for one.
        """
        second, nanoseconds = divmod(now_ns + ROUNDING_NS, NANOSECONDS)
        return self.of(tai_second(second), nanoseconds)

    def of(self, tai_second: int, nanoseconds: int) -> bytes:
        """Give the text for a TAI second (see s6log.unix.tai64n) and nanoseconds.

        A leap second is number 60 of its minute, as in Iso, but in `unix` and `%s`
        the second before it. OverflowError, OSError or ValueError when the C library
        cannot represent it.
        """
        if tai_second != self._tai_second:
            self._template = self._write(tai_second)
            self._tai_second = tai_second
        return self._template % tuple([nanoseconds // by for by in self._divisors])

    def _write(self, tai_second: int) -> bytes:
        unix, leap = unix_second(tai_second)
        counts = self._counts_leaps
        date = self._localtime(tai_second - EPOCH_OFFSET if counts else unix)
        if leap and not counts:
            date = _next_second(date)
        return b"".join([self._piece(token, unix, date) for token in self._tokens])

    def _piece(self, token: str, unix: int, date: "struct_time") -> bytes:
        if token in FRACTIONS:
            return b"%%0%dd" % FRACTIONS[token]
        if token == SECONDS:
            return b"%d" % unix
        if token == OFFSET:
            return _offset(date.tm_gmtoff)
        if not token.startswith("%"):
            text = token.encode()
        elif token == PERCENT:
            text = b"%"
        else:
            # What cannot be encoded comes from the zone's or the locale's files.
            written = self._strftime(token, date).encode(errors="replace")
            text = written[: _token_size(token)]
        return text.replace(b"%", b"%%")


def _format(form: bytes) -> str:
    return _NAMED.get(form) or form.decode()


def _tokens(text: str) -> "Iterator[str]":
    """Split a format into conversions, which begin with `%`, and what is between."""
    at = 0
    while at < len(text):
        start = text.find("%", at)
        if start != at:
            stop = start if start > 0 else len(text)
        else:
            letter = text[start + 1 :].lstrip(FLAGS)
            stop = len(text) - len(letter) + 1 + letter.startswith(MODIFIERS)
        yield text[at:stop]
        at = stop


def _fault(token: str) -> str:
    """Say why a conversion cannot be used; nothing if it, or any text, can."""
    if not token.startswith("%") or token in FRACTIONS or token in {SECONDS, PERCENT}:
        return ""
    letter = token[1:].lstrip(FLAGS)
    letter = letter[letter.startswith(MODIFIERS) :]
    if not letter:
        return "nothing to convert behind the last %"
    if letter == "n":
        return "a time cannot hold a line break"
    if letter not in CONVERSIONS:
        return f"a time has no {token}"
    return ""


def _token_size(token: str) -> int:
    if not token.startswith("%"):
        return len(token.encode())
    if token in OWN_BYTES:
        return OWN_BYTES[token]
    return _WIDTHS.get(token, NAME_BYTES)


def _next_second(date: "struct_time") -> "struct_time":
    # 60, but for zones that are off by some seconds: as Iso.
    fields = (*date[:5], date.tm_sec + 1, *date[6:9], date.tm_zone, date.tm_gmtoff)
    return type(date)(fields)


def _offset(seconds: int) -> bytes:
    """Write an offset as RFC 3339 does: in minutes, the rest of them cut off."""
    if seconds == 0:
        return b"Z"
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return b"%c%02d:%02d" % (b"-" if seconds < 0 else b"+", hours, minutes)
