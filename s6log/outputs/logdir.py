"""A log directory being written to: `current`, and what becomes of it.

Lines go straight to the file; only what could not be written, or arrived during
a rotation, waits in the outbox. Nothing is given up: every failure is reported,
and tried again `r` milliseconds later.
"""

import time

from s6log.outputs.account import AT_END
from s6log.outputs.current import Current
from s6log.outputs.outbox import Outbox
from s6log.outputs.recovery import open_logdir
from s6log.outputs.retention import Keep
from s6log.outputs.rotator import Rotator
from s6log.unix.durable import Place
from s6log.unix.fds import MS_PER_SECOND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from s6log.outputs.account import Account
    from s6log.outputs.context import Context
    from s6log.outputs.feed import Feed, Parcel
    from s6log.script import model
    from s6log.stream.batch import Batch
    from s6log.stream.blocks import Data
    from s6log.unix.loop import Timer


FINISHING = (
    (b"restore", Current.ensure_name),
    (b"fd_sync", Current.sync),
    (b"fd_chmod", Current.mark),
)


class Logdir:
    """One `./dir` action."""

    def __init__(
        self,
        action: "model.Logdir",
        context: "Context",
        feed: "Feed",
        account: "Account",
    ) -> None:
        self.feed = feed
        feed.connect(self.accept)
        self.account = account
        self.closed = False
        self._path = action.path
        self._rules = rules = action.rules
        self._context = context
        place = Place(context.base_fd, action.path)
        keep = Keep(rules, context.messages)
        mode = 0o666 & ~context.umask
        found = open_logdir(place, mode, keep, time.time_ns, context.locked)
        self._current = Current(place, mode, found, context.messages)
        self._threshold = rules.size_bytes - rules.tolerance_bytes
        self.outbox = Outbox(context.backlog, action.limit, account)
        self._retry: Timer | None = None
        self._alarm = False  # a rotation is due as soon as a line has ended
        self._ending = False
        how = rules, action.processor, keep
        self._rotator = Rotator(context, place, self._current, how, self._rotated)

    @property
    def name(self) -> bytes:
        """What messages call this output."""
        return self._path

    @property
    def growth(self) -> int:
        """The most bytes that one byte of input can become."""
        return self.feed.growth

    @property
    def busy(self) -> bool:
        """Something is left to do: bytes to write, or a rotation to finish."""
        return self.outbox.size > 0 or not self._rotator.settled

    @property
    def rotator(self) -> Rotator:
        """What rotates it, for figures."""
        return self._rotator

    @property
    def excuse(self) -> bytes:
        """Why it takes no lines now."""
        if self._rotator.settled:
            return b"it cannot be written to"
        return b"its rotation has not finished"

    def begin(self) -> None:
        """Start the clock of `R`, once everything is open."""
        if self._rules.period_s:
            self._every_period()

    def deliver(self, batch: "Batch") -> None:
        """Write the lines of the block that are for this directory."""
        self.accept(self.feed.parcels(batch))

    def accept(self, parcels: "Iterable[Parcel]") -> None:
        """Write records, or keep them."""
        for head, data, end, counted, missing in parcels:
            start = 0
            rest = head
            if not self.outbox.size and self._rotator.settled:
                rest, start = self._write(head, data, 0, end)
                written = head[: len(head) - len(rest)]
                self._wrote(written, data, start, counted)
            if start < end:
                self.outbox.begun = self._current.torn
                self.outbox.add(rest, data, start, end, counted, missing)

    @property
    def unread(self) -> int:
        """Nothing: what was written is where it belongs."""
        return 0

    def give_up(self) -> int | None:
        """Drop what is pending; how many lines nobody will hear of.

        None while a rotation is under way: they may be written when that is done.
        """
        return self.outbox.clear(AT_END) if self._rotator.settled else None

    def alarm(self) -> None:
        """Rotate now (SIGALRM, `R`); a rotation that waits goes on now."""
        if self._ending:
            return
        if not self._rotator.settled:
            self._rotator.resume()
        elif self._current.torn:
            self._alarm = True
        else:
            self._rotate()

    def finish(self) -> None:
        """End in order: everything durable, current marked as complete.

        Only when not busy. `closed` afterwards, or a retry is on its way.
        """
        self._ending = True
        for verb, act in FINISHING:
            try:
                act(self._current)
            except OSError as error:
                self._warn(verb, error)
                self._context.loop.after(self._rules.retry_ms, self.finish)
                return
        self._current.close()
        self.closed = True
        self._context.changed()

    def _write(
        self, head: bytes, data: "Data", start: int, end: int
    ) -> tuple[bytes, int]:
        """Write head + data[start:end], rotating at the exact lines.

        Stops early when the file takes no more, or a rotation has to wait.
        Returns what is left: (head, start), with start == end for nothing.
        """
        current, threshold = self._current, self._threshold
        while start < end:
            # Up to the line that makes current large enough to rotate.
            missing = threshold - current.size - len(head)
            cut = end
            if end - start >= missing:
                cut = data.find(b"\n", start + max(0, missing - 1), end) + 1
            try:
                written = current.append(head, memoryview(data)[start:cut])
            except OSError as error:
                self._fail(error)
                break
            start += max(0, written - len(head))
            head = head[written:]
            if current.size >= threshold or self._alarm:
                self._rotate_if_due()
                if not self._rotator.settled:
                    break
        return head, start

    def _wrote(self, head: bytes, data: "Data", reached: int, counted: bool) -> None:
        """Count what was written at once: head + data[:reached]."""
        if self.account.counting:
            lines = self.account.lines(head, data, 0, reached) if counted else 0
            self.account.wrote(lines, len(head) + reached)

    def _rotate_if_due(self) -> None:
        """Rotate when current is large enough, or `alarm` asked; between lines."""
        due = self._alarm or self._current.size >= self._threshold
        if due and not self._current.torn:
            self._rotate()

    def _rotate(self) -> None:
        self._alarm = False
        self._rotator.start()

    def _rotated(self) -> None:
        """Write what piled up during a rotation that had to wait.

        As one piece when a processor ran (as s6-log does): cutting it would only
        start the next processors, one after the other, with ever more waiting.
        """
        self._flush()
        self._context.changed()

    def _flush(self) -> None:
        if self._rotator.processes and self.outbox.size and self._retry is None:
            self._flush_whole()
        while self.outbox.size and self._retry is None and self._rotator.settled:
            piece, start = self.outbox.first()
            _, reached = self._write(b"", piece, start, len(piece))
            self.outbox.take(reached - start)

    def _flush_whole(self) -> None:
        """Write the outbox without cutting it; rotate at its end, if due."""
        while self.outbox.size:
            try:
                written = self._current.append_all(self.outbox.views())
            except OSError as error:
                self._fail(error)
                return
            # No view of its pieces is left: it may change them.
            self.outbox.take(written)
        self._rotate_if_due()

    def _fail(self, error: OSError) -> None:
        """Say that current cannot be written; try again after the retry time."""
        self._warn(b"write to", error)
        delay_ms = self._rules.retry_ms
        self._retry = self._context.loop.after(delay_ms, self._try_again)

    def _warn(self, verb: bytes, error: OSError) -> None:
        text = b"unable to " + verb + b" " + self._path + b"/current"
        self._context.messages.warn(text, error)

    def _try_again(self) -> None:
        self._retry = None
        if self._rotator.settled:
            self._flush()
        self._context.changed()

    def _every_period(self) -> None:
        """Fire `period` from now, and again, whatever else rotates meanwhile."""
        delay_ms = self._rules.period_s * MS_PER_SECOND
        self._context.loop.after(delay_ms, self._on_period)

    def _on_period(self) -> None:
        if not self._ending:
            self._every_period()
            self.alarm()
