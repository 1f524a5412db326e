"""From lines to events: the lines of one stack trace become one. Pure.

An event is a line whose inner line breaks are NULs, which no line can hold.
What may go on waits inside, in memory, until more input or a deadline of the
caller settles it.

Each search in a block begins with an LF, as a pattern of that sort is looked
for with memchr(3): over 92-byte lines it takes 30 to 60 µs for 128 KiB, where
`bytes.find` takes 20 to 100 µs for each of the literals it would replace. The
kernel needs 9 µs to say that no line begins with any of their bytes.
"""

from bisect import bisect_left
from itertools import accumulate

from s6log.stream.traces import KINDS, TAIL, Lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from s6log.stream.batch import Selecting
    from s6log.stream.blocks import Data
    from s6log.stream.traces import Firsts, Traces

    class Joiner(Protocol):
        """Turns blocks of lines into events."""

        joined: int
        """How many lines were given out as part of an event, behind its first."""

        @property
        def held(self) -> int:
            """Give the bytes that wait; 0 when nothing does."""

        def feed(self, data: Data, end: int, /) -> tuple[bytes, Data, int]:
            """Take data[:end]: whole lines with their LFs, no NUL; not empty.

            Returns (old, new, new_end). `old` is the event that waited and now
            is complete, LF included, or nothing; new[:new_end] are the complete
            ones behind it, and may be empty. Where nothing was joined `new` is
            `data`. What waits is a copy: the buffer can be used again.
            """

        def pause(self) -> bytes:
            """Give what waits as complete events (or nothing), each with its LF.

            What goes on with it yet is another event.
            """

        def flush(self) -> bytes:
            """Give what waits as complete events: nothing will go on with it."""

    class Kernel(Protocol):
        """The C module `_lines`; its stub says what the function does."""

        begins: Callable[[Data, int, int, bytes], int]

    class Marking(Protocol):
        """Finds the lines of a block that go on with the event before them."""

        def mark(self, data: Data, end: int, /) -> tuple[bool, Data, int]:
            """Give whether the first line goes on, and (text, its end) of the block.

            In the text there is a NUL for the LF before each other such line.
            """


LINES_MOST = 1000
BYTES_MOST = 256 << 10
"""An event that has so many lines or bytes is complete; what follows is another."""

ANY = 1  # in place of a second byte: no line of text has that


def joiner(
    kind: bytes,
    starts: "Selecting | None" = None,
    kernel: "Kernel | None" = None,
) -> "Joiner":
    """Make a joiner of a kind from the table; of any name if `starts` is given.

    `starts` has masks that are not 0 for lines that begin an event. `kernel` is the
    module `_lines`, or None.
    """
    if starts is not None:
        return Continuing(Selected(starts))
    found = KINDS[kind]
    scout = Scout(found.firsts, kernel)
    if isinstance(found, Lines):
        return Continuing(Matched(found.goes_on, scout))
    return Tracing(found, scout)


class Scout:
    """Finds where a search for lines that have certain beginnings should begin.

    Without the kernel that is where it is asked for: the search itself has to look.
    """

    __slots__ = ("_firsts", "_kernel")

    def __init__(self, firsts: "Firsts", kernel: "Kernel | None") -> None:
        seconds = {first[0]: first[1] if first[1:] else ANY for first in firsts}
        self._firsts = bytes(seconds.get(byte, 0) for byte in range(256))
        self._kernel = kernel

    def before(self, text: "Data", start: int, end: int) -> int:
        """Give a place in text[start:end] before the first such line, or -1."""
        if self._kernel is None:
            return start
        found = self._kernel.begins(text, start, end, self._firsts)
        return found - 1 if found > 0 else -1


class Held:
    """One event that may go on: the lines it has so far."""

    __slots__ = ("_parts", "lines", "size")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.lines = 0
        self.size = 0  # bytes, with a NUL or LF for each line

    def add(self, part: bytes) -> None:
        """Add lines, with NULs between them and nothing behind the last."""
        self._parts.append(part)
        self.lines += part.count(b"\0") + 1
        self.size += len(part) + 1

    def release(self, whole: bool) -> bytes:
        """Give the events that are complete, each with its LF: often none.

        Without `whole` only a bound completes one.
        """
        is_full = self.lines >= LINES_MOST or self.size >= BYTES_MOST
        if not self.lines or not (whole or is_full):
            return b""
        events = b"\0".join(self._parts) + b"\n"
        self._parts = []
        self.lines = self.size = 0
        return self._cut(events, whole) if is_full else events

    def _cut(self, events: bytes, whole: bool) -> bytes:
        events = bytes(bounded(events))
        last = events.rfind(b"\n", 0, -1) + 1
        lines = events.count(b"\0", last) + 1
        if whole or lines >= LINES_MOST or len(events) - last >= BYTES_MOST:
            return events
        self.add(events[last:-1])
        return events[:last]


class Continuing:
    """Joins lines that go on to the ones before them."""

    __slots__ = ("_held", "_marking", "joined")

    def __init__(self, marking: "Marking") -> None:
        self._held = Held()
        self._marking = marking
        self.joined = 0

    @property
    def held(self) -> int:
        """Give the bytes that wait."""
        return self._held.size

    def feed(self, data: "Data", end: int) -> tuple[bytes, "Data", int]:
        """Turn a block into events; the last of them waits."""
        goes_on, text, stop = self._marking.mark(data, end)
        start = 0
        if goes_on and self._held.lines:
            start = text.find(b"\n", 0, stop) + 1
            self._held.add(bytes(text[: start - 1]))
        old, more = _first(self._held.release(whole=start < stop))
        last, full = stop, b""
        if start < stop:
            last = max(start, text.rfind(b"\n", start, stop - 1) + 1)
            self._held.add(bytes(text[last : stop - 1]))
            full = self._held.release(whole=False)
        if text is data and not (start or more or full):
            self.joined += old.count(b"\0")
            return old, data, last
        new = more + bounded(text[start:last]) + full
        self.joined += old.count(b"\0") + new.count(b"\0")
        return old, new, len(new)

    def pause(self) -> bytes:
        """Give the event that waits."""
        event = self._held.release(whole=True)
        self.joined += event.count(b"\0")
        return event

    def flush(self) -> bytes:
        """Give the event that waits."""
        return self.pause()


class Matched:
    """Marks lines whose beginning matches a pattern."""

    __slots__ = ("_breaks", "_first", "_scout")

    def __init__(self, goes_on: bytes, scout: Scout) -> None:
        import re

        self._scout = scout
        self._first = re.compile(goes_on)
        self._breaks = re.compile(rb"\n(?=%b)" % goes_on)

    def mark(self, data: "Data", end: int) -> tuple[bool, "Data", int]:
        """Put a NUL before each line that goes on, but the first."""
        goes_on = self._first.match(data, 0, end) is not None
        at = self._scout.before(data, 0, end)
        if at < 0 or self._breaks.search(data, at, end) is None:
            return goes_on, data, end
        return goes_on, self._breaks.sub(b"\0", data[:end]), end


class Selected:
    """Marks lines that a selection does not take."""

    __slots__ = ("_starts",)

    def __init__(self, starts: "Selecting") -> None:
        self._starts = starts

    def mark(self, data: "Data", end: int) -> tuple[bool, "Data", int]:
        """Put a NUL before each line that is not selected, but the first."""
        runs = self._starts.classify(memoryview(data)[:end])
        masks = self._starts.masks
        outcome = runs.outcome()
        if outcome >= 0 and masks[outcome]:
            return False, data, end
        # What has a NUL in front goes on: one gathering and one replacement, both
        # in C, where a loop over the runs would be one over the lines at worst.
        text = runs.gather([(b"",) if mask else (b"\0",) for mask in masks])
        text = text.replace(b"\n\0", b"\0")
        goes_on = text.startswith(b"\0")
        text = text[goes_on:]
        return goes_on, text, len(text)


class Tracing:
    """Joins the lines of traces; holds nothing outside of one."""

    __slots__ = (
        "_first",
        "_held",
        "_next",
        "_scout",
        "_state",
        "_states",
        "_tail",
        "joined",
    )

    def __init__(self, kind: "Traces", scout: Scout) -> None:
        import re

        self._scout = scout
        self._first = re.compile(kind.heads)
        self._next = re.compile(rb"\n" + kind.heads)
        self._states = {name: re.compile(kind.states[name]) for name in kind.states}
        self._held = Held()
        self._state: str | None = None  # of the trace that waits
        self._tail = b""  # lines that belong to it only if the right ones follow
        self.joined = 0

    @property
    def held(self) -> int:
        """Give the bytes that wait."""
        return self._held.size + len(self._tail)

    def feed(self, data: "Data", end: int) -> tuple[bytes, "Data", int]:
        """Turn a block into events; a trace that reaches its end waits."""
        text = self._tail + data[:end] if self._tail else data
        stop = len(self._tail) + end
        self._tail = b""
        at = 0
        if self._state is not None:
            at = self._follow(text, 0, 0, stop)
        old, more = _first(self._held.release(whole=self._state is None))
        spans: list[tuple[int, int, bytes]] = []  # plain lines, and an event behind
        while self._state is None:
            head = self._head(text, at, stop)
            if head is None:
                spans.append((at, stop, b""))
                break
            self._state = head.lastgroup
            start, plain = head.start(head.lastgroup or 0), at
            at = self._follow(text, start, head.end(), stop)
            spans.append((plain, start, self._held.release(self._state is None)))
        return self._give(old, more, text, spans)

    def pause(self) -> bytes:
        """Give the trace that waits; it may go on, but for a tail that came in vain."""
        if self._tail:
            self._state = None
        events = self._held.release(whole=True) + self._tail
        self._tail = b""
        self.joined += events.count(b"\0")
        return events

    def flush(self) -> bytes:
        """Give the trace that waits, and the lines that may have belonged to it."""
        events = self.pause()
        self._state = None
        return events

    def _head(self, text: "Data", at: int, stop: int) -> "re.Match[bytes] | None":
        # Behind the first line there is always an LF before a head.
        if not at and (found := self._first.match(text, 0, stop)):
            return found
        at = self._scout.before(text, max(0, at - 1), stop)
        return None if at < 0 else self._next.search(text, at, stop)

    def _follow(self, text: "Data", start: int, at: int, stop: int) -> int:
        """Follow the trace from its line at `start`, with the state known at `at`.

        Holds what surely belongs to it and gives the end of that.
        """
        while self._state is not None:
            found = self._states[self._state].match(text, at, stop)
            if found is None:  # never: each pattern can match nothing
                self._state = None
                break
            at = found.end()
            if found.lastgroup == TAIL:
                at = found.start(TAIL)
                self._tail = bytes(text[at:stop])
                break
            self._state = found.lastgroup
        if at > start:
            self._held.add(bytes(text[start : at - 1]).replace(b"\n", b"\0"))
        return at

    def _give(
        self,
        old: bytes,
        more: bytes,
        text: "Data",
        spans: "Sequence[tuple[int, int, bytes]]",
    ) -> tuple[bytes, "Data", int]:
        self.joined += old.count(b"\0")
        if not more and len(spans) == 1:
            [(start, stop, events)] = spans
            if not (start or events):
                return old, text, stop
        pieces: list[Data] = [more]
        for start, stop, events in spans:
            pieces += (text[start:stop], events)
        new = b"".join(pieces)
        self.joined += new.count(b"\0")
        return old, new, len(new)


def bounded(events: "Data") -> "Data":
    """End an event wherever it has reached a bound: LF for NUL there."""
    breaks = events.count(b"\0")
    if breaks == 0 or (breaks < LINES_MOST - 1 and len(events) < BYTES_MOST):
        return events
    return b"".join([_bounded(event) for event in bytes(events[:-1]).split(b"\n")])


def _bounded(event: bytes) -> bytes:
    if event.count(b"\0") < LINES_MOST and len(event) + 1 < BYTES_MOST:
        return event + b"\n"
    lines = event.split(b"\0")
    ends = list(accumulate(len(line) + 1 for line in lines))
    pieces = []
    start = before = 0
    while start < len(lines):
        large = bisect_left(ends, before + BYTES_MOST, start) + 1
        stop = min(start + LINES_MOST, large, len(lines))
        pieces.append(b"\0".join(lines[start:stop]))
        start, before = stop, ends[stop - 1]
    return b"\n".join(pieces) + b"\n"


def _first(events: bytes) -> tuple[bytes, bytes]:
    end = events.find(b"\n") + 1
    return events[:end], events[end:]
