"""Where programs write whose output no logger of their own takes."""

from s6log.unix.fds import STDERR, STDIN, STDOUT
from supervisor.service.host import Streams


class OwnOutlets:
    """The supervisor's own standard output and error, for all of them.

    `console` is what the catch-all logger has as its standard error; it cannot log
    its own troubles. None: that of the supervisor.
    """

    __slots__ = ("_console",)

    def __init__(self, console: int | None) -> None:
        self._console = STDERR if console is None else console

    def open(self, _service: bytes) -> tuple[int, int]:
        """Give what a service gets as 1 and 2, owned here. OSError."""
        return STDOUT, STDERR

    def close(self, service: bytes) -> None:
        """Take notice that a service is gone."""

    @property
    def unread(self) -> bool:
        """Whether the catch-all logger has more to read: of a FIFO we do not know."""
        return False

    def catch_all(self) -> Streams:
        """Give the streams of the logger that logs everybody else."""
        return Streams(STDIN, STDOUT, self._console)
