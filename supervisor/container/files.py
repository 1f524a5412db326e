"""The image's own files: made available in /run, with the modes they need."""

import errno
import os
import stat

from supervisor.container import copying, places
from supervisor.container.copying import copy_tree
from supervisor.scan.entries import CATCH_ALL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Warn = Callable[[bytes, OSError | None], None]

FIX_ATTRS, CONT_INIT, CONT_FINISH = b"fix-attrs.d", b"cont-init.d", b"cont-finish.d"
SERVICES = b"services.d"
FOLDERS = (FIX_ATTRS, CONT_INIT, CONT_FINISH, SERVICES)
PROGRAMS = (b"run", b"finish", b"log/run", b"log/finish", b"data/check")
"""Of a service directory: what is executed."""
FILE_MODE, PROGRAM_MODE = 0o644, 0o755
FAILED = 1
TOO_DEEP = OSError(errno.ELOOP, os.strerror(errno.ELOOP))  # of directories


class Files:
    """The folders of the image, below `etc`; failures are told by `warn`.

    `copies`: they are copied, since what is in the image cannot be changed or is
    not to be. `runs_here`: what lies in /run can be executed.
    """

    __slots__ = ("_copies", "_etc", "_runs_here", "_warn")

    def __init__(self, etc: bytes, read_only: bool, warn: "Warn") -> None:
        self._etc = etc
        self._warn = warn
        self._runs_here = not _is(places.RUN, os.ST_NOEXEC)
        read_only = read_only or (os.path.exists(etc) and _is(etc, os.ST_RDONLY))
        self._copies = read_only and self._runs_here

    # ---- the two lines of [s6-init]

    def provide(self) -> int:
        """Make the folders available; give the exit code of that."""
        code = 0
        for folder in FOLDERS:
            source = self._etc + b"/" + folder
            target = places.ETC + b"/" + folder
            if not os.path.isdir(source):
                continue
            try:
                if self._copies:
                    copy_tree(source, target, self._runs_here)
                else:
                    os.symlink(source, target)
            except OSError as error:
                self._warn(b"unable to make " + source + b" available", error)
                code = FAILED
        return code

    def set_modes(self) -> int:
        """Give programs the modes they need; give the exit code of that."""
        modes = [(path, FILE_MODE) for path in self._paths(FIX_ATTRS)]
        for folder in (CONT_INIT, CONT_FINISH):
            modes += [(path, PROGRAM_MODE) for path in self._paths(folder)]
        for service in self._paths(SERVICES):
            programs = (service + b"/" + name for name in PROGRAMS)
            modes += [(path, PROGRAM_MODE) for path in programs if os.path.exists(path)]
        failures = [path for path, mode in modes if not self._set_mode(path, mode)]
        return FAILED if failures else 0

    def _set_mode(self, path: bytes, mode: int) -> bool:
        """Give a file to root, with a mode; False: it cannot be used as it is."""
        try:
            found = os.stat(path)
            if stat.S_ISDIR(found.st_mode):
                return True
            if os.geteuid() == 0 and (found.st_uid, found.st_gid) != (0, 0):
                os.chown(path, 0, 0)
            if stat.S_IMODE(found.st_mode) != mode:
                os.chmod(path, mode)
        except OSError as error:
            if os.access(path, os.X_OK if mode == PROGRAM_MODE else os.R_OK):
                return True  # not as it should be, but it will do
            self._warn(b"unable to set the mode of " + path, error)
            return False
        return True

    # ---- what there is

    def has(self, folder: bytes) -> bool:
        """Tell whether the image has that folder."""
        return os.path.isdir(places.ETC + b"/" + folder)

    def names(self, folder: bytes) -> list[bytes]:
        """Give the names of what is in a folder, in the order of the C locale."""
        try:
            found = os.listdir(places.ETC + b"/" + folder)
        except FileNotFoundError:
            return []
        except OSError as error:
            self._warn(b"unable to read " + self._etc + b"/" + folder, error)
            return []
        return sorted(name for name in found if not name.startswith(b"."))

    def scripts(self, folder: bytes) -> list[bytes]:
        """Give the names of a folder's files."""
        path = places.ETC + b"/" + folder + b"/"
        return [n for n in self.names(folder) if not os.path.isdir(path + n)]

    def _paths(self, folder: bytes) -> "Iterable[bytes]":
        path = places.ETC + b"/" + folder + b"/"
        return [path + name for name in self.names(folder)]

    # ---- services.d

    def install_services(self) -> int:
        """Put copies of all services into the scan directory; give the exit code."""
        code = 0
        for service in self._paths(SERVICES):
            name = os.path.basename(service)
            if not os.path.isdir(service):
                continue
            if name == CATCH_ALL:
                self._warn(b"services.d may not have a " + name + b": ignored", None)
                continue
            copy = places.SERVICES + b"/" + name
            try:
                copy_tree(os.path.realpath(service), copy, self._runs_here)
                os.symlink(copy, places.SCANDIR + b"/" + name)
            except (OSError, RecursionError) as error:
                why = error if isinstance(error, OSError) else TOO_DEEP
                self._warn(b"unable to copy service " + name, why)
                self._give_up(copy)
                code = FAILED
        return code

    def _give_up(self, copy: bytes) -> None:
        """Leave no half of a service."""
        try:
            copying.remove_tree(copy)
        except OSError as error:
            self._warn(b"unable to remove " + copy, error)


def _is(path: bytes, flag: int) -> bool:
    """Tell whether a file system is mounted with a flag (statvfs(3))."""
    return bool(os.statvfs(path).f_flag & flag)
