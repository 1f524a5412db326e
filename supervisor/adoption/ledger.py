"""supervise/process of one service: kept for whoever supervises it next.

Written in this order: a record without a pid, the start, the record with the pid.
So a process that may run is on record at every moment.
"""

import os
import stat

from supervisor.adoption import processes
from supervisor.adoption.record import (
    NO_INODE,
    RECORD_BYTES,
    Record,
    decode,
    encode,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.adoption.record import Inode
    from supervisor.service.directory import Directory
    from supervisor.service.host import Streams

    Warn = Callable[[bytes, OSError | None], None]

FILE = "supervise/process"
# O_NONBLOCK: a FIFO in its place must not stop a supervisor.
READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


class Ledger:
    """Keeps the record of one service up to date.

    `place` is where this supervisor's pids mean something; None: nobody can adopt
    its processes (PID 1 takes them along when it dies), and nothing is written.
    """

    __slots__ = ("_directory", "_place", "_record", "_warn")

    def __init__(self, directory: "Directory", place: str | None, warn: "Warn") -> None:
        self._directory = directory
        self._place = place
        self._warn = warn
        self._record: Record | None = None

    def read(self) -> Record | None:
        """Give the record that the last supervisor left behind, if it is any good.

        OSError when there is one that cannot be read: it may tell of a process.
        """
        content = self._directory.read(FILE, RECORD_BYTES)
        return None if content is None else decode(content)

    def adopted(self, record: Record) -> None:
        """Go on with the record of a process that was taken over."""
        self._record = record
        self._write()

    def starting(
        self,
        state: str,
        streams: "Streams",
        wait_status: int = 0,
        notification: int = -1,
    ) -> None:
        """Note that run or finish is about to be started.

        `notification`: the pipe through which it will say that it is ready, or -1.
        """
        if self._place is None:
            return
        record = Record(self._place, state)
        record.start_ticks = processes.ticks_now()
        record.stdin = pipe_behind(streams.stdin)
        record.stdout = pipe_behind(streams.stdout)
        if notification >= 0:
            record.notification = pipe_behind(notification)
        record.wait_status = wait_status
        self._record = record
        self._write()

    def started(self, pid: int) -> None:
        """Note its pid."""
        record = self._record
        if record is None:
            return
        try:
            record.start_ticks = processes.start_time(pid) or 0
        except OSError as error:
            # Without a pid the record says: look for it.
            self._warn(b"unable to read /proc/%d/stat" % pid, error)
            return
        record.pid = pid
        self._write()

    def ready(self) -> None:
        """Note that it is ready: nobody needs to listen any more."""
        if self._record is not None and self._record.notification != NO_INODE:
            self._record.notification = NO_INODE
            self._write()

    def over(self) -> None:
        """Note that no process is left."""
        if self._record is None:
            return
        self._record = None
        try:
            self._directory.remove(FILE)
        except OSError as error:
            self._warn(b"unable to remove " + FILE.encode(), error)

    def _write(self) -> None:
        if self._record is None:
            return
        try:
            self._directory.replace(FILE, encode(self._record))
        except OSError as error:
            self._warn(b"unable to write " + FILE.encode(), error)


def recorded(service: bytes, place: str) -> Record | None:
    """Read the record in a service directory, if its process may live here."""
    try:
        fd = os.open(service + b"/" + FILE.encode(), READ)
    except OSError:
        return None
    try:
        record = decode(os.read(fd, RECORD_BYTES))
    except OSError:
        return None
    finally:
        os.close(fd)
    return record if record is not None and record.place == place else None


def pipe_behind(fd: int) -> "Inode":
    """Give (device, inode) of the pipe that `fd` refers to, else NO_INODE."""
    try:
        found = os.fstat(fd)
    except OSError:
        return NO_INODE
    if not stat.S_ISFIFO(found.st_mode):
        return NO_INODE
    return found.st_dev, found.st_ino
