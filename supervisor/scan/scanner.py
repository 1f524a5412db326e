"""Looking at a scan directory: which directories are services, which have loggers."""

import errno
import os
import stat

from supervisor.scan.entries import LOG, Found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.scan.entries import Identity

HERE = b"."


class Sight:
    """What was found; names that could not be looked at; what there is to say."""

    __slots__ = ("complaints", "found", "unclear")

    def __init__(self) -> None:
        self.found: list[Found] = []
        self.unclear: set[bytes] = set()
        self.complaints: list[tuple[bytes, OSError | None]] = []

    def give_up(self, name: bytes, path: bytes, error: OSError) -> None:
        """Note that it cannot be told what a name is."""
        self.unclear.add(name)
        self.complaints.append((b"unable to stat " + path, error))


def look(name_max: int) -> Sight:
    """Look at the working directory. Raises OSError when it cannot be read.

    In the order of names, so that limits always spare the same services.
    """
    sight = Sight()
    for name in sorted(os.listdir(HERE)):
        if name.startswith(b"."):
            continue
        if len(name) > name_max:
            text = b"name too long - not spawning service: " + name
            sight.complaints.append((text, None))
            continue
        _look_at(name, sight)
    return sight


def _look_at(name: bytes, sight: Sight) -> None:
    try:
        service = _directory(name)
    except OSError as error:
        # Gone since listdir, or a link that leads nowhere.
        if os.path.lexists(name):
            sight.give_up(name, name, error)
        return
    if service is None:
        return
    try:
        logger = _directory(name + LOG)
    except FileNotFoundError:
        logger = None
    except OSError as error:
        sight.give_up(name, name + LOG, error)
        return
    sight.found.append(Found(name, service, logger))


def _directory(path: bytes) -> "Identity | None":
    """Give a directory's identity; None for anything else. OSError."""
    found = os.stat(path)
    return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None


def remove_dangling() -> None:
    """Remove links that lead nowhere, as s6-svscan does when it starts. OSError.

    They are left behind by services on file systems that went away with a boot.
    """
    for name in os.listdir(HERE):
        if name.startswith(b"."):
            continue
        try:
            os.stat(name)
        except OSError as error:
            if error.errno == errno.ENOENT and os.path.islink(name):
                _remove(name)


def _remove(name: bytes) -> None:
    try:
        os.unlink(name)
    except OSError:
        pass  # it will be complained about
