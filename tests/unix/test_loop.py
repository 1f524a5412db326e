"""One loop drives everything, so its order and its corners are the programs'."""

import functools
import os
import random
import select
import signal
import time
from pathlib import Path

import pytest

from harness import Pipe
from inside import drive, looping, open_descriptors, settle
from s6log.unix.loop import Loop
from s6log.unix.spawn import spawn


def start(loop: Loop, command: str) -> int:
    """Start a shell command as a child of this process, in the root directory."""
    loop.on_signal(signal.SIGCHLD, loop.reap_children)
    root = os.open("/", os.O_PATH)
    try:
        return spawn([b"/bin/sh", b"-c", command.encode()], (root, b"."), {}, {})
    finally:
        os.close(root)


# ---- time


def test_timers_fire_in_the_order_of_their_deadlines(loop: Loop) -> None:
    """Whatever the order they were set in; none before its time."""
    delays = random.Random(1).sample(range(12), 12)
    fired: list[int] = []
    for delay_ms in delays:
        loop.after(delay_ms, functools.partial(fired.append, delay_ms))
    begun_ns = time.monotonic_ns()
    drive(loop, lambda: len(fired) == len(delays), "all timers")
    assert fired == sorted(delays)
    assert time.monotonic_ns() - begun_ns >= 11_000_000 - 1_000_000


def test_a_timer_fires_once(loop: Loop) -> None:
    """Whoever wants it again sets it again."""
    fired: list[int] = []
    loop.after(0, lambda: fired.append(1))
    settle(loop)
    assert fired == [1]


def test_a_cancelled_timer_does_not_fire(loop: Loop) -> None:
    """Not even when it is cancelled by another that is due in the same turn."""
    fired: list[str] = []

    def first() -> None:
        fired.append("first")
        second.cancel()

    loop.after(0, first)
    second = loop.after(0, lambda: fired.append("second"))
    loop.after(0, lambda: fired.append("third"))
    drive(loop, lambda: "third" in fired, "the third timer")
    assert fired == ["first", "third"]


def test_a_turn_does_not_wait_for_cancelled_timers(loop: Loop) -> None:
    """One turn is enough for the first timer that still counts."""
    fired: list[int] = []
    for _ in range(3):
        loop.after(0, lambda: fired.append(0)).cancel()
    loop.after(2, lambda: fired.append(2))
    loop.turn()
    assert fired == [2]


def test_a_timer_set_by_a_timer_waits_for_its_turn(loop: Loop) -> None:
    """A timer that sets itself anew without delay does not lock the loop up."""
    fired: list[int] = []

    def fire() -> None:
        fired.append(1)
        loop.after(0, fire)

    loop.after(0, fire)
    for turn in range(1, 5):
        loop.turn()
        assert len(fired) == turn


def test_a_far_deadline_is_no_trouble(loop: Loop) -> None:
    """Delays beyond what poll(2) can be told are fine: `R4294967295` is one."""
    loop.after(4294967295 * 1000, lambda: pytest.fail("49 days have not passed"))
    with Pipe() as pipe:
        seen: list[int] = []
        loop.watch(pipe.read, select.POLLIN, seen.append)
        pipe.feed(b"x")
        loop.turn()
        loop.unwatch(pipe.read)
    assert seen == [select.POLLIN]


def test_again_means_the_next_turn(loop: Loop) -> None:
    """Not this one, even when asked for within it; and the turn does not wait."""
    calls: list[int] = []

    def call() -> None:
        calls.append(1)
        loop.again(call)

    loop.again(call)
    for turn in range(1, 5):
        loop.turn()
        assert len(calls) == turn


# ---- descriptors


def test_readiness_is_reported_until_unwatched(loop: Loop) -> None:
    """Events come as poll(2) gives them, hang-ups included."""
    with Pipe() as pipe:
        seen: list[int] = []
        loop.watch(pipe.read, select.POLLIN, seen.append)
        settle(loop)
        assert seen == []
        pipe.feed(b"x")
        loop.turn()
        pipe.end()
        loop.turn()
        assert seen == [select.POLLIN, select.POLLIN | select.POLLHUP]
        loop.unwatch(pipe.read)
        settle(loop)
        assert len(seen) == 2


def test_a_descriptor_unwatched_in_the_same_turn_is_not_called(loop: Loop) -> None:
    """Its owner may be gone, and its number another's."""
    with Pipe() as one, Pipe() as other:
        seen: list[int] = []

        def first(_events: int) -> None:
            seen.append(one.read)
            loop.unwatch(other.read)

        loop.watch(one.read, select.POLLIN, first)
        loop.watch(other.read, select.POLLIN, lambda _: seen.append(other.read))
        one.feed(b"x")
        other.feed(b"x")
        loop.turn()
        loop.unwatch(one.read)
        assert seen == [one.read]


def test_unwatching_what_is_not_watched_is_fine(loop: Loop) -> None:
    """So whoever closes need not remember."""
    loop.unwatch(12345)
    with Pipe() as pipe:
        loop.watch(pipe.read, select.POLLIN, lambda _: None)
        loop.unwatch(pipe.read)
        loop.unwatch(pipe.read)


def test_watching_anew_replaces_events_and_callback(loop: Loop) -> None:
    """One descriptor has one owner."""
    with Pipe() as pipe:
        seen: list[str] = []
        loop.watch(pipe.write, select.POLLOUT, lambda _: seen.append("old"))
        loop.watch(pipe.write, 0, lambda _: seen.append("new"))
        settle(loop)
        assert seen == []
        pipe.drop_read()
        loop.turn()
        loop.unwatch(pipe.write)
    assert seen == ["new"]


# ---- signals


def test_a_signal_raised_several_times_is_one_call(loop: Loop) -> None:
    """Signals are not queued; what they stand for is looked up."""
    calls: list[str] = []
    loop.on_signal(signal.SIGUSR1, lambda: calls.append("1"))
    loop.on_signal(signal.SIGUSR2, lambda: calls.append("2"))
    for signum in (signal.SIGUSR2, signal.SIGUSR1, signal.SIGUSR2, signal.SIGUSR2):
        signal.raise_signal(signum)
    loop.turn()
    assert sorted(calls) == ["1", "2"]
    settle(loop)
    assert len(calls) == 2


def test_many_may_want_the_same_signal(loop: Loop) -> None:
    """Each is called, in order; one that leaves does not take the others along."""
    calls: list[str] = []

    def first() -> None:
        calls.append("first")

    loop.on_signal(signal.SIGUSR1, first)
    loop.on_signal(signal.SIGUSR1, lambda: calls.append("second"))
    signal.raise_signal(signal.SIGUSR1)
    loop.turn()
    loop.off_signal(signal.SIGUSR1, first)
    signal.raise_signal(signal.SIGUSR1)
    loop.turn()
    assert calls == ["first", "second", "second"]


def test_a_signal_nobody_wants_any_more_stays_caught(loop: Loop) -> None:
    """It does not kill the program."""
    calls: list[str] = []

    def only() -> None:
        calls.append("only")

    loop.on_signal(signal.SIGUSR1, only)
    loop.off_signal(signal.SIGUSR1, only)
    signal.raise_signal(signal.SIGUSR1)
    loop.turn()
    assert calls == []


def test_signals_come_before_input_of_the_same_turn(loop: Loop) -> None:
    """A logger told to end does not begin another block first."""
    order: list[str] = []
    with Pipe() as pipe:
        loop.watch(pipe.read, select.POLLIN, lambda _: order.append("input"))
        loop.on_signal(signal.SIGUSR1, lambda: order.append("signal"))
        pipe.feed(b"x")
        signal.raise_signal(signal.SIGUSR1)
        loop.turn()
        loop.unwatch(pipe.read)
    assert order == ["signal", "input"]


def test_a_storm_of_signals_is_survived(loop: Loop) -> None:
    """More signals than the wake-up pipe holds: some are dropped, no kind is."""
    calls: list[int] = []
    loop.on_signal(signal.SIGUSR1, lambda: calls.append(1))
    for _ in range(70_000):
        signal.raise_signal(signal.SIGUSR1)
    settle(loop)
    seen = len(calls)
    assert seen
    signal.raise_signal(signal.SIGUSR1)
    loop.turn()
    assert len(calls) == seen + 1


# ---- children


def test_children_tell_how_they_ended(loop: Loop) -> None:
    """Each callback gets the wait status of its own child."""
    ends: dict[str, int] = {}
    for command in ("exit 0", "exit 3", "kill -9 $$"):
        pid = start(loop, command)
        loop.on_exit(pid, functools.partial(ends.__setitem__, command))
    drive(loop, lambda: len(ends) == 3, "all children")
    codes = {key: os.waitstatus_to_exitcode(status) for key, status in ends.items()}
    assert codes == {"exit 0": 0, "exit 3": 3, "kill -9 $$": -9}


def test_unknown_children_are_reaped_too(loop: Loop) -> None:
    """Whoever was this process before may have left some."""
    ends: list[int] = []
    orphan = start(loop, "exit 0")
    known = start(loop, "exit 0")
    loop.on_exit(known, ends.append)
    gone = Path(f"/proc/{orphan}")
    drive(loop, lambda: bool(ends) and not gone.exists(), "both children")
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_reaping_does_not_wait_for_the_living(loop: Loop) -> None:
    """A child that runs on is left alone."""
    with Pipe() as pipe:
        root = os.open("/", os.O_PATH)
        pid = spawn([b"/bin/cat"], (root, b"."), {0: pipe.read}, {})
        os.close(root)
        ends: list[int] = []
        loop.on_exit(pid, ends.append)
        loop.reap_children()
        assert ends == []
        pipe.end()
        loop.on_signal(signal.SIGCHLD, loop.reap_children)
        drive(loop, lambda: bool(ends), "the child's end")
    assert ends == [0]


def test_closing_gives_back_what_was_taken() -> None:
    """No descriptor stays open, and signals no longer write to one."""
    before = open_descriptors()
    with looping() as loop:
        loop.on_signal(signal.SIGUSR1, lambda: None)
        assert open_descriptors() > before
    assert open_descriptors() == before
    assert signal.set_wakeup_fd(-1) == -1
