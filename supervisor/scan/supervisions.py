"""The supervised services behind a tree's sides, and the pipes between them."""

import errno
import os

from s6log.unix.fds import STDIN
from s6log.unix.messages import Fatal, reason
from s6log.unix.spawn import DIRECTORY
from supervisor.adoption.ledger import recorded
from supervisor.adoption.safe import pipe_key
from supervisor.scan import limits, pipes
from supervisor.scan.pipes import FULL_BYTES, LogPipe
from supervisor.service import events
from supervisor.service.host import Streams
from supervisor.service.service import Service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from supervisor.scan.entries import Entry, Side
    from supervisor.service.host import Host

    OnEnd = Callable[[Side, bool], None]

    class Outlets(Protocol):
        """Where programs write whose output no logger of their own takes."""

        def open(self, _service: bytes, /) -> tuple[int, int]:
            """Give what a service gets as 1 and 2. OSError."""

        def close(self, service: bytes, /) -> None:
            """Take notice that a service is gone."""

        @property
        def unread(self) -> bool:
            """Whether the catch-all logger has more to read."""

        def catch_all(self) -> Streams:
            """Give the streams of the logger that logs everybody else."""


SHORT_OF_FILES = (errno.EMFILE, errno.ENFILE)
SHORT_OF = (*SHORT_OF_FILES, errno.ENOMEM, errno.EAGAIN)


class Replaced(Exception):
    """Another directory has the side's name now."""


class Shortage(Exception):
    """The system is short of something, which is not the side's fault."""

    def __init__(self, reason: bytes) -> None:
        super().__init__(reason)
        self.reason = reason


class Supervision:
    """One side that is supervised, and the descriptors its programs get."""

    __slots__ = ("_on_end", "service", "side", "streams")

    def __init__(
        self, host: "Host", side: "Side", streams: Streams, on_end: "OnEnd"
    ) -> None:
        self.side = side
        self.streams = streams
        self._on_end = on_end
        directory = os.open(side.name, DIRECTORY)
        found = os.fstat(directory)
        if (found.st_dev, found.st_ino) != side.identity:
            os.close(directory)
            raise Replaced
        self.service = Service(host, side.name, directory, streams, self._ended)

    def _ended(self, service: Service) -> None:
        self._on_end(self.side, service.want_up)


class Supervisions:
    """Begins, ends and connects services; knows by side which there are.

    `on_end(side, lines left)` is called at the end of each.
    """

    __slots__ = ("_host", "_on_end", "_outlets", "_pipes", "_running", "short")

    def __init__(self, host: "Host", outlets: "Outlets", on_end: "OnEnd") -> None:
        self._host = host
        self._outlets = outlets
        self._on_end = on_end
        self._running: dict[Side, Supervision] = {}
        self._pipes: dict[Entry, LogPipe] = {}
        self.short: list[Entry] = []  # those whose pipe holds less than it should

    def service(self, side: "Side") -> Service | None:
        """Give what is supervised on a side, if it is."""
        supervision = self._running.get(side)
        return None if supervision is None else supervision.service

    def begin(self, side: "Side") -> bytes | None:
        """Supervise a side from now on; give the reason where that is impossible.

        Raises Replaced or Shortage.
        """
        try:
            limits.check_room()
            self._begin(side)
        except Fatal as failure:
            if failure.error is None:
                return failure.text
            return failure.text + b": " + _why(failure.error)
        except OSError as error:
            return _why(error)
        return None

    def _begin(self, side: "Side") -> None:
        streams = self._streams(side)
        supervision = Supervision(self._host, side, streams, self._ended)
        supervision.service.begin()
        self._running[side] = supervision

    def terminate(self, side: "Side") -> None:
        """End a side as soon as its process ends, which is told to."""
        self._send(side, events.TERM)

    def drain(self, side: "Side") -> None:
        """End a side when its process ends; start it once more if that is needed."""
        supervision = self._running.get(side)
        if supervision is not None:
            left = self._left(side, supervision.service.want_up)
            supervision.service.send(events.DRAIN if left else events.HUP)

    def disown(self) -> None:
        """Go on as a forked child of the supervisor that started the services."""
        for supervision in self._running.values():
            supervision.service.disown()

    def make_pipe(self, service: "Side") -> None:
        """Make the pipe between a service and its new logger.

        Not being able to is told when one of them is begun.
        """
        try:
            self._pipe(service.entry)
        except OSError:
            return
        self.replug(service)

    def replug(self, service: "Side") -> None:
        """Let a service's output go where it should, from its next start on."""
        supervision = self._running.get(service)
        if supervision is None or supervision.service.let_go:
            return
        try:
            supervision.streams.stdout = self._stdout(service.entry)
        except OSError as error:
            self._host.warn(service.name, b"unable to connect its output", error)

    def close_writing(self, service: "Side") -> None:
        """Let the logger of a service read to the end."""
        pipe = self._pipes.get(service.entry)
        if pipe is not None:
            pipe.close_writing()
            self._forget(service.entry, pipe)

    def close_reading(self, service: "Side") -> None:
        """Give up on what is left in the pipe of a service."""
        pipe = self._pipes.get(service.entry)
        if pipe is not None:
            lost = pipe.waiting()
            if lost:
                text = b"%d bytes were lost: its logger has ended"
                self._host.warn(service.name, text % lost)
            pipe.close_reading()
            self._forget(service.entry, pipe)

    # ----

    def _ended(self, side: "Side", want_up: bool) -> None:
        del self._running[side]
        if side.entry.is_catch_all:
            left = want_up and self._outlets.unread
        else:
            left = self._left(side, want_up)
        self._on_end(side, left)

    def forget(self, service: "Side") -> None:
        """Take back what a service and its logger were given to write to."""
        self._outlets.close(service.name)

    def _left(self, side: "Side", want_up: bool) -> bool:
        """Tell whether a logger that ended now would leave lines behind."""
        if not want_up:
            return False
        if not side.is_log:
            return True  # the catch-all logger, whose services are all the others
        entry = side.entry
        pipe = self._pipes.get(entry)
        if pipe is not None and pipe.waiting():
            return True
        return entry.writing and entry.service in self._running

    def _send(self, side: "Side", event: str) -> None:
        supervision = self._running.get(side)
        if supervision is not None:
            supervision.service.send(event)

    def _streams(self, side: "Side") -> Streams:
        """Choose what a side's programs get. OSError when there is no pipe left."""
        if side.is_log:
            # What a logger passes on is its service's.
            outlets = self._outlets.open(side.entry.name)
            return Streams(self._pipe(side.entry).reading, *outlets)
        if side.entry.is_catch_all:
            return self._outlets.catch_all()
        if side.entry.writing:
            self._pipe(side.entry)
        _, stderr = self._outlets.open(side.name)
        return Streams(STDIN, self._stdout(side.entry), stderr)

    def _stdout(self, entry: "Entry") -> int:
        """Choose where a service's output goes. OSError."""
        logger, pipe = entry.logger, self._pipes.get(entry)
        plugged = entry.writing and logger is not None and logger.kept
        if plugged and pipe is not None:
            return pipe.writing
        return self._outlets.open(entry.name)[0]

    def _pipe(self, entry: "Entry") -> LogPipe:
        """Give the pipe of an entry, made now if need be. OSError."""
        pipe = self._pipes.get(entry)
        if pipe is None:
            key = pipe_key(entry.service.identity)
            ends = self._inherited(entry, key) or pipes.make()
            pipe = self._pipes[entry] = LogPipe(self._host.safe, key, ends)
            if pipe.size() < FULL_BYTES:
                self.short.append(entry)
        return pipe

    def _inherited(self, entry: "Entry", key: bytes) -> tuple[int, int] | None:
        """Take back the pipe that a dead supervisor made, with what is in it."""
        kept = self._host.safe.take(key)
        if kept:
            return pipes.ends_of(kept)
        if self._host.place is None:
            return None
        service = recorded(entry.service.name, self._host.place)
        logger = None
        if entry.logger is not None:
            logger = recorded(entry.logger.name, self._host.place)
        try:
            return pipes.recover(service, logger)
        except OSError as error:
            text = b"unable to take back the pipe between it and its logger"
            self._host.warn(entry.name, text, error)
            return None

    def _forget(self, entry: "Entry", pipe: LogPipe) -> None:
        if pipe.closed:
            del self._pipes[entry]


def _why(error: OSError) -> bytes:
    """Give the system's reason. Raises Shortage, with what to do about it."""
    if error.errno in SHORT_OF_FILES:
        limit = b" (limit %d, see ulimit -Hn)" % limits.current_limit()
        raise Shortage(reason(error) + limit)
    if error.errno in SHORT_OF:
        raise Shortage(reason(error))
    return reason(error)
