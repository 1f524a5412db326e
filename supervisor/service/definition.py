"""The small files of a service directory, read anew each time one is needed.

A number: digits up to the first newline. A signal: a name or a number. What
cannot be read or is something else counts as absent, with a warning.
"""

from s6log.unix.getopt import UINT32_MAX, decimal
from supervisor.service import signal_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from supervisor.service.directory import Directory

    Read = TypeVar("Read")
    Warn = Callable[[bytes, OSError | None], None]

MOST_BYTES = 64  # more than anything that is valid, so that too much is seen


class Definition:
    """What a service directory says, apart from its programs."""

    __slots__ = ("_directory", "warn")

    def __init__(self, directory: "Directory", warn: "Warn") -> None:
        self._directory = directory
        self.warn = warn

    def has(self, name: str) -> bool:
        """Tell whether a file is there, whatever is in it."""
        return self._directory.has(name)

    def number(self, name: str) -> int | None:
        """Read a file that holds one number; None when it is absent or no number."""
        text = self._line(name)
        if text is None:
            return None
        value = decimal(text, UINT32_MAX)
        if value is None:
            self.invalid(name)
        return value

    def signal(self, name: str, default: int) -> int:
        """Read a file that holds one signal."""
        text = self._line(name)
        if text is None:
            return default
        value = signal_names.number(text)
        if value is None:
            self.invalid(name)
            return default
        return value

    def parsed(
        self, name: str, parse: "Callable[[bytes], Read | None]"
    ) -> "Read | None":
        """Read a file that `parse` knows the form of; its None means: no such."""
        text = self._line(name)
        if text is None:
            return None
        value = parse(text) if len(text) < MOST_BYTES else None
        if value is None:
            self.invalid(name)
        return value

    def invalid(self, name: str) -> None:
        """Warn that a file says something that cannot be."""
        self.warn(b"invalid " + name.encode(), None)

    def _line(self, name: str) -> bytes | None:
        try:
            text = self._directory.read(name, MOST_BYTES)
        except OSError as error:
            self.warn(b"unable to open " + name.encode(), error)
            return None
        return None if text is None else text.partition(b"\n")[0]
