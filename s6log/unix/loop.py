"""One poll loop: descriptors, deadlines, signals and children, each a callback.

It knows nothing of what it drives, so one loop can drive several loggers or all
services of a scan directory. Nothing in it blocks but poll(2).
"""

import os
import select
import time

from s6log.unix.fds import NANOSECONDS_PER_MS
from s6log.unix.signals import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Timer:
    """One deadline (monotonic nanoseconds) and what to do then."""

    __slots__ = ("_timers", "callback", "deadline_ns")

    def __init__(
        self, deadline_ns: int, callback: "Callable[[], None]", timers: "list[Timer]"
    ) -> None:
        self.deadline_ns = deadline_ns
        self.callback = callback
        self._timers = timers

    def cancel(self) -> None:
        """Make sure that the callback is not called any more."""
        if self in self._timers:
            self._timers.remove(self)


class Loop:
    """Wait for descriptors, deadlines, signals and children.

    Signals ring at a pipe that the C-level handler writes to
    (signal.set_wakeup_fd), so that none can slip in between a test and poll(2).
    Which ones is not read from it: a full pipe takes no more.
    """

    def __init__(self) -> None:
        self._poll = select.poll()
        self._descriptors: dict[int, Callable[[int], None]] = {}
        self._timers: list[Timer] = []
        self._again: list[Callable[[], None]] = []
        self._signals: dict[int, list[Callable[[], None]]] = {}
        self._raised: set[int] = set()
        self._children: dict[int, Callable[[int], None]] = {}
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        # Registered first, and poll(2) answers in that order: signals come
        # before the input that arrived in the same turn.
        self.watch(self._wake_read, select.POLLIN, self._dispatch_signals)

    def watch(self, fd: int, events: int, callback: "Callable[[int], None]") -> None:
        """Call `callback(events)` whenever poll(2) reports on `fd`."""
        self._descriptors[fd] = callback
        self._poll.register(fd, events)

    def unwatch(self, fd: int) -> None:
        """Stop watching; unknown descriptors are fine."""
        if self._descriptors.pop(fd, None) is not None:
            self._poll.unregister(fd)

    def after(self, delay_ms: int, callback: "Callable[[], None]") -> Timer:
        """Call `callback` once, `delay_ms` from now."""
        deadline = time.monotonic_ns() + delay_ms * NANOSECONDS_PER_MS
        timer = Timer(deadline, callback, self._timers)
        self._timers.append(timer)
        return timer

    def again(self, callback: "Callable[[], None]") -> None:
        """Call `callback` in the next turn, which then does not wait."""
        self._again.append(callback)

    def on_signal(self, signum: int, callback: "Callable[[], None]") -> None:
        """Call `callback` from the loop, once for all signals since the last turn."""
        self._signals.setdefault(signum, []).append(callback)
        signal.signal(signum, self._wake)
        # Whoever started us may have blocked it (sigprocmask(2) is inherited).
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signum])

    def off_signal(self, signum: int, callback: "Callable[[], None]") -> None:
        """Stop calling `callback`; the signal stays caught."""
        self._signals[signum].remove(callback)

    def on_exit(self, pid: int, callback: "Callable[[int], None]") -> None:
        """Call `callback(wait status)` when child `pid` has been reaped."""
        self._children[pid] = callback

    def reap_children(self) -> None:
        """Collect every dead child; for SIGCHLD.

        Signals are not queued: one may stand for many exits (signal(7)), so
        collect until nothing is left. Children nobody asked for are reaped too:
        they were inherited through exec from whoever was this process before.
        """
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            callback = self._children.pop(pid, None)
            if callback is not None:
                callback(status)

    def turn(self) -> None:
        """Wait for something to happen and handle it."""
        again: list[Callable[[], None]] = []
        timeout_ms = self._timeout_ms() if self._timers else None
        if self._again:
            again, self._again = self._again, again
            timeout_ms = 0
        for fd, events in self._poll.poll(timeout_ms):
            callback = self._descriptors.get(fd)  # None: unwatched in this turn
            if callback is not None:
                callback(events)
        for call in again:
            call()
        if self._timers:
            self._fire(time.monotonic_ns())

    def close(self) -> None:
        """Give the signal pipe back; signals keep their dispositions."""
        signal.set_wakeup_fd(-1)
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _timeout_ms(self) -> int:
        # A list is good enough for the few deadlines of a logger, and heapq is
        # half as much to import as everything else here.
        first_ns = min(timer.deadline_ns for timer in self._timers)
        left_ns = first_ns - time.monotonic_ns()
        # Rounded up, or the loop would spin through the last millisecond;
        # poll(2) takes an int.
        return min(max(0, -(-left_ns // NANOSECONDS_PER_MS)), 0x7FFFFFFF)

    def _fire(self, now_ns: int) -> None:
        due = [timer for timer in self._timers if timer.deadline_ns <= now_ns]
        for timer in sorted(due, key=lambda timer: timer.deadline_ns):
            # One that was fired before may have cancelled it.
            if timer in self._timers:
                self._timers.remove(timer)
                timer.callback()

    def _wake(self, signum: int, _frame: object) -> None:
        """Note a signal; the C-level handler has written to the pipe before."""
        self._raised.add(signum)

    def _dispatch_signals(self, _events: int) -> None:
        try:
            os.read(self._wake_read, 4096)
        except BlockingIOError:
            pass
        raised, self._raised = self._raised, set()
        for signum in sorted(raised):
            for callback in list(self._signals.get(signum, ())):
                callback()
