"""One announced pipe: whole lines are taken out of it once they have been written.

As a logger does with `-b`, so that the death of this process loses no finished
line: what it had not written is still in the pipe.
"""

import os
import time

from s6log.inputs.source import Source
from s6log.intake import END, LOOK_AGAIN, NOTHING, Intake
from s6log.script.model import BUFFER_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.gather.gathering import Gathering
    from s6log.stream.blocks import Data
    from s6log.stream.forming import Former


class Inlet:
    """The pipe `fd`, owned here, of a service called `name`.

    A line longer than a logger's buffer is cut: memory has an end.
    """

    __slots__ = (
        "_ended",
        "_fd",
        "_former",
        "_gathering",
        "_intake",
        "_most",
        "_name",
        "_source",
    )

    def __init__(
        self, gathering: "Gathering", fd: int, name: bytes, former: "Former"
    ) -> None:
        self._gathering = gathering
        self._fd = fd
        self._name = name
        self._former = former
        self._source = Source(gathering.loop, fd, self._on_input, True, gathering.copy)
        self._intake = Intake(self._source.bytes, BUFFER_BYTES)
        # Each byte may be an empty line, and become a record.
        self._most = min(self._intake.most, BUFFER_BYTES // (1 + former.size))
        self._ended = False

    def pause(self) -> None:
        """Take nothing until `go_on`."""
        self._source.waiting.pause()

    def go_on(self) -> None:
        """Take what there is: all that was taken before has been written."""
        try:
            self._intake.commit()
        except OSError as error:
            # Another reader has taken what was to be left to us.
            self._warn(b"unable to consume what came from ", error)
        if self._ended:
            self._gathering.forget(self)
            self._source.close()
            os.close(self._fd)
            return
        self._source.waiting.resume()
        self._source.waiting.more()

    def _on_input(self, _events: int) -> None:
        try:
            shown = self._intake.take(self._most)
        except OSError as error:
            self._warn(b"unable to read from ", error)
            shown = 0
        if shown == NOTHING:
            self._intake.let_go()
        elif shown:
            self._on_bytes()
        else:
            self._end()

    def _on_bytes(self) -> None:
        data, end = self._intake.block()
        if not end:
            self._on_unfinished()
            return
        self._put(data, end)
        if self._intake.begun:
            self._source.waiting.unfinished(there_is=False)
        self._intake.advance()
        self._gathering.settle(self)

    def _on_unfinished(self) -> None:
        """Wait for the rest of a line; or find that there is none to come."""
        verdict = self._intake.on_unfinished(self._most)
        self._source.waiting.unfinished(there_is=self._intake.begun > 0)
        if verdict == LOOK_AGAIN:
            self._source.waiting.more()
        elif verdict == END:
            self._end()
        else:
            self._intake.let_go()

    def _end(self) -> None:
        """Write an unfinished line with the LF it lacks, and take no more."""
        data, end = self._intake.rest()
        if end:
            self._put(data, end)
        self._ended = True
        self.pause()
        self._gathering.settle(self)

    def _put(self, data: "Data", end: int) -> None:
        """Write a block of lines; the clock is read once for it."""
        self._gathering.put(*self._former.piece(data, end, time.time_ns()))

    def _warn(self, text: bytes, error: OSError) -> None:
        self._gathering.messages.warn(text + self._name, error)
