"""What the lines of services look like: as they are, behind names, or as objects.

As s6-log writes them, with `@tag` and `@json`. Each of these kinds gives, for a
service and a stream, what makes the records.
"""

import time

from s6log import kernels
from s6log.identity import Identity, colours, printable
from s6log.script.model import Format
from s6log.stream.format import Prefixes
from s6log.stream.forming import Json, Tagged
from s6log.stream.objects import Renderer
from s6log.stream.times import Times
from s6log.unix.fds import STDOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from s6log.stream.batch import Piece
    from s6log.stream.blocks import Data
    from s6log.stream.forming import Former

    class Records(Protocol):
        """Makes what makes records."""

        def former(self, name: bytes, stream: bytes, /) -> Former:
            """Make what forms the lines that a service writes to a stream."""


class Raw:
    """Lines as they are. One for all services: nothing tells them apart."""

    size = 0

    def former(self, _name: bytes, _stream: bytes) -> "Former":
        """Give what leaves lines alone."""
        return self

    def piece(self, data: "Data", end: int, _now_ns: int) -> "Piece":
        """Give the block itself."""
        return b"", data, end


class Tags:
    """Names before lines, in one column: as wide as the widest so far."""

    def __init__(self) -> None:
        self.prefixes = Prefixes(time.localtime)
        self.renderer = Renderer(kernels.objects())
        self.coloured = colours(STDOUT)
        self.width = 0

    def former(self, name: bytes, _stream: bytes) -> "Former":
        """Make what puts a name before lines."""
        service = printable(name)
        self.width = max(self.width, len(service.decode()))
        return Tag(self, service)


class Tag:
    """One name before lines, as wide as the column when they are written."""

    __slots__ = ("_column", "_format", "_identity", "_tagged", "size")

    def __init__(self, column: Tags, service: bytes) -> None:
        self._column = column
        self._identity = Identity(service, 0)
        self._format = Format()
        self._fit()
        self._tagged = Tagged(self._format, column.prefixes, column.renderer, service)
        self.size = self._tagged.size

    def piece(self, data: "Data", end: int, now_ns: int) -> "Piece":
        """Make records of the block."""
        if self._identity.width < self._column.width:
            self._fit()
        return self._tagged.piece(data, end, now_ns)

    def _fit(self) -> None:
        self._identity.width = self._column.width
        self._format.tagged = self._identity.tag(b"", self._column.coloured)


class Objects:
    """Lines as JSON objects, which have the service's name and the stream's."""

    def __init__(self) -> None:
        self._clock = Times(b"rfc3339us", time.gmtime, time.strftime)
        self._renderer = Renderer(kernels.objects())

    def former(self, name: bytes, stream: bytes) -> "Former":
        """Make what makes objects of lines."""
        return Json(self._clock, self._renderer, printable(name), stream)


KINDS: "dict[bytes, Callable[[], Records]]" = {
    b"raw": Raw,
    b"tag": Tags,
    b"json": Objects,
}
