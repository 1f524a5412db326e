"""What a supervisor finds of a service when it begins: nothing, or a process."""

import os

from s6log.unix.messages import REFUSED, Fatal
from supervisor.adoption import pidfd, processes
from supervisor.adoption.record import FINISH, RUN
from supervisor.service.status import Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.adoption.pidfd import Adopted
    from supervisor.adoption.processes import Orphans
    from supervisor.adoption.record import Record
    from supervisor.service.directory import Directory

LIVES = "lives"  # run or finish, as the record says
DIED = "died"  # run, while nobody supervised it
NOTHING = "nothing"


class Heritage:
    """What was found, and the process that lives, with its record."""

    __slots__ = ("found", "process", "record")

    def __init__(
        self,
        found: str,
        record: "Record | None" = None,
        process: "Adopted | None" = None,
    ) -> None:
        self.found = found
        self.record = record
        self.process = process


def look(
    record: "Record | None",
    place: str | None,
    directory: "Directory",
    orphans: "Orphans",
) -> Heritage:
    """Find out what became of a recorded process.

    Raises Fatal when that cannot be told: then nothing may be started, since the
    service could run twice.
    """
    if record is None or (place is not None and record.place != place):
        # Another boot, or a container that is gone: so are its processes.
        return Heritage(NOTHING)
    if place is None:
        if os.getpid() != 1 and _may_live(record):
            raise Fatal(REFUSED, b"unable to tell whether it still runs without /proc")
        # Those of the last process 1 have died with it.
        return Heritage(NOTHING)
    try:
        if not record.pid and not _find(record, directory, orphans):
            return Heritage(NOTHING)
        process = pidfd.adopt(record, place)
    except OSError as error:
        text = b"unable to tell whether it still runs"
        raise Fatal(REFUSED, text, error) from error
    if process is not None:
        return Heritage(LIVES, record, process)
    return Heritage(DIED if record.state == RUN else NOTHING, record)


def _may_live(record: "Record") -> bool:
    """Tell whether there is a process that may be the recorded one, or another."""
    try:
        if record.pid:
            os.kill(record.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it exists
    return True


def _find(record: "Record", directory: "Directory", orphans: "Orphans") -> bool:
    """Look for a process that was started, but not yet on record with its pid.

    The first to have started is it: those it started itself came later.
    """
    found = os.stat(directory.fd)
    key = (found.st_dev, found.st_ino)
    started = []
    for pid in orphans.find(key, record.start_ticks):
        start_ticks = processes.start_time(pid)
        if start_ticks is not None:
            started.append((start_ticks, pid))
    if not started:
        return False
    record.start_ticks, record.pid = min(started)
    return True


def resumed(known: Status | None, record: "Record", now_ns: int) -> Status:
    """Give the status of an adopted service; `known` is what was last written.

    It is older than the record when the supervisor was killed between the two.
    """
    finishing = record.state == FINISH
    if known is not None and (known.pid, known.finishing) == (record.pid, finishing):
        return known
    status = Status(record.pid, now_ns, now_ns, record.wait_status, 0)
    status.finishing = finishing
    status.want_up = True if known is None else known.want_up
    return status
