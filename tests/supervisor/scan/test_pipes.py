"""The pipe between a service and its logger."""

import os

from supervisor.adoption.safe import Safe
from supervisor.scan.pipes import CLOSED, FULL_BYTES, LogPipe, make


def fresh() -> LogPipe:
    """Make one, of which nobody keeps copies."""
    return LogPipe(Safe(), b"key", make())


def closed(pipe: LogPipe) -> None:
    """Close what is left."""
    pipe.close_writing()
    pipe.close_reading()


def test_children_do_not_inherit_it() -> None:
    """Each gets its own end, by name."""
    pipe = fresh()
    assert not os.get_inheritable(pipe.reading)
    assert not os.get_inheritable(pipe.writing)
    closed(pipe)


def test_it_knows_what_waits_in_it() -> None:
    """In bytes; nothing when it has been given up."""
    pipe = fresh()
    assert pipe.waiting() == 0
    os.write(pipe.writing, b"12345")
    assert pipe.waiting() == 5
    pipe.close_writing()
    assert pipe.waiting() == 5
    assert os.read(pipe.reading, 10) == b"12345"
    assert os.read(pipe.reading, 10) == b""
    pipe.close_reading()
    assert pipe.waiting() == 0


def test_it_is_as_large_as_pipes_are() -> None:
    """Unless its user has too many of them."""
    pipe = fresh()
    assert pipe.size() == FULL_BYTES
    closed(pipe)


def test_an_end_is_closed_once() -> None:
    """Its number may belong to something else by then."""
    pipe = fresh()
    number = pipe.writing
    pipe.close_writing()
    assert pipe.writing == CLOSED
    other = os.open("/dev/null", os.O_RDONLY)
    assert other == number
    pipe.close_writing()
    os.fstat(other)
    assert not pipe.closed
    pipe.close_reading()
    assert pipe.closed
    os.close(other)
