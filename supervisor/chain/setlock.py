"""s6-setlock: become a program that holds a lock.

The lock is one of fcntl(2), so it belongs to this process and outlives exec; the
descriptor it was taken on stays open in the program, on purpose: POSIX locks go
as soon as the process closes any descriptor of the file.
"""

import errno
import fcntl
import os

from s6log.unix.getopt import UINT32_MAX, decimal, scan
from s6log.unix.messages import DONE, REFUSED, Fatal
from s6log.unix.signals import signal
from supervisor.chain.execute import execute
from supervisor.manual import Manual, Misuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

LOCKED = 1  # the exit code when somebody else has the lock
FD_MAX = 2**31 - 1
MS_PER_SECOND = 1000
REPEAT_S = 0.05

# A lock file may turn out to be a FIFO, which must not block us.
READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
CREATE = os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
MODE = 0o666

MANUAL = Manual(
    "s6-setlock",
    "[ -r | -w ] [ -n | -N ] [ -t timeout ] [ -d fd ] lockfile prog...",
    (
        ("-r", "a shared lock"),
        ("-w", "an exclusive lock (the default)"),
        ("-n", "exit 1 at once when somebody else has it"),
        ("-N", "wait for it (the default)"),
        ("-t ms", "give up after that time, exit 1 (0: never)"),
        ("-d fd", "the descriptor that prog gets (default: the lowest free one)"),
    ),
    "Lock a file, which is created when missing, and become prog... with the lock.",
)


class Wish:
    """What the command line asks for; `target` is None for any descriptor."""

    __slots__ = ("file", "program", "shared", "target", "timeout_ms", "wait")

    def __init__(self, arguments: list[bytes]) -> None:
        pairs, words = scan(arguments, b"rwnN", b"td")
        self.shared = False
        self.wait = True
        self.timeout_ms = 0
        self.target: int | None = None
        for letter, value in pairs:
            self._take(letter, value)
        if not words[1:]:
            raise Misuse
        self.file, *self.program = words

    def _take(self, letter: bytes, value: bytes) -> None:
        if letter in b"rw":
            self.shared = letter == b"r"
        elif letter in b"nN":
            self.wait = letter == b"N"
        elif letter == b"t":
            self.timeout_ms = number(value, UINT32_MAX)
        elif letter == b"d":
            self.target = number(value, FD_MAX)
        else:
            raise Misuse


def number(text: bytes, limit: int) -> int:
    """Read an option's number."""
    value = decimal(text, limit)
    if value is None:
        raise Misuse
    return value


def main(arguments: list[bytes]) -> int:
    """Run the program; the exit code if it does not become another."""
    if MANUAL.answered(arguments):
        return DONE
    try:
        wish = Wish(arguments)
    except Misuse:
        return MANUAL.usage()
    fd = open_shared(wish.file) if wish.shared else open_exclusive(wish.file)
    # Before the lock is taken: closing the old number would release it.
    fd = place(fd, wish.target)
    take(fd, wish)
    return execute(wish.program)


def open_exclusive(file: bytes) -> int:
    """Open a lock file, made when missing, as a write lock needs it."""
    try:
        return os.open(file, CREATE, MODE)
    except OSError as error:
        text = b"unable to open " + file + b" for writing"
        raise Fatal(REFUSED, text, error) from error


def open_shared(file: bytes) -> int:
    """Open a lock file, made when missing, as a read lock needs it."""
    try:
        try:
            return os.open(file, READ)
        except FileNotFoundError:
            create(file)
            return os.open(file, READ)
    except OSError as error:
        text = b"unable to open " + file + b" for reading"
        raise Fatal(REFUSED, text, error) from error


def create(file: bytes) -> None:
    """Make an empty lock file."""
    try:
        os.close(os.open(file, CREATE, MODE))
    except OSError as error:
        raise Fatal(REFUSED, b"unable to create " + file, error) from error


def place(fd: int, target: int | None) -> int:
    """Give the descriptor the number that the program expects, and let it pass."""
    if target is None or target == fd:
        os.set_inheritable(fd, True)
        return fd
    try:
        os.dup2(fd, target)
    except OSError as error:
        raise Fatal(REFUSED, b"unable to move lock descriptor", error) from error
    os.close(fd)
    return target


def take(fd: int, wish: Wish) -> None:
    """Lock the file, for as long as this process lives."""
    kind = fcntl.LOCK_SH if wish.shared else fcntl.LOCK_EX
    try:
        if not wish.wait:
            fcntl.lockf(fd, kind | fcntl.LOCK_NB)
        elif wish.timeout_ms:
            lock_in_time(fd, kind, wish)
        else:
            fcntl.lockf(fd, kind)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            error.errno = errno.EBUSY  # what people are told, as in s6
        raise Fatal(LOCKED, b"unable to lock " + wish.file, error) from error


def lock_in_time(fd: int, kind: int, wish: Wish) -> None:
    """Wait for the lock until a timer interrupts the system call.

    No helper process, since the lock must be this process's. The timer goes on
    ringing: a signal that comes just before the call would not interrupt it.
    """

    def ring(*_: object) -> "NoReturn":
        raise Fatal(LOCKED, b"lock " + wish.file + b": timed out")

    before = signal.signal(signal.SIGALRM, ring)
    timeout_s = wish.timeout_ms / MS_PER_SECOND
    signal.setitimer(signal.ITIMER_REAL, timeout_s, REPEAT_S)
    fcntl.lockf(fd, kind)
    signal.setitimer(signal.ITIMER_REAL, 0)  # it would ring in the program, too
    signal.signal(signal.SIGALRM, before)
