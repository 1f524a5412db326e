"""The watcher of --watch as a child: started, and started again when it dies."""

import os

from s6log.unix.messages import MISTAKE
from supervisor.scan.watch import command
from supervisor.service.host import Streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.service.host import Host

RESTART_MS = 1000
CLOSED = -1
HERE = b"."


class Watching:
    """Keeps one watcher of the scan directory, until `end`.

    The watcher ends when its standard input does: a pipe that is only held here,
    so that it cannot outlive us either.
    """

    __slots__ = ("_directory", "_ended", "_host", "_life")

    def __init__(self, host: "Host", directory: int) -> None:
        self._host = host
        self._directory = directory
        self._life = CLOSED
        self._ended = False

    def start(self) -> None:
        """Start a watcher, later if it cannot be started now."""
        if self._ended:
            return
        try:
            self._spawn()
        except OSError as error:
            self._host.messages.warn(b"unable to spawn a watcher", error)
            self._start_later()

    def end(self) -> None:
        """Let the watcher end, and start no other."""
        self._ended = True
        self._let_go()

    def _spawn(self) -> None:
        reading, self._life = os.pipe2(os.O_CLOEXEC)
        try:
            host = self._host
            pid = host.spawner.start(
                command(HERE), self._directory, Streams(reading), host.environment
            )
        finally:
            os.close(reading)
        host.loop.on_exit(pid, self._on_exit)

    def _on_exit(self, wait_status: int) -> None:
        if wait_status == MISTAKE << 8:  # wait(2): the exit code
            # Such as a package that is missing: that will not change by itself.
            self._host.messages.warn(b"the scan directory is not watched")
            self.end()
        else:
            self._start_later()

    def _start_later(self) -> None:
        self._let_go()
        if not self._ended:
            self._host.loop.after(RESTART_MS, self.start)

    def _let_go(self) -> None:
        if self._life != CLOSED:
            os.close(self._life)
            self._life = CLOSED
