"""From what a source shows to blocks of whole lines; what has to be given back.

Two kinds of sources differ in where an unfinished line is meanwhile. One that
consumes has handed it over: it is carried at the beginning of the buffer. One
that rewinds shows it again at the next take, and keeps it until it is committed;
only when it has no room for the rest is its beginning carried, too.
"""

from s6log.stream.blocks import cut, translate_nuls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.inputs.source import Taking
    from s6log.stream.blocks import Data

READ_BYTES = 128 << 10
ROOMY_BYTES = 1 << 20  # line limits up to here get their room at once
LF = 0x0A

NOTHING = -1  # to take now
WAIT, LOOK_AGAIN, END = range(3)  # what to do about an unfinished line
OPEN, FINISHED, TOO_LONG = range(3)  # what the last line is


class Intake:
    """The buffer between a source and the outputs, and its accounts.

    buffer = carried | shown; `limit` is the longest line, 0 for any.
    """

    __slots__ = (
        "_buffer",
        "_bytes",
        "_carried",
        "_filled",
        "_least",
        "_limit",
        "_over",
        "_owed",
        "_used",
        "_view",
        "begun",
        "most",
    )

    def __init__(self, source: "Taking", limit: int) -> None:
        self._bytes = source
        self._limit = limit
        self.most = max(READ_BYTES, source.window_bytes)  # to take at once
        self._least = self.most + (limit if limit <= ROOMY_BYTES else 0)
        # Made when it is needed: many loggers never get a line.
        self._buffer = bytearray()
        self._view = memoryview(self._buffer)
        self._carried = 0
        self._filled = 0
        self._used = 0  # of the buffer, by the block given out last
        self._owed = 0  # bytes of the source whose lines were given out
        self._over = False  # nobody was left to write when we looked last
        self.begun = 0  # bytes of an unfinished line last seen in the source

    @property
    def unfinished(self) -> int:
        """Bytes of the line that has begun and not ended, as far as is known."""
        return self._carried + self.begun

    @property
    def full(self) -> bool:
        """The line that is carried has reached the limit: not one byte more."""
        return 0 < self._limit <= self._carried

    def take(self, most: int) -> int:
        """Let the source show up to `most` bytes; return how many, 0 at its end.

        NOTHING when there are none now; OSError as it comes.
        """
        start = self._carried
        if not self._buffer:
            self._resize(self._least, 0)
        try:
            shown = self._bytes.take(self._view[start : start + most])
        except BlockingIOError:
            return NOTHING
        self._filled = start + shown
        return shown

    def block(self) -> tuple["Data", int]:
        """Give the whole lines as (data, end); valid until `advance`."""
        data, end, self._used = cut(
            self._buffer, self._carried, self._filled, self._limit
        )
        return data, end

    def advance(self) -> None:
        """Go on behind the block, which has been passed on."""
        if self._bytes.rewinds:
            self._owed += self._used - self._carried
            self._carried = 0
        else:
            self._carried = rest = self._filled - self._used
            if rest:
                self._buffer[:rest] = self._buffer[self._used : self._filled]
        self.begun = 0
        if len(self._buffer) > self._least:
            self._fit()

    def commit(self) -> None:
        """Tell the source that every line given out has been written."""
        if self._owed:
            owed, self._owed = self._owed, 0
            self._bytes.commit(owed)

    def on_unfinished(self, most: int) -> int:
        """Decide about a line without an end, after a take of up to `most` bytes."""
        source = self._bytes
        shown = self._filled - self._carried
        if not source.rewinds:
            self._carried = self._filled
            self._fit()
            return WAIT
        if shown >= most or source.crowded():
            source.commit(shown)
            self._carried = self._filled
            self.begun = 0
            self._fit()
            return LOOK_AGAIN
        if not source.ended():
            self._over = False
            self.begun = shown
            return WAIT
        if not self._over:
            # The last writer may have written between our look and its leaving.
            self._over = True
            self.begun = shown
            return LOOK_AGAIN
        self.keep_shown()
        return END

    def last_line(self) -> int:
        """Look for the end of the first line shown, and carry just that line.

        It ends at its separator or at the limit, and whatever follows stays
        where it is. OPEN, with nothing changed, when it does not end.
        """
        carried, filled = self._carried, self._filled
        translate_nuls(self._buffer, carried, filled)
        stop = self._buffer.find(b"\n", carried, filled)
        if stop >= 0 and (stop <= self._limit or not self._limit):
            length, ended, found = stop, stop + 1, FINISHED
        elif self._limit and filled >= self._limit:
            length = ended = self._limit
            found = TOO_LONG
        else:
            return OPEN
        if self._bytes.rewinds:
            self._owed += max(0, ended - carried)
        self._carried = length
        self.begun = 0
        return found

    def keep_shown(self) -> None:
        """Carry what was shown: an unfinished line, and all there will be."""
        if self._bytes.rewinds:
            self._owed += self._filled - self._carried
        self._carried = self._filled
        self.begun = 0

    def rest(self) -> tuple["Data", int]:
        """Give the unfinished line that is carried, with an LF; (b"", 0) for none."""
        length, self._carried = self._carried, 0
        if not length:
            return b"", 0
        if length == len(self._buffer):
            self._resize(length + 1, length)
        self._buffer[length] = LF
        return self._buffer, length + 1

    def let_go(self) -> None:
        """Do without the buffer until the next take, if nothing is carried in it.

        For those who have many inputs, of which most are idle.
        """
        if self._buffer and not self._carried:
            self._resize(0, 0)

    def _fit(self) -> None:
        """Fit the buffer to the unfinished line: larger, or back to its size."""
        needed = self._carried + self.most
        if needed > len(self._buffer):
            self._resize(max(2 * len(self._buffer), needed), self._carried)
        elif needed <= self._least < len(self._buffer):
            self._resize(self._least, self._carried)

    def _resize(self, size: int, keep: int) -> None:
        buffer = bytearray(size)
        buffer[:keep] = self._view[:keep]
        self._buffer = buffer
        self._view = memoryview(buffer)
