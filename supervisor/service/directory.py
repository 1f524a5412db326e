"""A service directory's files, relative to a descriptor that follows it anywhere.

Made and opened as s6-supervise does: lenient with what is there already, modes of
its own for what is not. Format and modes: s6 2.15, supervise/ and event/.
"""

import errno
import fcntl
import os
import stat

from s6log.unix.locks import lock_whole_file
from s6log.unix.messages import MISTAKE, REFUSED, Fatal

READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
# O_NONBLOCK: a FIFO in the place of a file must not stop a supervisor.
REPLACE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK | os.O_CLOEXEC
LOCK = os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
# One description for both ends: somebody always writes, so that no reader sees an
# end of file; half of the descriptors (fifo(7): O_RDWR never blocks on Linux).
CONTROL = os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC
CONTROL_BYTES = 4096  # the least; a user's pipes have a common limit (pipe(7))
SUPERVISE_MODE = 0o700
CONTROL_MODE = 0o600
LOCK_MODE = 0o644


class Directory:
    """One service directory, open as `fd` (O_PATH is enough)."""

    __slots__ = ("fd",)

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def read(self, name: str, most: int) -> bytes | None:
        """Give up to `most` bytes of a file; None when there is none. OSError."""
        try:
            fd = os.open(name, READ, dir_fd=self.fd)
        except FileNotFoundError:
            return None
        try:
            return os.read(fd, most)
        finally:
            os.close(fd)

    def has(self, name: str) -> bool:
        """Tell whether there is an entry of that name, as far as one may know."""
        try:
            os.stat(name, dir_fd=self.fd)
        except OSError:
            return False
        return True

    def write(self, name: str, content: bytes) -> None:
        """Write a whole file under a name that nobody reads. OSError."""
        fd = os.open(name, REPLACE, 0o666, dir_fd=self.fd)
        try:
            if os.write(fd, content) != len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(fd)

    def replace(self, name: str, content: bytes) -> None:
        """Replace a file in one step, not durably: it is about this boot only."""
        new = name + ".new"
        self.write(new, content)
        os.rename(new, name, src_dir_fd=self.fd, dst_dir_fd=self.fd)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there. OSError."""
        try:
            os.unlink(name, dir_fd=self.fd)
        except FileNotFoundError:
            pass

    def make(self, name: str, mode: int) -> bool:
        """Make sure that there is a directory; tell whether it was made now.

        A link that leads nowhere gets its target made, so that both can live
        outside of a read-only service directory. Call with umask 0. Raises Fatal.
        """
        try:
            os.mkdir(name, mode, dir_fd=self.fd)
        except FileExistsError:
            pass
        except OSError as error:
            raise unable(f"mkdir {name}", error) from error
        else:
            return True
        return self._check(name, mode)

    def _check(self, name: str, mode: int) -> bool:
        try:
            found = os.stat(name, dir_fd=self.fd)
        except FileNotFoundError:
            return self._make_target(name, mode)
        except OSError as error:
            raise unable(f"stat {name}", error) from error
        if not stat.S_ISDIR(found.st_mode):
            raise Fatal(MISTAKE, f"{name} exists and is not a directory".encode())
        return False

    def _make_target(self, name: str, mode: int) -> bool:
        try:
            os.mkdir(os.readlink(name, dir_fd=self.fd), mode, dir_fd=self.fd)
        except OSError as error:
            raise unable(f"mkdir {name}", error) from error
        return True

    def open_lock(self, locked: set[tuple[int, int]]) -> int:
        """Lock supervise/lock, whose (device, inode) goes into `locked`.

        Raises Fatal when another supervisor has it.
        """
        name = "supervise/lock"
        try:
            fd = os.open(name, LOCK, LOCK_MODE, dir_fd=self.fd)
        except OSError as error:
            raise unable(f"open {name}", error) from error
        try:
            take_lock(fd, locked, b"s6-supervise")
        except OSError as error:
            os.close(fd)
            raise unable(f"lock {name}", error) from error
        except Fatal:
            os.close(fd)
            raise
        return fd

    def open_control(self, name: str) -> int:
        """Make and open a FIFO for commands. Call with umask 0. Raises Fatal."""
        try:
            os.mkfifo(name, CONTROL_MODE, dir_fd=self.fd)
        except FileExistsError:
            pass
        except OSError as error:
            raise unable(f"mkfifo {name}", error) from error
        try:
            # Looked at before it is opened: opening a device may do something.
            found = os.stat(name, dir_fd=self.fd)
            if not stat.S_ISFIFO(found.st_mode):
                raise Fatal(MISTAKE, f"{name} is not a FIFO".encode())
            fd = os.open(name, CONTROL, dir_fd=self.fd)
        except OSError as error:
            raise unable(f"open {name}", error) from error
        try:
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, CONTROL_BYTES)
        except OSError:
            pass  # EBUSY: more than that is waiting in it
        return fd


def take_lock(fd: int, locked: set[tuple[int, int]], program: bytes) -> None:
    """Lock a file for as long as `fd` is open; raises Fatal when it is taken.

    An open file description lock, which nothing else that this process does with
    the file can break (fcntl(2)); kernels before 3.15 get a POSIX lock. Two of
    ours never share one, even where the kernel would let them.
    """
    found = os.fstat(fd)
    key = (found.st_dev, found.st_ino)
    free = key not in locked
    if free:
        try:
            free = lock_whole_file(fd, fcntl.F_OFD_SETLK)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            free = lock_whole_file(fd, fcntl.F_SETLK)
    if not free:
        text = b"another instance of " + program + b" is already running"
        raise Fatal(MISTAKE, text)
    locked.add(key)


def unable(what: str, error: OSError) -> Fatal:
    """Give the failure "unable to WHAT: REASON"."""
    return Fatal(REFUSED, b"unable to " + what.encode(), error)
