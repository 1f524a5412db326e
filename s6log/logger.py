"""One logger: an input, the lines in it, the outputs they go to.

An object, not a process: it keeps nothing outside itself, and one loop can drive
several. Bytes flow one way: input, block, batch, outputs.
"""

import os
import time

from s6log.inputs.source import Source
from s6log.intake import END, LOOK_AGAIN, NOTHING, OPEN, TOO_LONG, Intake
from s6log.stream.batch import Batch
from s6log.wiring import LEAST_ROOM_BYTES, Outputs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.outputs.context import Context
    from s6log.script.model import Script
    from s6log.script.options import Options
    from s6log.stream.batch import Selecting
    from s6log.stream.blocks import Data
    from s6log.unix.loop import Timer
    from s6log.wiring import Queue

HEAP_BYTES = 1 << 20
NO_FD = -1
LITTLE = 8  # the part of what is read at once that is too little
LINE_TOO_LONG = b"input line too long, stopping before the end"

# Where a logger is in its life: it reads blocks of lines; after TERM or HUP the
# rest of one line; then the outputs write what they have, and log directories are
# made durable. Numbers, because importing enum costs as much as Python's start.
READING, LAST_LINE, DRAINING, FINISHING, DONE = range(5)


class Logger:
    """Everything between descriptor `fd` and the outputs of one script."""

    def __init__(
        self,
        context: "Context",
        options: "Options",
        script: "Script",
        selection: "Selecting | None",
        fd: int = 0,
    ) -> None:
        self._loop = context.loop
        self._messages = context.messages
        self._options = options
        self._backlog = context.backlog
        self._outputs = Outputs(context, script)
        context.changed = self._on_change
        self._batch = Batch(selection, self._outputs.prefixes)
        self._source = Source(self._loop, fd, self._on_input, options.blocking)
        self._intake = intake = Intake(self._source.bytes, options.line_limit)
        self._phase = READING
        self._eager = options.blocking  # for every block to be written
        self._most = max(1, min(intake.most, self._outputs.room(intake.most)))
        self._room = self._most  # to read at once
        self._least = min(LEAST_ROOM_BYTES, max(1, self._most // LITTLE))
        self._held_up: Queue | None = None  # the output that reading waits for
        self._last_line: Timer | None = None

    @property
    def done(self) -> bool:
        """Everything has been written, every directory has been closed in order."""
        return self._phase == DONE

    def begin(self) -> None:
        """Start reading."""
        keep_heap()
        self._outputs.begin()
        self._source.waiting.resume()

    def terminate(self) -> None:
        """Finish the line that has begun, if any, and stop reading (TERM, HUP)."""
        if self._phase == READING:
            if not self._intake.unfinished:
                self._end_of_input()
                return
            if self._intake.full:
                self._messages.warn(LINE_TOO_LONG)
                self._end_of_input()
                return
            self._phase = LAST_LINE
            self._source.waiting.resume()
        if self._phase == LAST_LINE:
            self._limit_last_line()

    def rotate(self) -> None:
        """Rotate every log directory (ALRM)."""
        if self._phase < FINISHING:
            self._outputs.rotate()

    # ---- reading

    def _on_input(self, _events: int) -> None:
        shown = self._take()
        if shown == 0:
            self._end_of_input()
        elif shown != NOTHING and self._phase == LAST_LINE:
            self._on_last_line()
        elif shown != NOTHING:
            self._on_bytes()

    def _take(self) -> int:
        """Get more bytes into the intake; how many, 0 at the end, or NOTHING."""
        most = self._room
        if self._phase == LAST_LINE and not self._source.bytes.rewinds:
            most = 1  # whatever follows the line stays in the input
        try:
            return self._intake.take(most)
        except OSError as error:
            self._messages.warn(b"unable to read from stdin", error)
            return 0

    def _on_bytes(self) -> None:
        data, end = self._intake.block()
        if not end:
            self._on_unfinished()
            return
        self._process(data, end)
        if self._intake.begun:
            self._source.waiting.unfinished(there_is=False)
        self._intake.advance()
        if self._eager or self._backlog.size or self._room != self._most:
            self._settle()

    def _on_unfinished(self) -> None:
        """Wait for the rest of a line; or find that there is none to come."""
        verdict = self._intake.on_unfinished(self._room)
        self._source.waiting.unfinished(there_is=self._intake.begun > 0)
        if verdict == LOOK_AGAIN:
            self._source.waiting.more()
        elif verdict == END:
            self._end_of_input()

    def _process(self, data: "Data", end: int) -> None:
        """Send a block to the outputs; the clock is read once for it."""
        self._batch.begin(data, end, time.time_ns())
        self._outputs.deliver(self._batch)

    # ---- holding back

    def _settle(self) -> None:
        """Decide, after a block or when an output caught up, whether to read on."""
        if self._eager:
            if self._outputs.held_up:
                self._source.waiting.pause()
                return
            self._commit()
            self._source.waiting.resume()
            self._source.waiting.more()
        else:
            self._hold_back()

    def _commit(self) -> None:
        try:
            self._intake.commit()
        except OSError as error:
            # Another reader has taken what was to be left to us.
            self._messages.warn(b"unable to consume input", error)

    def _hold_back(self) -> None:
        """Read no more than every output has room for; stop when that is little."""
        room = self._most
        if self._outputs.held_up:
            unfinished = self._intake.unfinished
            room = min(room, self._outputs.room(room + unfinished) - unfinished)
        if self._held_up is None and room < self._least:
            self._held_up = queue = self._outputs.fullest()
            self._source.waiting.pause()
            waiting = b"%d bytes wait for %b" % (queue.outbox.size, queue.name)
            text = b"reading stopped: " + waiting + b", " + queue.excuse
            self._messages.warn(text)
        elif self._held_up is not None and room > self._most // 2:
            text = b"reading goes on: " + self._held_up.name + b" has caught up"
            self._messages.warn(text)
            self._held_up = None
            self._source.waiting.resume()
        self._room = max(1, room)

    def _on_change(self) -> None:
        """Go on where an output was waited for."""
        if self._phase in (READING, LAST_LINE):
            self._settle()
        elif self._phase == DRAINING:
            self._drain()
        else:
            self._end_if_closed()

    # ---- ending

    def _limit_last_line(self) -> None:
        """Set, or set anew, the time that the rest of the line may take."""
        if self._last_line is not None:
            self._last_line.cancel()
        timeout_ms = self._options.last_line_timeout_ms
        if timeout_ms is not None:
            self._last_line = self._loop.after(timeout_ms, self._on_timeout)

    def _on_last_line(self) -> None:
        """End with the line that has begun, if it has ended."""
        found = self._intake.last_line()
        if found == OPEN:
            self._on_unfinished()
            return
        if found == TOO_LONG:
            self._messages.warn(LINE_TOO_LONG)
        self._end_of_input()

    def _on_timeout(self) -> None:
        """Log what there is of the last line."""
        if self._phase != LAST_LINE:
            return
        shown = self._take() if self._source.bytes.rewinds else 0
        if shown > 0 and self._intake.last_line() == OPEN:
            self._intake.keep_shown()
        self._end_of_input()

    def _end_of_input(self) -> None:
        """Log an unfinished line with the LF it lacks, and read no more."""
        data, end = self._intake.rest()
        if end:
            self._process(data, end)
        self._phase = DRAINING
        self._outputs.end(self._options.last_line_timeout_ms)
        if self._eager:
            self._source.waiting.pause()  # closed when all is committed
        else:
            self._source.close()
        self._drain()

    def _drain(self) -> None:
        """Close everything, in order, once nothing is left to write."""
        if self._outputs.busy:
            return
        if self._eager:
            # What was given up, and may not be lost, stays in the input.
            if not self._outputs.gave_up:
                self._commit()
            self._source.close()
        self._phase = FINISHING
        self._outputs.finish(self._options.last_line_timeout_ms)
        self._end_if_closed()

    def _end_if_closed(self) -> None:
        if self._phase != FINISHING:
            return
        if self._outputs.closed:
            self._outputs.close()
            self._phase = DONE
        else:
            self._outputs.wind_up(self._options.last_line_timeout_ms)


def keep_heap() -> None:
    """Make glibc keep the memory that each block needs and gives back.

    By itself it returns pieces of this size to the system at once and faults
    them in again, page by page: a third of the time that stamps take. Freeing
    one large piece raises its limits (mallopt(3), M_MMAP_THRESHOLD: dynamic).
    The piece must not be touched, or it costs memory where the limits are raised
    already. bytes and bytearray fill theirs with zeros; a read that fails does not.
    """
    try:
        os.read(NO_FD, HEAP_BYTES)
    except OSError:
        pass  # EBADF, as it should be: the piece has come and gone
