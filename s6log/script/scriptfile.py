r"""Reads a logging script kept in a file. Pure.

One or more directives a line. Words are separated and quoted as in a POSIX shell
('...', "...", \, parts next to each other are one word, `\` at the end of a line
joins it to the next), but nothing is expanded and no other character is special:
$HOME, `date`, ~, *, |, ; and > are themselves. `#` at the start of a word begins
a comment. A line whose first word is `options` holds options of s6-log.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

NEWLINE, SPACE, TAB, HASH, SINGLE, DOUBLE, BACKSLASH = b"\n \t#'\"\\"
ESCAPABLE = b'$`"\\'  # in double quotes, as POSIX has it (XCU 2.2.3)
OPTIONS = b"options"
UNSUITABLE = {
    b"\0": "a NUL byte: this is no script",
    b"\r\n": "a carriage return at the end: write lines that end in a newline only",
}


class ScriptFileError(Exception):
    """The text is no script; `line` counts from 1, `reason` is for the user."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(line, reason)
        self.line = line
        self.reason = reason


class ScriptFile:
    """What a file says: the directives with their lines; lines of options."""

    __slots__ = ("lines", "options", "words")

    def __init__(self) -> None:
        self.options: list[tuple[int, list[bytes]]] = []
        self.words: list[bytes] = []
        self.lines: list[int] = []


def parse_file(text: bytes) -> ScriptFile:
    """Read the contents of a file; raise ScriptFileError."""
    for unsuitable, reason in UNSUITABLE.items():
        if unsuitable in text:
            raise ScriptFileError(_line(text, text.index(unsuitable)), reason)
    result = ScriptFile()
    for line in _Reader(text).lines():
        numbers, words = zip(*line, strict=True)
        if words[0] == OPTIONS:
            result.options.append((numbers[0], list(words[1:])))
        else:
            result.words += words
            result.lines += numbers
    return result


def _line(text: bytes, at: int) -> int:
    return text.count(NEWLINE, 0, at) + 1


class _Reader:
    """One pass over a file; `at` is the next byte."""

    __slots__ = ("at", "text")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.at = 0

    def lines(self) -> "Iterator[list[tuple[int, bytes]]]":
        """Give the lines that have words, each word with its line's number."""
        words: list[tuple[int, bytes]] = []
        while self.at < len(self.text):
            byte = self.text[self.at]
            if byte == HASH:
                self._skip_comment()
            elif self.text.startswith(b"\\\n", self.at):
                self.at += 2
            elif byte not in (NEWLINE, SPACE, TAB):
                words.append((_line(self.text, self.at), self._word()))
            else:
                self.at += 1
                if byte == NEWLINE and words:
                    yield words
                    words = []
        if words:
            yield words

    def _skip_comment(self) -> None:
        newline = self.text.find(NEWLINE, self.at)
        self.at = newline if newline >= 0 else len(self.text)

    def _word(self) -> bytes:
        word = bytearray()
        while self.at < len(self.text):
            byte = self.text[self.at]
            if byte in (NEWLINE, SPACE, TAB):
                break
            self.at += 1
            if byte == SINGLE:
                word += self._single_quoted()
            elif byte == DOUBLE:
                word += self._double_quoted()
            elif byte == BACKSLASH:
                word += self._escaped().strip(b"\n")
            else:
                word.append(byte)
        return bytes(word)

    def _single_quoted(self) -> bytes:
        start = self.at
        end = self.text.find(SINGLE, start)
        if end < 0:
            raise self._unmatched(start)
        self.at = end + 1
        return self.text[start:end]

    def _double_quoted(self) -> bytes:
        start = self.at
        text = bytearray()
        while self.at < len(self.text):
            byte = self.text[self.at]
            self.at += 1
            if byte == DOUBLE:
                return bytes(text)
            if byte != BACKSLASH:
                text.append(byte)
                continue
            escaped = self._escaped()
            if escaped not in ESCAPABLE and escaped != b"\n":
                text.append(BACKSLASH)
            text += escaped.strip(b"\n")
        raise self._unmatched(start)

    def _escaped(self) -> bytes:
        """Take the byte after a backslash; a newline there joins two lines."""
        if self.at == len(self.text):
            raise ScriptFileError(_line(self.text, self.at), "nothing follows the \\")
        self.at += 1
        return self.text[self.at - 1 : self.at]

    def _unmatched(self, start: int) -> ScriptFileError:
        return ScriptFileError(_line(self.text, start), "unmatched quote")
