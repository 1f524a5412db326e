"""Takes a logdir through the steps of a rotation, one system's answer at a time.

What comes next is decided by the tables of rotation.py alone.
"""

import os
import stat
import time

from s6log.outputs import process
from s6log.outputs.retention import archive, settle
from s6log.outputs.rotation import TABLES, Result, Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from s6log.outputs.context import Context
    from s6log.outputs.current import Current
    from s6log.outputs.retention import Keep
    from s6log.script.model import Processor, Rules
    from s6log.unix.durable import Place
    from s6log.unix.loop import Timer


class Rotator:
    """One logdir's rotation: `settled`, or at some step.

    `done` is called when a rotation has come to its end after having had to
    wait, never from within `start`.
    """

    def __init__(
        self,
        context: "Context",
        place: "Place",
        current: "Current",
        rules: "tuple[Rules, Processor | None, Keep]",
        done: "Callable[[], None]",
    ) -> None:
        self._context = context
        self._place = place
        self._current = current
        self._rules, self._processor, self._keep = rules
        self._done = done
        self._table = TABLES[self._processor is not None]
        self._step = Step.SETTLED
        self.settled = True  # no rotation is under way: lines can be written
        self._retry: Timer | None = None
        # For figures: rotations, runs of the processor, their time, and failed ones.
        self.rotations = self.runs = self.failures = 0
        self.run_s = 0.0
        self._run_began_s = 0.0
        self._acts = self._table_of_acts()

    def _table_of_acts(self) -> "dict[str, tuple[Callable[[], object], bytes]]":
        """Give for each step what does it, and what failed if it does not.

        In the words of s6-log, where it has any.
        """
        name = self._place.name
        here = b" logdir " + self._place.path
        current, previous = name(b"current"), name(b"previous")
        newstate, processed = name(b"newstate"), name(b"processed")
        return {
            Step.SYNC: (self._current.sync, b"fd_sync " + current),
            Step.RENAME: (self._rename, b"rename " + current + b" to " + previous),
            Step.CREATE: (self._create, b"open_append " + current),
            Step.MARK: (self._mark, b"chmod " + previous),
            Step.ARCHIVE: (self._archive, b"finish previous .s to" + here),
            Step.RUN: (self._run, b"run processor for" + here),
            Step.SEAL: (self._seal, b"fd_sync " + processed + b" or " + newstate),
            Step.DROP: (self._drop, b"unlink " + previous),
            Step.KEEP_STATE: (self._keep_state, b"rename " + newstate + b" to state"),
            Step.ARCHIVE_PROCESSED: (
                self._archive_processed,
                b"finish processed .s to" + here,
            ),
            Step.TRIM: (self._trim, b"fsync" + here),
        }

    @property
    def processes(self) -> bool:
        """Rotations involve a processor, and take the time it takes."""
        return self._processor is not None

    def start(self) -> None:
        """Begin a rotation and go as far as it goes without waiting."""
        self._step = Step.SYNC
        self.settled = False
        self._advance()

    def resume(self) -> None:
        """Try the next step now, if a rotation waits for its retry; for SIGALRM."""
        if self._retry is not None:
            self._retry.cancel()
            self._again()

    def _again(self) -> None:
        self._retry = None
        self._advance()
        if self.settled:
            self._done()

    def _advance(self) -> None:
        while self._step not in (Step.SETTLED, Step.WAIT):
            act, what = self._acts[self._step]
            try:
                act()
            except OSError as error:
                self._context.messages.warn(b"unable to " + what, error)
                self._step = self._table[self._step, Result.FAILED]
                self._wait()
                return
            self._step = self._table[self._step, Result.DONE]
        self.settled = self._step == Step.SETTLED

    def _wait(self) -> None:
        delay_ms = self._rules.retry_ms
        self._retry = self._context.loop.after(delay_ms, self._again)

    # ---- the acts; each can be done again after it failed

    def _rename(self) -> None:
        self._current.rename(b"previous")
        self.rotations += 1

    def _create(self) -> None:
        self._current.create()
        self._place.sync()

    def _mark(self) -> None:
        mode = self._current.mode | stat.S_IXUSR
        self._place.chmod(b"previous", mode)

    def _archive(self) -> None:
        archive(self._place, b"previous", "s", time.time_ns(), self._keep)

    def _run(self) -> None:
        if self._processor is not None:
            self._run_began_s = time.monotonic()
            pid = process.start(self._processor, self._place)
            self._context.loop.on_exit(pid, self._on_exit)

    def _seal(self) -> None:
        mode = self._current.mode | stat.S_IXUSR
        self._place.seal(b"newstate")
        self._place.seal(b"processed", mode)
        # The names too, before previous, the only other copy, is unlinked.
        self._place.sync()

    def _drop(self) -> None:
        self._place.remove(b"previous")

    def _keep_state(self) -> None:
        self._place.rename(b"newstate", b"state")

    def _archive_processed(self) -> None:
        archive(self._place, b"processed", "s", time.time_ns(), self._keep)

    def _trim(self) -> None:
        settle(self._place, self._keep)

    def _on_exit(self, status: int) -> None:
        """Go on after the processor, or run it again later if it failed."""
        self.runs += 1
        self.failures += status != 0
        self.run_s += time.monotonic() - self._run_began_s
        if status == 0:
            self._step = self._table[Step.WAIT, Result.DONE]
            self._again()
            return
        fate = b"crashed" if os.WIFSIGNALED(status) else b"failed"
        text = b"processor " + fate + b" in " + self._place.path
        self._context.messages.warn(text)
        self._step = self._table[Step.WAIT, Result.FAILED]
        self._wait()
