"""Steps one after the other, each of which may wait, on a loop that never does.

A sequence is a generator: it yields what it waits for, and is resumed by the loop
with what came of it. So the stages of a container read from top to bottom, while
signals, services and zombies get their turn.
"""

from s6log.unix.fds import NANOSECONDS_PER_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Protocol

    from s6log.unix.loop import Loop, Timer

    Answer = int | bool | None
    Outcome = Answer | Exception
    Resume = Callable[[Outcome], None]

    class Wait(Protocol):
        """Something that a sequence waits for."""

        def begin(self, resume: Resume) -> None:
            """Call `resume` once, when it has come; with an error that kept it away."""

        def cancel(self) -> None:
            """Call nobody any more."""

    Steps = Generator[Wait, Answer, int]
    """What a sequence is made of; it returns an exit code, 0 when all is well."""

FIRST_LOOK_MS, LONGEST_LOOK_MS = 2, 50


class Sequence:
    """Takes steps until they end, and calls `on_end` with the code they return.

    An exception ends them too, and is given to `failed`, which gives the code.
    """

    __slots__ = ("_cancelled", "_failed", "_on_end", "_steps", "_taking", "_wait")

    def __init__(
        self,
        steps: "Steps",
        on_end: "Callable[[int], None]",
        failed: "Callable[[Exception], int]",
    ) -> None:
        self._steps = steps
        self._on_end = on_end
        self._failed = failed
        self._wait: Wait | None = None
        self._taking = False  # a step, at this moment
        self._cancelled = False

    def begin(self) -> None:
        """Take the first steps, up to one that waits."""
        self._resume(None)

    def cancel(self) -> None:
        """Take no more steps; `on_end` is not called.

        A step that is being taken, and has led to this, is taken to its end.
        """
        self._cancelled = True
        if self._wait is not None:
            self._wait.cancel()
            self._wait = None
        if not self._taking:
            self._steps.close()

    def _resume(self, answer: "Outcome") -> None:
        self._wait = None
        self._taking = True
        try:
            if isinstance(answer, Exception):
                wait = self._steps.throw(answer)
            else:
                wait = self._steps.send(answer)
            self._taking = False
            if self._cancelled:
                self._steps.close()
            else:
                self._wait = wait
                wait.begin(self._resume)
        except StopIteration as end:
            self._end(end.value)
        except Exception as error:  # noqa: BLE001 - it must not end process 1
            self._end(self._failed(error))

    def _end(self, code: int) -> None:
        self._taking = False
        if not self._cancelled:
            self._on_end(code)


class Bell:
    """Rings for all that wait for a change."""

    __slots__ = ("_listeners",)

    def __init__(self) -> None:
        self._listeners: list[Callable[[], None]] = []

    def ring(self) -> None:
        """Have everybody look whether it was for them."""
        for listener in tuple(self._listeners):
            listener()

    def add(self, listener: "Callable[[], None]") -> None:
        """Ring for one more."""
        self._listeners.append(listener)

    def remove(self, listener: "Callable[[], None]") -> None:
        """Ring for one less."""
        if listener in self._listeners:
            self._listeners.remove(listener)


class Ended:
    """The end of a child: its wait status, or None when `limit_ms` was not enough.

    0: there is no limit.
    """

    __slots__ = ("_limit_ms", "_loop", "_pid", "_resume", "_timer")

    def __init__(self, loop: "Loop", pid: int, limit_ms: int = 0) -> None:
        self._loop = loop
        self._pid = pid
        self._limit_ms = limit_ms
        self._timer: Timer | None = None

    def begin(self, resume: "Resume") -> None:
        """Wait for it."""
        self._resume = resume
        self._loop.on_exit(self._pid, self._on_exit)
        if self._limit_ms:
            self._timer = self._loop.after(self._limit_ms, self._on_limit)

    def cancel(self) -> None:
        """Wait no more; the child goes on."""
        self._loop.forget_exit(self._pid)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_exit(self, wait_status: int) -> None:
        self.cancel()
        self._resume(wait_status)

    def _on_limit(self) -> None:
        self._timer = None
        self.cancel()
        self._resume(None)


class Until:
    """Something that becomes true, looked at when the bell rings: whether it did.

    False: `limit_ms` was not enough; 0: there is no limit. What rings no bell,
    `watched`, is looked at again and again, less and less often.
    """

    __slots__ = (
        "_bell",
        "_limit_ms",
        "_look",
        "_loop",
        "_pause_ms",
        "_resume",
        "_timers",
        "_true",
    )

    def __init__(
        self,
        loop: "Loop",
        bell: Bell,
        true: "Callable[[], bool]",
        limit_ms: int = 0,
        watched: bool = False,
    ) -> None:
        self._loop = loop
        self._bell = bell
        self._true = true
        self._limit_ms = limit_ms
        self._pause_ms = FIRST_LOOK_MS if watched else 0
        self._timers: list[Timer] = []
        self._look: Timer | None = None

    def begin(self, resume: "Resume") -> None:
        """Wait for it. It is looked at in a turn to come for the first time."""
        self._resume = resume
        self._bell.add(self._check)
        self._timers.append(self._loop.after(0, self._check))
        if self._limit_ms:
            self._timers.append(self._loop.after(self._limit_ms, self._on_limit))
        if self._pause_ms:
            self._look_later()

    def cancel(self) -> None:
        """Wait no more."""
        self._bell.remove(self._check)
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _check(self) -> None:
        true = self._find_out()
        if true:
            self.cancel()
            self._resume(true)

    def _find_out(self) -> "bool | Exception":
        """Look; an error is for those who wait, who would wait for ever."""
        try:
            return self._true()
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            return error

    def _look_later(self) -> None:
        self._look = self._loop.after(self._pause_ms, self._look_again)
        self._pause_ms = min(2 * self._pause_ms, LONGEST_LOOK_MS)

    def _look_again(self) -> None:
        self._look = None
        self._look_later()
        self._check()

    def _on_limit(self) -> None:
        true = self._find_out()
        self.cancel()
        self._resume(true)


def left_ms(deadline_ns: int | None, now_ns: int) -> int:
    """Give what is left until a deadline as a limit, at least 1; None: no limit, 0."""
    if deadline_ns is None:
        return 0
    return max(1, (deadline_ns - now_ns) // NANOSECONDS_PER_MS)
