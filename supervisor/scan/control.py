"""The directory .s6-svscan: one supervisor at a time, and orders through a FIFO."""

import os
import select
import time

from s6log.unix.messages import Fatal
from s6log.unix.spawn import DIRECTORY
from supervisor.service.directory import Directory, take_lock, unable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from s6log.unix.loop import Loop

NAME = ".s6-svscan"
MODE = 0o700
LOCK = f"{NAME}/lock"
LOCK_MODE = 0o600
LOCK_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
CONTROL = f"{NAME}/control"
# What a dead supervisor has just forked holds its lock until it has closed or
# executed something.
LOCK_PATIENCE_S = 0.5
LOCK_PAUSE_S = 0.01
LETTERS_AT_ONCE = 4096  # the rest waits for the next turn, so that all get theirs


class Control:
    """Listens to orders for the working directory, until the process ends."""

    __slots__ = ("_heard", "_lock", "fd")

    def __init__(self, heard: "Callable[[bytes], None]") -> None:
        """Make and take .s6-svscan. Raises Fatal, also when another has it."""
        self._heard = heard
        here = Directory(os.open(".", DIRECTORY))
        umask = os.umask(0)
        try:
            here.make(NAME, MODE)
            self._lock = _lock()
            try:
                self.fd = here.open_control(CONTROL)
            except Fatal:
                os.close(self._lock)
                raise
        finally:
            os.umask(umask)
            os.close(here.fd)

    def listen(self, loop: "Loop") -> None:
        """Call `heard` with the letters that arrive."""
        loop.watch(self.fd, select.POLLIN, self._read)

    def stop(self, loop: "Loop") -> None:
        """Let another supervisor have the directory."""
        loop.unwatch(self.fd)
        os.close(self.fd)
        os.close(self._lock)

    def _read(self, _events: int) -> None:
        try:
            letters = os.read(self.fd, LETTERS_AT_ONCE)
        except BlockingIOError:
            return
        self._heard(letters)


def _lock() -> int:
    """Give the descriptor that holds the lock: for as long as it is open."""
    try:
        fd = os.open(LOCK, LOCK_FLAGS, LOCK_MODE)
    except OSError as error:
        raise unable(f"open {LOCK}", error) from error
    try:
        _take(fd)
    except OSError as error:
        os.close(fd)
        raise unable(f"lock {LOCK}", error) from error
    except Fatal as failure:
        os.close(fd)
        text = failure.text + b" on the same directory"
        raise Fatal(failure.code, text) from failure
    return fd


def _take(fd: int) -> None:
    deadline = time.monotonic() + LOCK_PATIENCE_S
    while True:
        try:
            take_lock(fd, set(), b"s6-svscan")
        except Fatal:
            if time.monotonic() >= deadline:
                raise
        else:
            return
        time.sleep(LOCK_PAUSE_S)
