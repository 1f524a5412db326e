"""What a scan directory holds as a watcher sees it, and what a change of it means."""

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.scan.entries import Identity

RUN = b"/run"
EXECUTABLE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH

# Orders to the supervisor, as s6-svscanctl sends them.
SCAN = b"a"
SCAN_AND_PRUNE = b"an"


class Seen:
    """The directories that a scan would find; `unfinished` are those without run.

    That is, without an executable file of that name.
    """

    __slots__ = ("found", "unfinished")

    def __init__(self) -> None:
        self.found: dict[bytes, Identity] = {}
        self.unfinished: set[bytes] = set()


def look(directory: bytes) -> Seen:
    """Look at a scan directory. Raises OSError when it cannot be read."""
    seen = Seen()
    for name in os.listdir(directory):
        path = directory + b"/" + name
        status = None if name.startswith(b".") else _status(path)
        if status is None or not stat.S_ISDIR(status.st_mode):
            continue
        seen.found[name] = status.st_dev, status.st_ino
        if not _is_program(path + RUN):
            seen.unfinished.add(name)
    return seen


def letters(before: Seen | None, now: Seen) -> bytes:
    """Give the letters that tell the supervisor of a change; none when it is none.

    A directory that is not finished does not count until it is, or is gone.
    Without anything `before`, anything may have gone.
    """
    if before is None or any(
        now.found.get(name) != identity for name, identity in before.found.items()
    ):
        return SCAN_AND_PRUNE
    fresh = (now.found.keys() - before.found.keys()) | before.unfinished
    return SCAN if fresh - now.unfinished else b""


def _is_program(path: bytes) -> bool:
    status = _status(path)
    if status is None or not stat.S_ISREG(status.st_mode):
        return False
    return bool(status.st_mode & EXECUTABLE)


def _status(path: bytes) -> os.stat_result | None:
    """Give what is there, behind all links; None for nothing, or out of reach."""
    try:
        return os.stat(path)
    except OSError:
        return None
