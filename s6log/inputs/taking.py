"""Ways to take bytes that need nothing but a read."""

import os

from s6log.unix.fds import PipeSize, Reader


class Consumed:
    """Bytes are gone from the input as soon as they are read."""

    rewinds = False
    window_bytes = 0

    def __init__(self, fd: int) -> None:
        self._reader = Reader(fd)
        self._pipe = PipeSize(fd)

    def take(self, view: memoryview) -> int:
        """Read; return the number of bytes, 0 at the end."""
        count = self._reader.read(view)
        if count >= self._pipe.bytes:
            self._pipe.was_full()
        return count

    def commit(self, count: int) -> None:
        """Do nothing: there is nothing to give back."""

    def crowded(self) -> bool:
        """Say that the rest of a line has room: what was read has left."""
        return False

    def ended(self) -> bool:
        """Leave it to `take` to tell the end."""
        return False

    def close(self) -> None:
        """Do nothing: there is nothing of our own."""


class Offset:
    """A regular file: consumed is what the offset has passed.

    The offset belongs to the open file description, so the next logger on it
    goes on behind the last line that was written.
    """

    rewinds = True
    window_bytes = 0

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def take(self, view: memoryview) -> int:
        """Read behind the offset without moving it; return the bytes, 0 at the end."""
        return os.preadv(self._fd, [view], os.lseek(self._fd, 0, os.SEEK_CUR))

    def commit(self, count: int) -> None:
        """Move the offset past what has been written."""
        os.lseek(self._fd, count, os.SEEK_CUR)

    def crowded(self) -> bool:
        """Say that the rest of a line has room: a file holds any line."""
        return False

    def ended(self) -> bool:
        """Say that there is nothing behind what was shown, as with s6-log."""
        return True

    def close(self) -> None:
        """Do nothing: there is nothing of our own."""
