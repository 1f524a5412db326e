r"""Records of lines that may be JSON objects already. Pure.

A line that is, as a whole, one JSON object (RFC 8259; blanks may stand around it)
gains members, and is otherwise left as it is. Any other line is text: it goes out
between a head and a tail, as it is or as the inside of a JSON string. A NUL stands
for a line break inside an event, and is written as `\n`, two bytes.

All of it is done in C where `_objects` is built; what is here does the same.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Collection, Iterator
    from types import ModuleType

    from s6log.stream.batch import Piece
    from s6log.stream.blocks import Data

BRACE, COMMA = b"{", b","
BLANK = b" \t\r"
BASE64 = b'","msg_base64":"'
CONTROLS = {value: b"\\u%04x" % value for value in range(0x20)} | {
    0: rb"\n",
    ord("\b"): rb"\b",
    ord("\t"): rb"\t",
    ord("\f"): rb"\f",
    ord("\r"): rb"\r",
}
ORDINARY = b"\n" + bytes(range(0x20, 0x100))  # all but the controls in a line

# The grammar, for nesting that json cannot follow. Whatever is repeated is repeated
# possessively: nothing is tried again, and nothing remembered for that.
BLANKS = rb"[ \t\r]*+"
STRING = rb'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"'
NUMBER = rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+"
SCALAR = rb"(?:%s|%s|true|false|null)" % (STRING, NUMBER)
VALUE = rb"%s(?:(\{)|((?:\[%s)++)|%s)%s" % (BLANKS, BLANKS, SCALAR, BLANKS)
KEY = rb"%s(%s)%s:" % (BLANKS, STRING, BLANKS)
ENDS = rb"[]} \t\r]*+"


class Shape:
    """What records look like, those of one block. Nothing in it has an LF.

    Text goes between `text_head` and `text_tail`; `escape` makes it the inside of
    a JSON string. An object gains the `members`, pairs of a key (UTF-8) and a
    member with that key, unless it has the key.
    """

    __slots__ = ("escape", "members", "text_head", "text_tail")

    def __init__(
        self,
        text_head: bytes,
        text_tail: bytes,
        members: tuple[tuple[bytes, bytes], ...],
        escape: bool,
    ) -> None:
        self.text_head = text_head
        self.text_tail = text_tail
        self.members = members
        self.escape = escape


class Renderer:
    """Makes records of blocks. `kernel` is the module `_objects`, or None."""

    __slots__ = ("_kernel", "_reader")

    def __init__(self, kernel: "ModuleType | None") -> None:
        self._kernel = kernel
        self._reader: Reader | None = None

    def render(self, data: "Data", end: int, shape: Shape) -> "Piece":
        """Make a record of each line of data[:end], whole lines and not empty."""
        if self._kernel is not None:
            # Also where bytes.replace would do. Measured, MB/s with and without, a
            # bytearray of 64 KiB, lines of 30, 90 and 180 bytes: tagged 4100 and
            # 3300, 8600 and 6600, 16200 and 11700; escaped 3600, 6500 and 7500,
            # where only to look for control bytes takes 4200.
            records = self._kernel.render(
                data,
                end,
                shape.text_head,
                shape.text_tail,
                shape.members,
                shape.escape,
            )
            return b"", records, len(records)
        block = bytes(memoryview(data)[:end])
        if block.find(BRACE) < 0:
            return render_text(block, shape)
        if self._reader is None:
            self._reader = Reader()
        records = b"".join(_mixed(block, shape, self._reader))
        return b"", records, len(records)


def _mixed(block: bytes, shape: Shape, reader: "Reader") -> "Iterator[Data]":
    """Give records in pieces: each object by itself, the text between as a block."""
    members = [(key.decode(), member) for key, member in shape.members]
    done = 0
    for start, brace in reader.candidates(block):
        end = block.index(b"\n", brace) + 1
        keys = reader.keys(block[start : end - 1])
        if keys is None:
            continue
        if done < start:
            yield from _records(render_text(block[done:start], shape))
        missing = [member for key, member in members if key not in keys]
        if missing and keys:
            missing.append(b"")  # for the comma
        yield from (block[start:brace], BRACE, COMMA.join(missing))
        yield block[brace + 1 : end]
        done = end
    if done < len(block):
        yield from _records(render_text(block[done:], shape))


def _records(piece: "Piece") -> "tuple[Data, Data]":
    head, data, end = piece
    return head, data[:end]


# ---- text


def render_text(block: bytes, shape: Shape) -> "Piece":
    """Make records of lines none of which is an object."""
    head, tail = shape.text_head, shape.text_tail
    if not shape.escape:
        body = block.replace(b"\0", rb"\n")
    elif is_utf8(block):
        body = escape(block)
    else:
        body = _escape_bad(block)
    # The last head, behind the last LF, is left out by the end.
    body = body.replace(b"\n", tail + b"\n" + head)
    return head, body, len(body) - len(head)


def is_utf8(text: bytes) -> bool:
    """Tell whether a text is valid UTF-8."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def escape(text: bytes) -> bytes:
    """Make valid UTF-8 the inside of a JSON string; LFs stay LFs."""
    controls = text.translate(None, ORDINARY)  # none, in most blocks
    text = text.replace(b"\\", rb"\\").replace(b'"', rb"\"")
    for value in set(controls):
        text = text.replace(bytes((value,)), CONTROLS[value])
    return text


def _escape_bad(block: bytes) -> bytes:
    """Escape lines; of those that are not UTF-8 the exact bytes follow in base64.

    Each byte that is not UTF-8 is U+FFFD in the text. NULs are LFs in base64.
    """
    import binascii
    import re

    text = block.decode(errors="surrogateescape")
    shown = escape(re.sub("[\udc80-\udcff]", "\ufffd", text).encode())
    records = []
    for line, body in zip(block.split(b"\n"), shown.split(b"\n"), strict=True):
        records.append(body)
        if not is_utf8(line):
            exact = line.replace(b"\0", b"\n")
            records[-1] += BASE64 + binascii.b2a_base64(exact, newline=False)
    return b"\n".join(records)


# ---- objects


class Reader:
    """Tells whether lines are JSON objects, and which keys they have."""

    __slots__ = ("_decode", "_first", "_next")

    def __init__(self) -> None:
        import json
        import re

        # Numbers stay text: converting them takes time, and has limits.
        self._decode = json.JSONDecoder(
            parse_int=str, parse_float=str, parse_constant=_refuse
        ).decode
        self._first = re.compile(rb"[ \t\r]*+\{")
        # With `^` instead of the LF before, the search takes five times as long.
        self._next = re.compile(rb"\n[ \t\r]*+\{")

    def candidates(self, block: bytes) -> "Iterator[tuple[int, int]]":
        """Give (start, brace) of the lines that begin with a brace."""
        first = self._first.match(block)
        if first is not None:
            yield 0, first.end() - 1
        for found in self._next.finditer(block):
            yield found.start() + 1, found.end() - 1

    def keys(self, line: bytes) -> "Collection[str] | None":
        """Give the keys of an object; None: the line is none."""
        try:
            keys: Collection[str] = self._decode(line.decode())
        except ValueError:
            return None
        except RecursionError:
            raw = Walk(line).keys()
            return None if raw is None else [self._decode(key.decode()) for key in raw]
        return keys


def _refuse(constant: str) -> None:
    raise ValueError(constant)


class Walk:
    """Reads one line of valid UTF-8 bracket by bracket, however deep it is."""

    __slots__ = ("_at", "_closers", "_keys", "_line", "_patterns")

    def __init__(self, line: bytes) -> None:
        import re

        self._line = line
        self._at = 0
        self._closers = bytearray()
        self._keys: list[bytes] = []
        self._patterns = [re.compile(pattern) for pattern in (VALUE, KEY, ENDS)]

    def keys(self) -> list[bytes] | None:
        """Give the object's keys as they are written; None: it is not valid."""
        value, key, ends = self._patterns
        while True:
            opened = self._match(value)
            if opened is None:
                return None
            is_open = self._open(opened)
            if not is_open:
                if not self._close(ends):
                    return None
                if not self._closers:
                    return self._keys if self._at == len(self._line) else None
                if self._next() != COMMA:
                    return None
                self._at += 1
            if self._closers.endswith(b"}") and not self._key(key):
                return None

    def _match(self, pattern: "re.Pattern[bytes]") -> "re.Match[bytes] | None":
        found = pattern.match(self._line, self._at)
        if found is not None:
            self._at = found.end()
        return found

    def _next(self) -> bytes:
        return self._line[self._at : self._at + 1]

    def _open(self, value: "re.Match[bytes]") -> bool:
        """Note what opens; tell whether there is something in it."""
        brace, brackets = value.groups()
        if brace is not None:
            self._closers += b"}"
        elif brackets is not None:
            self._closers += b"]" * brackets.count(b"[")
        else:
            return False
        return not self._closers.endswith(self._next() or b"-")

    def _close(self, ends: "re.Pattern[bytes]") -> bool:
        """Pass all that closes here, and blanks."""
        start = self._at
        self._match(ends)
        closed = self._line[start : self._at].translate(None, BLANK)
        rest = len(self._closers) - len(closed)
        if rest < 0 or self._closers[rest:] != closed[::-1]:
            return False
        del self._closers[rest:]
        return True

    def _key(self, pattern: "re.Pattern[bytes]") -> bool:
        found = self._match(pattern)
        if found is not None and len(self._closers) == 1:
            self._keys.append(found[1])
        return found is not None
