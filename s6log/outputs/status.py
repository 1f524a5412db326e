"""A status file: the last selected line, for whoever looks at it now.

Replaced atomically, so a reader sees one line or the other, and never kept for
good: no fsync (it describes a running process).
"""

import errno
import os

from s6log.stream.batch import Route
from s6log.stream.format import status_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.script import model
    from s6log.stream.batch import Batch
    from s6log.unix.messages import Messages

# O_NONBLOCK: a FIFO of that name must not stop the logger (open(2): ENXIO).
CREATE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK | os.O_CLOEXEC
PAD = b"\n" * 4096


class Status:
    """One `=FILE` action. Its failures are warned about and forgotten."""

    pending = 0

    def __init__(
        self, element: int, action: "model.Status", base_fd: int, messages: "Messages"
    ) -> None:
        self.route = Route(element, action.format)
        self._path = action.path
        self._size = action.size
        self._base_fd = base_fd
        self._messages = messages

    def deliver(self, batch: "Batch") -> None:
        """Show the last line of the block that is for this file, if any."""
        record = batch.last(self.route)
        if record is None:
            return
        try:
            self._replace(*status_record(record, self._size))
        except OSError as error:
            text = b"unable to write status file " + self._path
            self._messages.warn(text, error)

    def _replace(self, content: bytes, padding: int) -> None:
        base = self._base_fd
        new = self._path + b".new"
        fd = os.open(new, CREATE, 0o666, dir_fd=base)
        try:
            try:
                _write_all(fd, content)
                for start in range(0, padding, len(PAD)):
                    _write_all(fd, PAD[: padding - start])
            finally:
                os.close(fd)
            os.rename(new, self._path, src_dir_fd=base, dst_dir_fd=base)
        except OSError:
            os.unlink(new, dir_fd=base)
            raise


def _write_all(fd: int, content: bytes) -> None:
    """Write to a regular file; a short write means that the disk is full."""
    if os.write(fd, content) < len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
