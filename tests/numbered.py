"""Lines that carry a number, so that loss, doubling and tearing can be seen.

`<000000017:xxxx:000000017>`: a line is whole when both its ends are there.
"""

import gzip
import re
import stat
from pathlib import Path

from harness import Pipe, Process
from trees import ARCHIVE, archives
from watching import settle

WHOLE = re.compile(rb"<(\d{9}):x*:\1>")
SIZE_BYTES = 64
"""A divisor of a page: what a pipe gives at once are then whole lines."""

PAGE_BYTES = 4096
ENDLESS_BYTES = 64 << 20
GZIP_MAGIC = b"\x1f\x8b"


def line(number: int, size_bytes: int = SIZE_BYTES) -> bytes:
    """Make a line of that many bytes, newline included."""
    ends = b"<%09d:" % number, b":%09d>\n" % number
    return ends[0] + b"x" * (size_bytes - len(ends[0]) - len(ends[1])) + ends[1]


def lines(first: int, end: int, size_bytes: int = SIZE_BYTES) -> bytes:
    """Make the lines of a range of numbers."""
    return b"".join(line(number, size_bytes) for number in range(first, end))


class Source:
    """An endless stream of numbered lines for a pipe, a page at a time."""

    def __init__(self, pipe: Pipe, size_bytes: int = SIZE_BYTES) -> None:
        self._pipe = pipe
        self._size = size_bytes
        self._rest = b""
        self.count = 0
        self.given = 0

    def pour(self, total_bytes: int) -> None:
        """Write until that many bytes more are in the pipe or have been read."""
        end = self.given + total_bytes
        while self.given < end:
            self._refill()
            piece = self._rest[: 2 * PAGE_BYTES]
            self._pipe.feed(piece)
            self.given += len(piece)
            self._rest = self._rest[len(piece) :]

    def pour_until_stuck(self, process: Process) -> None:
        """Write until the pipe is full and its reader has gone to sleep over it."""
        while True:
            while self._pipe.room():
                assert self.given < ENDLESS_BYTES, "the reader takes all there is"
                self._refill()
                taken = self._pipe.offer(self._rest)
                self.given += taken
                self._rest = self._rest[taken:]
            settle(process)
            if not self._pipe.room():
                return

    def end_line(self) -> None:
        """Write the rest of a line that has been begun."""
        begun = -self.given % self._size
        self._refill()
        self._pipe.feed(self._rest[:begun])
        self.given += begun
        self._rest = self._rest[begun:]

    def stop(self) -> int:
        """Write what remains of the last line and close; return the lines' number."""
        self._pipe.feed(self._rest)
        self._pipe.end()
        return self.count

    def _refill(self) -> None:
        while len(self._rest) < 2 * PAGE_BYTES:
            more = lines(self.count, self.count + 256, self._size)
            self.count += 256
            self._rest += more


class Reading:
    """What the files of a log directory hold, oldest first.

    `torn` are the pieces that are not whole lines, with the file each is in;
    such a piece may only stand at the end of a `.u` file.
    """

    def __init__(self, logdir: Path) -> None:
        self.numbers: list[int] = []
        self.torn: list[tuple[str, bytes]] = []
        self.breaks: list[int] = []
        for path in _files(logdir):
            self._read(path)

    def _read(self, path: Path) -> None:
        content = path.read_bytes()
        if content.startswith(GZIP_MAGIC):
            content = gzip.decompress(content)
        *ended, last = content.split(b"\n")
        for piece in ended:
            self._take(path, piece)
        if last:
            self.torn.append((path.name, last))
        if path.name.endswith(".u"):
            self.breaks.append(len(self.numbers))

    def _take(self, path: Path, piece: bytes) -> None:
        match = WHOLE.fullmatch(piece)
        if match is None:
            self.torn.append((path.name, piece + b"\n"))
        else:
            self.numbers.append(int(match[1]))


def _files(logdir: Path) -> list[Path]:
    own = [logdir / name for name in ("previous", "current")]
    processed = logdir / "processed"
    # Incomplete, it counts for nothing: previous is still there.
    if processed.exists() and processed.stat().st_mode & stat.S_IXUSR:
        own.insert(0, processed)
    return [*archives(logdir), *(path for path in own if path.exists())]


def leftovers(logdir: Path) -> set[str]:
    """Name the files that a log directory at rest must not contain."""
    return {p.name for p in logdir.iterdir() if not ARCHIVE.fullmatch(p.name)} - {
        "current",
        "lock",
        "state",
    }
