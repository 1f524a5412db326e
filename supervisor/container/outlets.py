"""Where programs in a container write whose output no logger of their own takes.

By default that is the container's own output, or the catch-all logger. With
S6_CONSOLE tag or json each service has two pipes, held here, which one process
reads and writes there: so it knows who said something, and on which stream.
"""

import os

from s6log.unix.fds import STDERR, STDIN, STDOUT, unread
from s6log.unix.spawn import keep_high
from supervisor.service.host import Streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.container.console import Console

HIGH = 10  # from here on descriptors are kept: below is what children use
OWN_NAME = b"s6-init"
ANYONE_WRITES = 0o622  # for those who open /dev/stdout by name, as other users


class Original:
    """The standard descriptors that the container was started with, kept safe."""

    __slots__ = ("stderr", "stdin", "stdout")

    def __init__(self) -> None:
        self.stdin, self.stdout, self.stderr = (
            keep_high(os.dup(fd), HIGH) for fd in (STDIN, STDOUT, STDERR)
        )

    def restore(self) -> None:
        """Make them our own standard output and error again."""
        os.dup2(self.stdout, STDOUT)
        os.dup2(self.stderr, STDERR)


class Outlets:
    """Gives services their streams; what s6-svscan has OwnOutlets for.

    `original` are the container's; `uncaught` is the reading end of the catch-all
    logger's pipe, or -1; `console` captures what is said, if it is there.
    """

    __slots__ = ("_console", "_original", "_pipe")

    def __init__(
        self, original: Original, pipe: "Pipe | None", console: "Console | None"
    ) -> None:
        self._original = original
        self._pipe = pipe
        self._console = console

    def open(self, service: bytes) -> tuple[int, int]:
        """Give what a service gets as 1 and 2, owned here. OSError."""
        if self._console is None:
            return STDOUT, STDERR
        return self._console.open(service)

    def close(self, service: bytes) -> None:
        """Let go of the streams of a service that is gone."""
        if self._console is not None:
            self._console.close(service)

    def catch_all(self) -> Streams:
        """Give the streams of the catch-all logger."""
        reading = STDIN if self._pipe is None else self._pipe.reading
        return Streams(reading, self._original.stdout, self._original.stderr)

    def take_own(self) -> None:
        """Have our own standard output and error go where they are to. OSError."""
        if self._pipe is not None:
            os.dup2(self._pipe.writing, STDOUT)
            os.dup2(self._pipe.writing, STDERR)
        if self._console is not None:
            out, err = self._console.open(OWN_NAME)
            os.dup2(out, STDOUT)
            os.dup2(err, STDERR)

    def output(self) -> int:
        """Give the descriptor that whoever speaks for all writes to."""
        return self._original.stdout if self._pipe is None else self._pipe.writing

    def end_console(self) -> None:
        """Let the console read to the end, and say nothing more to it ourselves."""
        if self._console is None:
            return
        os.dup2(self.output(), STDOUT)
        os.dup2(self.output() if self._pipe else self._original.stderr, STDERR)
        self._console.end()

    def end(self) -> None:
        """Let the catch-all logger read to the end; speak to the container again."""
        self._original.restore()
        if self._pipe is not None:
            self._pipe.close_writing()

    @property
    def console_over(self) -> bool:
        """Whether nothing is left to be read of what services have said."""
        return self._console is None or self._console.over

    @property
    def unread(self) -> bool:
        """Whether the catch-all logger has not come to the end of its input."""
        pipe = self._pipe
        if pipe is None:
            return False
        return pipe.writing >= 0 or unread(pipe.reading) > 0

    @property
    def console_pid(self) -> int:
        """The process that writes for everybody; 0: there is none."""
        return 0 if self._console is None else self._console.pid


class Pipe:
    """A pipe whose both ends are held here, out of the way of children's numbers."""

    __slots__ = ("reading", "writing")

    def __init__(self) -> None:
        """Make it. OSError."""
        reading, writing = os.pipe2(os.O_CLOEXEC)
        self.reading, self.writing = keep_high(reading, HIGH), keep_high(writing, HIGH)
        os.fchmod(self.writing, ANYONE_WRITES)

    def close_writing(self) -> None:
        """Let the reader come to the end, when nobody else writes."""
        if self.writing >= 0:
            os.close(self.writing)
            self.writing = -1

    def close(self) -> None:
        """Close what is open of it."""
        self.close_writing()
        if self.reading >= 0:
            os.close(self.reading)
            self.reading = -1
