"""Being told that an input has something to take, once for each reason."""

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

from harness import Pipe, Program, Stage, running, wait_until
from inside import drive, open_descriptors, settle
from s6log.inputs.waiting import LOOK_MS, Edge, Level, SleepingWriters
from s6log.unix.loop import Loop
from watching import settle as settle_process

PIPE_BYTES = 65536


class Told:
    """Counts how often it was told."""

    def __init__(self) -> None:
        self.times = 0

    def tell(self, _events: int = 0) -> None:
        """Count one time more."""
        self.times += 1


# ---- Level


def test_level_tells_as_long_as_there_is_something(loop: Loop) -> None:
    """Turn after turn; not before, not when paused."""
    told = Told()
    with Pipe() as pipe:
        level = Level(loop, pipe.read, told.tell)
        pipe.feed(b"x")
        settle(loop)
        assert told.times == 0
        level.resume()
        level.resume()
        for turn in range(1, 4):
            loop.turn()
            assert told.times == turn
        level.pause()
        level.pause()
        settle(loop)
        assert told.times == 3
        level.resume()
        loop.turn()
        assert told.times == 4
        os.read(pipe.read, 1)
        settle(loop)
        assert told.times == 4
        level.close()
        level.close()


def test_level_tells_of_the_end(loop: Loop) -> None:
    """A hang-up is something to take: nothing, for ever."""
    told = Told()
    with Pipe() as pipe:
        level = Level(loop, pipe.read, told.tell)
        level.resume()
        pipe.end()
        loop.turn()
        assert told.times == 1
        level.close()


# ---- Edge


@contextlib.contextmanager
def edge_of(loop: Loop, fd: int) -> Iterator[tuple[Edge, Told]]:
    """Wait at the edges of a descriptor."""
    told = Told()
    edge = Edge(loop, fd, told.tell)
    try:
        yield edge, told
    finally:
        edge.close()


def test_edge_tells_once_for_each_write(loop: Loop) -> None:
    """What is left in the pipe is no news."""
    with Pipe() as pipe, edge_of(loop, pipe.read) as (edge, told):
        edge.resume()
        settle(loop)
        assert told.times == 1  # there may have been something before
        for _ in range(3):
            before = told.times
            pipe.feed(b"x")
            settle(loop)
            assert told.times == before + 1


def test_edge_tells_of_what_was_there_before(loop: Loop) -> None:
    """And of what came while it was paused."""
    with Pipe() as pipe:
        pipe.feed(b"x")
        with edge_of(loop, pipe.read) as (edge, told):
            settle(loop)
            assert told.times == 0
            edge.resume()
            settle(loop)
            assert told.times >= 1
            edge.pause()
            before = told.times
            pipe.feed(b"y")
            settle(loop)
            assert told.times == before
            edge.resume()
            settle(loop)
            assert told.times > before


def test_edge_tells_of_the_end(loop: Loop) -> None:
    """Though bytes are left in the pipe, and have been told of."""
    with Pipe() as pipe, edge_of(loop, pipe.read) as (edge, told):
        pipe.feed(b"x")
        edge.resume()
        settle(loop)
        before = told.times
        pipe.end()
        settle(loop)
        assert told.times > before
        before = told.times
        settle(loop)
        assert told.times == before


def test_edge_tells_again_when_asked(loop: Loop) -> None:
    """Once, in the next turn; not when it has been paused meanwhile."""
    with Pipe() as pipe, edge_of(loop, pipe.read) as (edge, told):
        edge.resume()
        settle(loop)
        before = told.times
        edge.more()
        assert told.times == before
        loop.turn()
        assert told.times == before + 1
        edge.more()
        edge.pause()
        settle(loop)
        assert told.times == before + 1


def test_edge_closes_what_it_opened(loop: Loop) -> None:
    """And leaves the input as it was."""
    with Pipe() as pipe:
        before = open_descriptors()
        with edge_of(loop, pipe.read) as (edge, _):
            edge.resume()
            edge.unfinished(there_is=True)
        assert open_descriptors() == before
        settle(loop)
        pipe.feed(b"x")
        assert os.read(pipe.read, 10) == b"x"


@contextlib.contextmanager
def sleeping_writer(pipe: Pipe) -> Iterator[threading.Thread]:
    """Write more than the pipe takes, in one write(2) that sleeps until it is read."""
    os.set_blocking(pipe.write, True)
    data = b"x" * (2 * PIPE_BYTES)
    thread = threading.Thread(target=os.write, args=(pipe.write, data), daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        while thread.is_alive():
            os.read(pipe.read, PIPE_BYTES)
            thread.join(0.001)


def test_edge_tells_of_a_writer_that_sleeps(loop: Loop) -> None:
    """In a write to a pipe with an unfinished line, which epoll(7) does not report."""
    with Pipe() as pipe, edge_of(loop, pipe.read) as (edge, told):
        pipe.feed(b"unfinished")
        edge.resume()
        edge.unfinished(there_is=True)
        settle(loop)
        before = told.times
        with sleeping_writer(pipe) as thread:
            drive(loop, lambda: told.times > before, "news of the writer")
            assert thread.is_alive()
            assert not pipe.room()


def test_edge_looks_once_more_when_a_line_is_left(loop: Loop) -> None:
    """A writer may have gone to sleep before that was listened for."""
    with Pipe() as pipe, edge_of(loop, pipe.read) as (edge, told):
        edge.resume()
        settle(loop)
        before = told.times
        edge.unfinished(there_is=True)
        edge.unfinished(there_is=True)
        settle(loop)
        assert told.times == before + 1
        edge.unfinished(there_is=False)
        settle(loop)
        assert told.times == before + 1


def test_edge_does_not_listen_for_sleepers_without_need(loop: Loop) -> None:
    """Each write would cost a signal."""
    with Pipe() as pipe, edge_of(loop, pipe.read) as (edge, _):
        heard: list[int] = []
        loop.on_signal(signal.SIGIO, lambda: heard.append(1))
        edge.resume()
        pipe.feed(b"x")
        settle(loop)
        assert heard == []
        edge.unfinished(there_is=True)
        pipe.feed(b"x")
        settle(loop)
        assert heard == [1]
        edge.unfinished(there_is=False)
        pipe.feed(b"x")
        settle(loop)
        assert heard == [1]


def test_two_edges_do_not_get_in_each_others_way(loop: Loop) -> None:
    """One that is closed takes the other's news not along."""
    with Pipe() as one, Pipe() as two, edge_of(loop, one.read) as (edge, told):
        edge.resume()
        edge.unfinished(there_is=True)
        with edge_of(loop, two.read) as (other, _):
            other.resume()
            other.unfinished(there_is=True)
        one.feed(b"x")
        settle(loop)
        before = told.times
        with sleeping_writer(one):
            drive(loop, lambda: told.times > before, "news of the writer")


# ---- without news


def pass_time(loop: Loop, some_ms: int) -> None:
    """Let the loop turn for some time."""
    over = threading.Event()
    loop.after(some_ms, over.set)
    drive(loop, over.is_set, "some time to pass")


def test_where_sleepers_cannot_be_heard_they_are_looked_for(loop: Loop) -> None:
    """Time and again, as long as it is needed; a socket cannot be opened anew."""
    told = Told()
    here, there = socket.socketpair()
    with here, there:
        sleepers = SleepingWriters(loop, here.fileno(), told.tell)
        assert sleepers.heed()
        assert not sleepers.heed()
        drive(loop, lambda: told.times == 2, "two looks")
        sleepers.close()
    pass_time(loop, 2 * LOOK_MS)
    assert told.times == 2


def test_looking_is_not_more_frequent_for_being_stopped_and_begun(loop: Loop) -> None:
    """As it is for each unfinished line."""
    told = Told()
    here, there = socket.socketpair()
    with here, there:
        sleepers = SleepingWriters(loop, here.fileno(), told.tell)
        for _ in range(20):
            sleepers.heed()
            sleepers.ignore()
        sleepers.heed()
        pass_time(loop, 2 * LOOK_MS)
        assert told.times in {1, 2}
        sleepers.ignore()
        before = told.times
        pass_time(loop, 2 * LOOK_MS)
        assert told.times == before
        sleepers.close()


def test_blocked_news_of_sleepers_is_unblocked(ours: Program, tmp_path: Path) -> None:
    """A logger started with all signals blocked hears of sleeping writers too."""
    with Pipe() as pipe, contextlib.ExitStack() as stack:
        stage = Stage(tmp_path, stdin=pipe.read)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            process = stack.enter_context(running(ours, ["-b", "-l0", "./d"], stage))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        pipe.feed(b"unfinished")
        settle_process(process)
        with sleeping_writer(pipe) as thread:
            wait_until(lambda: not thread.is_alive(), "the writer to wake up")
