"""Records that are more than a prefix and a line: tagged, as JSON, joined. Pure.

A former makes records of whole lines in which a NUL stands for a line break (an
event of several lines); `line` makes one of what the logger itself has to say.
"""

from s6log.stream.format import BREAK, prefix_size, prefixed, shorten
from s6log.stream.objects import Renderer, Shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from s6log.script.model import Format
    from s6log.stream.batch import Piece
    from s6log.stream.blocks import Data
    from s6log.stream.format import Clock, Prefixes

    class Former(Protocol):
        """What makes records of lines."""

        size: int

        def piece(self, data: Data, end: int, now_ns: int, /) -> Piece:
            """Make records of data[:end], whole lines and not empty."""


NUL = 0
NUL_BYTE = b"\0"


def quoted(text: bytes) -> bytes:
    """Write printable UTF-8 as a JSON string."""
    return b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def text_of(data: "Data", end: int) -> tuple["Data", int]:
    """Show the line breaks inside of events; (data, end) as they are without any."""
    if data.find(NUL, 0, end) < 0:
        return data, end
    shown = data[:end].replace(NUL_BYTE, BREAK)
    return shown, len(shown)


def line_of(former: "Former", text: bytes, now_ns: int) -> bytes:
    """Make a record of one line without its LF."""
    line = text + b"\n"
    head, data, end = former.piece(line, len(line), now_ns)
    return head + data[:end]


class Text:
    """Lines behind a prefix, whatever is in them."""

    def __init__(self, format_: "Format", prefixes: "Prefixes") -> None:
        self._format = format_
        self._prefixes = prefixes
        self.size = prefix_size(format_)

    def piece(self, data: "Data", end: int, now_ns: int) -> "Piece":
        """Put the prefix of that moment before each line."""
        self._prefixes.at(now_ns)
        data, end = text_of(data, end)
        return prefixed(data, end, self._prefixes.of(self._format))


class Alarm:
    """Lines as alerts: behind `mark` and a prefix, cut after `most` bytes."""

    def __init__(
        self, format_: "Format", prefixes: "Prefixes", mark: bytes, most: int
    ) -> None:
        self._format = format_
        self._prefixes = prefixes
        self._mark = mark
        self._most = most
        self.size = len(mark) + prefix_size(format_)

    def piece(self, data: "Data", end: int, now_ns: int) -> "Piece":
        """Cut each line, and put the prefix of that moment before it."""
        self._prefixes.at(now_ns)
        prefix = self._mark + self._prefixes.of(self._format)
        return prefixed(*shorten(*text_of(data, end), self._most), prefix)


class Tagged:
    """Lines behind the service's name; objects gain it as their first member."""

    def __init__(
        self,
        format_: "Format",
        prefixes: "Prefixes",
        renderer: Renderer,
        service: bytes,
    ) -> None:
        self._format = format_
        self._prefixes = prefixes
        self._renderer = renderer
        self._members = ((b"service", b'"service":' + quoted(service)),)
        self.size = max(prefix_size(format_), len(self._members[0][1]) + 1)

    def piece(self, data: "Data", end: int, now_ns: int) -> "Piece":
        """Make records of the block."""
        self._prefixes.at(now_ns)
        prefix = self._prefixes.of(self._format)
        shape = Shape(prefix, b"", self._members, escape=False)
        return self._renderer.render(data, end, shape)


class Json:
    """Each line as an object; lines that are objects gain all but the `msg`."""

    def __init__(
        self, clock: "Clock", renderer: Renderer, service: bytes, stream: bytes
    ) -> None:
        self._clock = clock
        self._renderer = renderer
        self._fixed = (
            (b"service", b'"service":' + quoted(service)),
            (b"stream", b'"stream":' + quoted(stream)),
        )
        self.size = len(self._shape(0).text_head) + len(b'"}')

    def piece(self, data: "Data", end: int, now_ns: int) -> "Piece":
        """Make records of the block."""
        return self._renderer.render(data, end, self._shape(now_ns))

    def _shape(self, now_ns: int) -> Shape:
        stamp = b'"ts":"' + self._clock.at(now_ns) + b'"'
        members = ((b"ts", stamp), *self._fixed)
        head = b"{" + b",".join([member for _, member in members]) + b',"msg":"'
        return Shape(head, b'"}', members, escape=True)
