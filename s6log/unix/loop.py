"""One poll loop: descriptors, deadlines, signals and children, each a callback.

It knows nothing of what it drives, so one loop can drive several loggers or all
services of a scan directory. Nothing in it blocks but poll(2) or epoll_wait(2).
"""

import os
import select
import time
from bisect import bisect_left

from s6log.unix.fds import MS_PER_SECOND, NANOSECONDS_PER_MS
from s6log.unix.signals import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# A thousand services may be due at once: signals and commands come in between.
TIMERS_AT_ONCE = 16


class Timer:
    """One deadline (monotonic nanoseconds) and what to do then."""

    __slots__ = ("_timers", "callback", "deadline_ns")

    def __init__(
        self, deadline_ns: int, callback: "Callable[[], None]", timers: "list[Timer]"
    ) -> None:
        self.deadline_ns = deadline_ns
        self.callback = callback
        self._timers = timers
        # Kept in order, the latest first, so that what is due is at the end.
        # Among equals the first to be set goes off first.
        at = bisect_left(timers, -deadline_ns, key=_latest_first)
        timers.insert(at, self)

    def cancel(self) -> None:
        """Make sure that the callback is not called any more."""
        at = bisect_left(self._timers, -self.deadline_ns, key=_latest_first)
        while at < len(self._timers) and self._timers[at] is not self:
            if self._timers[at].deadline_ns != self.deadline_ns:
                return
            at += 1
        del self._timers[at : at + 1]


def _latest_first(timer: Timer) -> int:
    return -timer.deadline_ns


class Loop:
    """Wait for descriptors, deadlines, signals and children.

    Signals ring at a pipe that the C-level handler writes to
    (signal.set_wakeup_fd), so that none can slip in between a test and poll(2).
    Which ones is not read from it: a full pipe takes no more.
    """

    def __init__(self, many: bool = False) -> None:
        """Begin with nothing to wait for; `many` descriptors are epoll(7)'s.

        It wakes for one of a thousand at the cost of one, but takes no regular
        files, which a logger may have as its input.
        """
        self._poll: select.poll | select.epoll
        self._poll = select.epoll() if many else select.poll()
        self._many = many
        self._fresh: set[int] = set()  # watched since poll(2) returned
        self._descriptors: dict[int, Callable[[int], None]] = {}
        self._timers: list[Timer] = []
        self._again: list[Callable[[], None]] = []
        self._signals: dict[int, list[Callable[[], None]]] = {}
        self._raised: set[int] = set()
        self._children: dict[int, Callable[[int], None]] = {}
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        # Registered first, and poll(2) answers in that order: signals come before
        # the input that arrived in the same turn. epoll(7) promises no order.
        self.watch(self._wake_read, select.POLLIN, self._dispatch_signals)

    def watch(self, fd: int, events: int, callback: "Callable[[int], None]") -> None:
        """Call `callback(events)` whenever poll(2) reports on `fd`."""
        if fd in self._descriptors:
            self._poll.modify(fd, events)
        else:
            self._poll.register(fd, events)
        self._descriptors[fd] = callback
        self._fresh.add(fd)

    def unwatch(self, fd: int) -> None:
        """Stop watching; unknown descriptors are fine."""
        if self._descriptors.pop(fd, None) is not None:
            self._poll.unregister(fd)

    def after(self, delay_ms: int, callback: "Callable[[], None]") -> Timer:
        """Call `callback` once, `delay_ms` from now."""
        return self.at(time.monotonic_ns() + delay_ms * NANOSECONDS_PER_MS, callback)

    def at(self, deadline_ns: int, callback: "Callable[[], None]") -> Timer:
        """Call `callback` once the monotonic clock shows `deadline_ns`."""
        return Timer(deadline_ns, callback, self._timers)

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

    def forget_exit(self, pid: int) -> None:
        """Take the callback for a child back."""
        self._children.pop(pid, None)

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
        timeout_ms = self._timeout_ms() if self._timers else None
        due = len(self._again)  # what these ask for again is for the next turn
        if due:
            timeout_ms = 0
        ready = self._wait(timeout_ms)
        self._fresh.clear()
        for fd, events in ready:
            # Unwatched in this turn: None. Watched in it: the number is another
            # descriptor's now, which is not what these events are about.
            callback = self._descriptors.get(fd)
            if callback is not None and fd not in self._fresh:
                callback(events)
        for _ in range(due):
            # Taken out one by one: an exception leaves the rest for the next turn.
            self._again.pop(0)()
        if self._timers:
            self._fire(time.monotonic_ns())

    def close(self) -> None:
        """Give the signal pipe back; signals keep their dispositions."""
        signal.set_wakeup_fd(-1)
        if isinstance(self._poll, select.epoll):
            self._poll.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _wait(self, timeout_ms: int | None) -> list[tuple[int, int]]:
        if not self._many or timeout_ms is None:
            return self._poll.poll(timeout_ms)
        return self._poll.poll(timeout_ms / MS_PER_SECOND)  # epoll takes seconds

    def _timeout_ms(self) -> int:
        left_ns = self._timers[-1].deadline_ns - time.monotonic_ns()
        # Rounded up, or the loop would spin through the last millisecond;
        # poll(2) takes an int.
        return min(max(0, -(-left_ns // NANOSECONDS_PER_MS)), 0x7FFFFFFF)

    def _fire(self, now_ns: int) -> None:
        timers = self._timers
        for _ in range(TIMERS_AT_ONCE):
            if not timers or timers[-1].deadline_ns > now_ns:
                return
            timers.pop().callback()

    def _wake(self, signum: int, _frame: object) -> None:
        """Note a signal; the C-level handler has written to the pipe before."""
        self._raised.add(signum)

    def _dispatch_signals(self, _events: int) -> None:
        try:
            os.read(self._wake_read, 4096)
        except BlockingIOError:
            pass
        try:
            while self._raised:
                signum = min(self._raised)
                self._raised.discard(signum)
                for callback in list(self._signals.get(signum, ())):
                    callback()
        finally:
            if self._raised:  # a callback has failed: the rest in the next turn
                os.write(self._wake_write, b"\0")
