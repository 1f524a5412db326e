r"""The words of a script that is one plain command, in sh and in execline. Pure.

Not the languages: the small part of each in which the meaning of every byte is
beyond doubt, in every shell and every version. What a script with anything else in
it does is not for us to say.

sh (XCU 2.2): '...'; "..." without $ and `; `\` before a character, and before a
newline when a blank precedes it. execline (https://skarnet.org/software/execline/):
"..." in which `\` precedes nothing but `"` and `\`. In both `#` at the start of a
word begins a comment, and no word goes beyond its line.
"""

HASH, SINGLE, DOUBLE, BACKSLASH = b"#'\"\\"
BLANKS = b" \t"
PRINTABLE = bytes(range(0x20, 0x7F))
QUOTABLE = PRINTABLE + BLANKS


class Doubt(Exception):
    """The script is not one plain command."""


class _Syntax:
    r"""What bytes mean: `plain` ones themselves, `quotable` ones within "...".

    `escapable` are those that a `\` within "..." makes themselves. `is_sh`: there
    are '...', and `\` outside of quotes.
    """

    __slots__ = ("escapable", "is_sh", "plain", "quotable")

    def __init__(
        self, special: bytes, unquotable: bytes, escapable: bytes, is_sh: bool
    ) -> None:
        self.plain = PRINTABLE.translate(None, b" #'\"\\" + special)
        self.quotable = QUOTABLE.translate(None, b'"\\' + unquotable)
        self.escapable = escapable
        self.is_sh = is_sh


# Braces mean something to bash; ! only before a command, which has other names.
_SH = _Syntax(b"$`&|;<>()[]{}*?~", b"$`", b'$`"\\', is_sh=True)
_EXECLINE = _Syntax(b"{}", b"", b'"\\', is_sh=False)
_EXECLINE_SUBSTITUTED = _Syntax(b"{}$", b"$", b'"\\', is_sh=False)


def sh_words(text: bytes) -> list[bytes]:
    """Give the words of the one command in an sh script. Raises Doubt."""
    commands: list[list[bytes]] = [[]]
    for line in text.split(b"\n"):
        reader = _Line(line, _SH)
        commands[-1] += reader.words()
        if commands[-1] and not reader.goes_on:
            commands.append([])
    command, *others = commands
    if not command or any(others):
        raise Doubt
    return command


def execline_words(text: bytes, substituted: bool) -> list[bytes]:
    """Give the words of an execline script without blocks. Raises Doubt.

    `substituted`: the script's arguments stand for $1, $@ and the like in it, as
    with execlineb's -S, unlike -P.
    """
    syntax = _EXECLINE_SUBSTITUTED if substituted else _EXECLINE
    words = []
    for line in text.split(b"\n"):
        words += _Line(line, syntax).words()
    return words


class _Line:
    """One pass over a line; `goes_on` afterwards: the next line belongs to it."""

    __slots__ = ("_at", "_syntax", "_text", "goes_on")

    def __init__(self, text: bytes, syntax: _Syntax) -> None:
        if b"\0" in text:
            raise Doubt
        self._text = text + b"\0"  # an end that is in no set of bytes
        self._syntax = syntax
        self._at = 0
        self.goes_on = False

    def words(self) -> list[bytes]:
        """Read the words up to the line's end or a comment."""
        words: list[bytes] = []
        while not self._ended():
            words.append(self._word())
        return words

    def _ended(self) -> bool:
        """Go to the next word, if there is one."""
        while self._text[self._at] in BLANKS:
            self._at += 1
        rest = self._text[self._at :]
        # Only after a blank: without, the next line may belong to this word.
        self.goes_on = self._syntax.is_sh and rest == b"\\\0" and self._at > 0
        return self.goes_on or rest[0] in (0, HASH)

    def _word(self) -> bytes:
        word = bytearray()
        while self._text[self._at] not in BLANKS + b"\0":
            byte = self._text[self._at]
            if byte == DOUBLE:
                word += self._double_quoted()
            elif byte == SINGLE and self._syntax.is_sh:
                word += self._single_quoted()
            elif byte == BACKSLASH and self._syntax.is_sh:
                self._at += 1
                word.append(self._take(PRINTABLE))
            else:
                word.append(self._take(self._syntax.plain))
        return bytes(word)

    def _double_quoted(self) -> bytes:
        text = bytearray()
        self._at += 1
        while self._text[self._at] != DOUBLE:
            if self._text[self._at] == BACKSLASH:
                self._at += 1
                text += self._escaped()
            else:
                text.append(self._take(self._syntax.quotable))
        self._at += 1
        return bytes(text)

    def _single_quoted(self) -> bytes:
        text = bytearray()
        self._at += 1
        while self._text[self._at] != SINGLE:
            text.append(self._take(QUOTABLE))
        self._at += 1
        return bytes(text)

    def _escaped(self) -> bytes:
        r"""Take what follows a `\` in double quotes; give what both stand for."""
        allowed = PRINTABLE if self._syntax.is_sh else self._syntax.escapable
        byte = self._take(allowed)
        if byte in self._syntax.escapable:
            return bytes((byte,))
        return bytes((BACKSLASH, byte))

    def _take(self, allowed: bytes) -> int:
        byte = self._text[self._at]
        if byte not in allowed:
            raise Doubt
        self._at += 1
        return byte
