"""Sequences of steps on a loop: what they wait for, what ends them."""

import os
import signal
from collections.abc import Callable, Generator, Iterator

import pytest

from s6log.unix.loop import Loop
from supervisor.container.sequence import Bell, Ended, Sequence, Until, left_ms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.container.sequence import Answer, Steps, Wait

    Said = list[object]


@pytest.fixture
def loop() -> Iterator[Loop]:
    """Give a loop that reaps children."""
    loop = Loop(many=True)
    before = signal.getsignal(signal.SIGCHLD)
    loop.on_signal(signal.SIGCHLD, loop.reap_children)
    yield loop
    signal.signal(signal.SIGCHLD, before)
    loop.close()


class Run:
    """A sequence that is run; `said` is what came of each wait, `codes` its ends."""

    def __init__(self, loop: Loop, waits: "Callable[[], list[Wait]]") -> None:
        self.said: Said = []
        self.codes: list[int] = []
        self.errors: list[Exception] = []
        self._loop = loop
        steps = self._steps(waits)
        self.sequence = Sequence(steps, self.codes.append, self._failed)

    def _steps(self, waits: "Callable[[], list[Wait]]") -> "Steps":
        for wait in waits():
            self.said.append((yield wait))
        return 7

    def _failed(self, error: Exception) -> int:
        self.errors.append(error)
        return 101

    def to_the_end(self) -> None:
        """Begin, and turn the loop until it has ended."""
        self.sequence.begin()
        while not self.codes:
            self._loop.turn()


def child(code: str) -> int:
    """Start a shell."""
    return os.posix_spawn("/bin/sh", ["sh", "-c", code], {})


def test_ends_of_children(loop: Loop) -> None:
    """Each with its wait status, also when it had ended before."""
    early = child("exit 3")
    os.waitid(os.P_PID, early, os.WEXITED | os.WNOWAIT)
    late = child("sleep 0.05; kill -9 $$")
    run = Run(loop, lambda: [Ended(loop, early), Ended(loop, late, 20_000)])
    run.to_the_end()
    assert run.said == [3 << 8, 9]
    assert run.codes == [7]


def test_a_child_that_takes_too_long(loop: Loop) -> None:
    """It lives on, and its end can be waited for again."""
    pid = child("exec sleep 1000")
    run = Run(loop, lambda: [Ended(loop, pid, 10), *_killed(loop, pid)])
    run.to_the_end()
    assert run.said == [None, 9]


def _killed(loop: Loop, pid: int) -> "Iterator[Wait]":
    loop.after(20, lambda: os.kill(pid, signal.SIGKILL))
    yield Ended(loop, pid)


def test_until_something_is_true(loop: Loop) -> None:
    """Looked at from the loop at first, then whenever the bell rings."""
    bell, true = Bell(), [False, True]
    looks: list[int] = []

    def look() -> bool:
        looks.append(len(looks))
        return true[min(len(looks), 2) - 1]

    run = Run(loop, lambda: [Until(loop, bell, look)])
    run.sequence.begin()
    assert not looks
    loop.turn()
    assert looks == [0]
    bell.ring()
    assert run.codes == [7]
    assert run.said == [True]
    bell.ring()
    assert looks == [0, 1]


def test_until_a_limit(loop: Loop) -> None:
    """It is looked at once more then."""
    bell = Bell()
    answers = [False, False]
    run = Run(loop, lambda: [Until(loop, bell, answers.pop, 10)])
    run.to_the_end()
    assert run.said == [False]
    assert not answers


def test_what_rings_no_bell_is_watched(loop: Loop) -> None:
    """Until it is true; less and less often."""
    answers = [True, False, False, False]
    run = Run(loop, lambda: [Until(loop, Bell(), answers.pop, watched=True)])
    run.to_the_end()
    assert run.said == [True]


def test_a_cancelled_sequence_is_forgotten(loop: Loop) -> None:
    """Nobody is told of its end, and it leaves no timers."""
    bell, pid = Bell(), child("exit 0")
    waits: list[Wait] = [Until(loop, bell, lambda: False, 10_000, watched=True)]
    for wait in (*waits, Ended(loop, pid, 10_000)):
        run = Run(loop, lambda wait=wait: [wait])  # type: ignore[misc]
        run.sequence.begin()
        run.sequence.cancel()
        bell.ring()
        assert run.codes == []
    loop.after(1, lambda: None)
    loop.turn()
    assert run.codes == []


def test_a_step_may_cancel_its_own_sequence(loop: Loop) -> None:
    """It is taken to its end; nothing comes after it."""
    taken: list[str] = []
    ends: list[int] = []

    def steps() -> "Steps":
        yield Until(loop, Bell(), lambda: True)
        sequence.cancel()
        taken.append("first")
        yield Until(loop, Bell(), lambda: True)
        taken.append("second")
        return 0

    sequence = Sequence(steps(), ends.append, lambda _: 101)
    sequence.begin()
    loop.turn()
    loop.after(1, lambda: None)
    loop.turn()
    assert taken == ["first"]
    assert ends == []


def test_an_error_is_an_end(loop: Loop) -> None:
    """With the code that whoever is told of it gives."""

    def failing() -> "Generator[Wait, Answer, int]":
        yield Until(loop, Bell(), lambda: True)
        raise ValueError("odd")

    codes: list[int] = []
    errors: list[Exception] = []

    def failed(error: Exception) -> int:
        errors.append(error)
        return 101

    Sequence(failing(), codes.append, failed).begin()
    while not codes:
        loop.turn()
    assert codes == [101]
    assert str(errors[0]) == "odd"


def test_an_error_in_what_is_waited_for_is_raised_there(loop: Loop) -> None:
    """Not in the loop: whoever waits would wait for ever."""

    def look() -> bool:
        raise ValueError("odd")

    run = Run(loop, lambda: [Until(loop, Bell(), look)])
    run.to_the_end()
    assert run.codes == [101]
    assert [str(error) for error in run.errors] == ["odd"]


def test_what_is_left_of_a_limit() -> None:
    """At least something, or it would be no limit."""
    assert left_ms(None, 5) == 0
    assert left_ms(10_000_000, 4_000_000) == 6
    assert left_ms(10, 4_000_000) == 1
