"""Start-up of a logdir: lock it, settle whatever its last user left behind.

Every state that a kill between two steps of rotation.py or of s6-log leaves is
brought to the same one: no leftovers, an empty state file, a fresh current.
"""

import errno
import fcntl
import os
import stat

from s6log.outputs.retention import archive, settle
from s6log.unix.locks import lock_whole_file
from s6log.unix.messages import MISTAKE, REFUSED, Fatal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from s6log.outputs.retention import Keep
    from s6log.unix.durable import Place

DIRECTORY_MODE = 0o700
CLEAN = stat.S_IXUSR  # u+x on current: ended in order, nothing was lost
APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT
LOCK = os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK


class Found:
    """An open logdir: descriptors of `lock` and `current`, size of current."""

    __slots__ = ("current_fd", "lock_fd", "size")

    def __init__(self, lock_fd: int, current_fd: int, size: int) -> None:
        self.lock_fd = lock_fd
        self.current_fd = current_fd
        self.size = size


def open_logdir(
    place: "Place",
    mode: int,
    keep: "Keep",
    clock: "Callable[[], int]",
    locked: set[tuple[int, int]],
) -> Found:
    """Open a logdir, creating it if needed; Fatal when it cannot be used.

    `mode` is that of its files while in use, `clock` gives nanoseconds since the
    epoch, `locked` holds what this script has locked already and gets one more.
    """
    with _Unable(b"mkdir " + place.path):
        created = place.create(DIRECTORY_MODE)
    lock_fd = _lock(place, locked)
    name = place.name(b"current")
    with _Unable(b"stat " + name):
        status = place.stat(b"current")
    if status is None or not status.st_mode & CLEAN:
        _recover(place, keep, clock)
        status = None
    with _Unable(b"open_append " + name):
        current_fd = place.open(b"current", APPEND)
    with _Unable(b"fchmod " + name):
        os.fchmod(current_fd, mode)
    _keep_names(place, created)
    return Found(lock_fd, current_fd, status.st_size if status else 0)


def _keep_names(place: "Place", created: bool) -> None:
    """Make the new files' names durable, and that of a new directory."""
    try:
        place.sync()
        if created:
            place.parent().sync()
    except OSError:
        # Directories that we may not read (fsync(2) needs a descriptor) are no
        # reason not to log. The next rotation reports what is really wrong.
        pass


def lock_again(place: "Place", held_fd: int) -> int:
    """Lock a directory that may have been removed and made anew.

    Takes over `held_fd`, the lock held so far, and returns the one held now.
    OSError leaves everything as it was.
    """
    fd = place.open(b"lock", LOCK)
    try:
        if not os.path.sameopenfile(fd, held_fd):
            _take_lock(fd)
            fd, held_fd = held_fd, fd
    finally:
        os.close(fd)
    return held_fd


def _lock(place: "Place", locked: set[tuple[int, int]]) -> int:
    """Lock the directory; refuse one that this script has locked already."""
    name = place.name(b"lock")
    with _Unable(b"open " + name):
        fd = place.open(b"lock", LOCK)
    status = os.fstat(fd)
    if (status.st_dev, status.st_ino) in locked:
        text = b"log directory " + place.path + b" is used twice"
        hint = b"a directory takes the lines of one action only"
        raise Fatal(MISTAKE, text, None, (hint,))
    locked.add((status.st_dev, status.st_ino))
    with _Unable(b"lock " + name):
        _take_lock(fd)
    return fd


def _take_lock(fd: int) -> None:
    """Lock against every other logger, the original included; EBUSY.

    A lock of the open file description conflicts with the POSIX locks of s6-log,
    and is not lost when something in this process closes the same file
    (fcntl(2)). Kernels before 3.15 get a POSIX lock.
    """
    try:
        free = lock_whole_file(fd, fcntl.F_OFD_SETLK)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        free = lock_whole_file(fd, fcntl.F_SETLK)
    if not free:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))


def _recover(place: "Place", keep: "Keep", clock: "Callable[[], int]") -> None:
    """Settle the leftovers of an unclean end, the oldest lines first."""

    def finish(entry: bytes, suffix: str) -> None:
        about = entry + b" ." + suffix.encode() + b" for logdir " + place.path
        with _Unable(b"finish " + about):
            if place.stat(entry) is not None:
                place.seal(entry)  # nobody may have made its content durable
            if archive(place, entry, suffix, clock(), keep):
                settle(place, keep)

    def drop(entry: bytes) -> None:
        with _Unable(b"unlink " + place.name(entry)):
            place.remove(entry)

    drop(b"state")
    drop(b"newstate")
    with _Unable(b"stat " + place.name(b"processed")):
        processed = place.stat(b"processed")
    if processed is not None and processed.st_mode & CLEAN:
        # Complete: the processor had done its work on previous.
        drop(b"previous")
        finish(b"processed", "s")
    else:
        drop(b"processed")
        finish(b"previous", "u")
    finish(b"current", "u")
    with _Unable(b"open_trunc " + place.name(b"state")):
        os.close(place.open(b"state", os.O_WRONLY | os.O_CREAT | os.O_TRUNC))


class _Unable:
    """Turn an OSError in its block into `fatal: unable to WHAT: reason`, 111."""

    __slots__ = ("_what",)

    def __init__(self, what: bytes) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _: object) -> None:
        if isinstance(error, OSError):
            raise Fatal(REFUSED, b"unable to " + self._what, error) from None
