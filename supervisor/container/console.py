"""The process that writes for services without a logger, seen from s6-init.

It gets the reading ends of their pipes through a socket. Copies of them stay here:
if it dies another takes over, and what is in the pipes is still there.
"""

import _socket
import select

from s6log.unix.fds import rights, unread
from supervisor.container.outlets import Pipe
from supervisor.service import companion
from supervisor.service.host import Streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.unix.loop import Timer
    from s6log.unix.messages import Messages
    from supervisor.service.host import Host

PROGRAM = b"s6-init-console"
STREAMS = (b"1", b"2")
PAUSE_MS = 1000  # before another one is started


class Console:
    """Captures what services say in pairs of pipes, by their names.

    `mode` is tag or json; `stdout` and `stderr` are what the process writes to.
    """

    __slots__ = (
        "_channel",
        "_ending",
        "_host",
        "_messages",
        "_mode",
        "_pairs",
        "_pause",
        "_streams",
        "_unsent",
        "pid",
    )

    def __init__(self, host: "Host", mode: bytes, stdout: int, stderr: int) -> None:
        self._host = host
        self._messages: Messages = host.messages
        self._mode = mode
        self._streams = Streams(host.null, stdout, stderr)
        self._pairs: dict[bytes, tuple[Pipe, Pipe]] = {}
        self._channel: _socket.socket | None = None
        self._unsent: list[tuple[bytes, int]] = []
        self._ending = False
        self._pause: Timer | None = None  # before another process is started
        self.pid = 0

    @property
    def over(self) -> bool:
        """Whether all has been read that was said until `end`."""
        return self._ending and not (self.pid or self._pause or self._unread())

    def begin(self) -> None:
        """Start the process, and tell it of all pipes there are."""
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        try:
            ours = self._start()
        except OSError as error:
            self._messages.warn(b"unable to start " + PROGRAM, error)
            self._pause = self._host.loop.after(PAUSE_MS, self.begin)
            return
        ours.setblocking(False)
        self._channel = ours
        self._unsent = [
            (stream + name, pipe.reading)
            for name, pair in self._pairs.items()
            for stream, pipe in zip(STREAMS, pair, strict=True)
        ]
        self._send()

    def _start(self) -> "_socket.socket":
        host = self._host
        words = (PROGRAM, self._mode)
        self.pid, ours = companion.start(
            host.spawner, words, self._streams, host.environment
        )
        host.loop.on_exit(self.pid, self._on_exit)
        return ours

    def _on_exit(self, _wait_status: int) -> None:
        self.pid = 0
        self._hang_up()
        if self._ending and not self._unread():
            self._host.on_change()
            return
        self._messages.warn(PROGRAM + b" has died; another takes over")
        pause_ms = 0 if self._ending else PAUSE_MS
        self._pause = self._host.loop.after(pause_ms, self.begin)

    def _unread(self) -> bool:
        """Tell whether something in the pipes would be lost."""
        pipes = (pipe for pair in self._pairs.values() for pipe in pair)
        return any(unread(pipe.reading) for pipe in pipes)

    # ---- pipes

    def open(self, name: bytes) -> tuple[int, int]:
        """Give the writing ends for a service's 1 and 2, owned here. OSError."""
        pair = self._pairs.get(name)
        if pair is None:
            out = Pipe()
            try:
                err = Pipe()
            except OSError:
                out.close()
                raise
            pair = self._pairs[name] = out, err
            if self._channel is not None:
                self._unsent += [(b"1" + name, out.reading), (b"2" + name, err.reading)]
                self._send()
        return pair[0].writing, pair[1].writing

    def close(self, name: bytes) -> None:
        """Let go of the pipes of a service, which are read to their end."""
        for pipe in self._pairs.pop(name, ()):
            self._unsent = [
                (text, fd) for text, fd in self._unsent if fd != pipe.reading
            ]
            pipe.close()

    def end(self) -> None:
        """Let the process come to its end; one that waits to begin does so now."""
        self._ending = True
        if self._pause is not None:
            self.begin()
        for pair in self._pairs.values():
            for pipe in pair:
                pipe.close_writing()
        if not self._unsent:
            self._hang_up()

    # ---- the channel

    def _send(self) -> None:
        """Tell of pipes, as many as the socket takes."""
        channel = self._channel
        while channel is not None and self._unsent:
            text, fd = self._unsent[0]
            ancillary = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights(fd))]
            try:
                channel.sendmsg([text], ancillary)
            except BlockingIOError:
                events = select.POLLOUT
                self._host.loop.watch(channel.fileno(), events, self._on_room)
                return
            except OSError:
                return  # it has died: the next one hears of all
            del self._unsent[0]
        if channel is not None:
            self._host.loop.unwatch(channel.fileno())
        if self._ending:
            self._hang_up()

    def _on_room(self, _events: int) -> None:
        self._send()

    def _hang_up(self) -> None:
        if self._channel is not None:
            self._host.loop.unwatch(self._channel.fileno())
            self._channel.close()
            self._channel = None
