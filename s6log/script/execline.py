r"""Splits a command into words as `execlineb -Pc` does. Pure.

The syntax is execlineb's (https://skarnet.org/software/execline/execlineb.html):
blanks separate words, `"..."` and `\` quote, `#` at the start of a word begins a
comment, `{` and `}` as words enclose a block. A block becomes arguments: each of
its words with one space more before it, then an empty word that ends it. With
`-P` there are no positional parameters, so nothing else is replaced.
"""

NEWLINE, QUOTE, HASH, BACKSLASH, OPEN, CLOSE = b'\n"#\\{}'
BLANKS = bytes(range(1, 33))  # every control character counts as a blank
CONTROLS = dict(zip(b"abtnvfr", b"\a\b\t\n\v\f\r", strict=True))
OCTAL, DIGITS, HEX = b"01234567", b"0123456789", b"0123456789abcdefABCDEF"
ZERO = DIGITS[0]
LARGEST_BYTE = 255


class ExeclineError(Exception):
    """The command cannot be split; `reason` is for the user."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def tokenize(command: bytes) -> tuple[bytes, ...]:
    """Split a command (no NUL inside) into the words to execute.

    There may be none: execlineb then does nothing and succeeds. Raises
    ExeclineError where execlineb reports a syntax error.
    """
    reader = _Reader(command)
    reader.read()
    return tuple(reader.words)


class _Reader:
    """One pass over a command; `word` is what the current word is so far."""

    __slots__ = ("at", "depth", "text", "word", "words")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.word = bytearray()
        self.words: list[bytes] = []

    def read(self) -> None:
        """Read words to the end of the text."""
        while (byte := self._next()) is not None:
            if byte == HASH:
                newline = self.text.find(NEWLINE, self.at)
                self.at = len(self.text) if newline < 0 else newline
            elif byte == BACKSLASH:
                self._continue()
            elif byte in (OPEN, CLOSE):
                self._brace(byte)
            elif byte not in BLANKS:
                self.at -= 1
                self._indent()
                self._rest_of_word()
        if self.depth:
            raise ExeclineError("unmatched {")

    def _peek(self) -> int | None:
        return self.text[self.at] if self.at < len(self.text) else None

    def _next(self) -> int | None:
        byte = self._peek()
        self.at += 1
        return byte

    def _need(self, otherwise: str) -> int:
        byte = self._next()
        if byte is None:
            raise ExeclineError(otherwise)
        return byte

    def _end_word(self) -> None:
        self.words.append(bytes(self.word))
        self.word.clear()

    def _indent(self) -> None:
        self.word += b" " * self.depth

    def _rest_of_word(self) -> None:
        while (byte := self._next()) is not None and byte not in BLANKS:
            if byte == QUOTE:
                self._quoted()
            elif byte == BACKSLASH:
                self.word.append(self._need("nothing follows the last \\"))
            else:
                self.word.append(byte)
        self._end_word()

    def _continue(self) -> None:
        r"""Take what follows a `\` between words: a newline joins two lines."""
        byte = self._next()
        if byte is not None and byte != NEWLINE:
            self._indent()
            self.word.append(byte)
            self._rest_of_word()

    def _brace(self, brace: int) -> None:
        """Take a brace: alone it opens or closes a block, else it is a word's."""
        following = self._peek()
        if following == BACKSLASH:
            # execlineb takes this `\` as one between words, and so do we: the
            # word goes on, indented a second time, or on the next line.
            self._indent()
            self.word.append(brace)
        elif following is not None and following not in BLANKS:
            self._indent()
            self.word.append(brace)
            self._rest_of_word()
        elif brace == OPEN:
            self.depth += 1
        elif not self.depth:
            raise ExeclineError("unmatched }")
        else:
            self.depth -= 1
            self._indent()
            self._end_word()

    def _quoted(self) -> None:
        """Read to the closing quote."""
        while (byte := self._need('unmatched "')) != QUOTE:
            if byte != BACKSLASH:
                self.word.append(byte)
            elif self._escape() and self._peek() is None:
                # execlineb does not ask for a closing quote here.
                return

    def _escape(self) -> bool:
        r"""Take what follows a `\` in quotes; tell whether it was a number."""
        byte = self._need('unmatched "')
        if byte in DIGITS:
            self.word.append(self._number(byte))
            return True
        if byte != NEWLINE:
            self.word.append(CONTROLS.get(byte, byte))
        return False

    def _number(self, first: int) -> int:
        r"""Read \0x and two hexadecimal digits, \0 and three octal ones, or \ddd."""
        if first != ZERO:
            self.at -= 1
            value = int(self._digits(DIGITS, 3))
        elif self._peek() == ord("x"):
            self.at += 1
            value = int(self._digits(HEX, 2), 16)
        else:
            value = int(self._digits(OCTAL, 3), 8)
        if not 0 < value <= LARGEST_BYTE:
            raise ExeclineError(f"no byte from 1 to {LARGEST_BYTE} is number {value}")
        return value

    def _digits(self, allowed: bytes, most: int) -> bytes:
        start = self.at
        while self.at - start < most and (byte := self._peek()) is not None:
            if byte not in allowed:
                break
            self.at += 1
        if self.at == start:
            raise ExeclineError("no number follows \\0")
        return self.text[start : self.at]
