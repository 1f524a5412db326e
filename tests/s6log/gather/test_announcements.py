"""Pipes that come and go, and the end of it."""

import os
from pathlib import Path

from consoles import NAME, Holder, drain
from harness import Pipe, finish
from watching import descriptors, settle


def test_it_ends_with_the_last_pipe(tmp_path: Path) -> None:
    """Not with the socket, which only says that no more are coming."""
    with Holder(tmp_path) as holder, Pipe() as out:
        first, last = holder.open(("web", 1), ("web", 2))
        with holder.showing("raw", out.write) as console:
            first.end()
            console.end()
            settle(console.process)
            assert console.process.poll() is None
            last.feed(b"unfinished")
            last.end()
            assert finish(console.process).code == 0
        assert drain(out) == b"unfinished\n"


def test_a_name_may_come_again(tmp_path: Path) -> None:
    """With new pipes; nothing of the old ones is kept."""
    with (
        Holder(tmp_path) as holder,
        Pipe() as out,
        holder.showing("tag", out.write) as console,
    ):
        settle(console.process)
        few = len(descriptors(console.process.pid))
        for number in range(5):
            (pipe,) = holder.open(("web", 1))
            console.announce(("web", 1), pipe.read)
            pipe.drop_read()
            pipe.feed(b"%d\n" % number)
            assert os.read(out.read, 100) == b"web | %d\n" % number
            pipe.end()
            settle(console.process)
            assert len(descriptors(console.process.pid)) == few
        console.end()
        assert finish(console.process).code == 0


def test_announcements_that_mean_nothing_are_ignored(tmp_path: Path) -> None:
    """With a warning, and without keeping their descriptors; others are served."""
    with Holder(tmp_path) as holder, Pipe() as out:
        (pipe,) = holder.open(("web", 1))
        with holder.showing("tag", out.write) as console:
            settle(console.process)
            few = len(descriptors(console.process.pid))
            with Pipe() as other:
                console.send(b"1web")
                console.send(b"1web", other.read, other.read)
                console.send(b"1web", *[other.read] * 9)
                console.send(b"1", other.read)
                console.send(b"3web", other.read)
                console.send(b"1" + 2000 * b"w", other.read)
            settle(console.process)
            assert len(descriptors(console.process.pid)) == few
            pipe.feed(b"a\n")
            assert os.read(out.read, 100) == b"web | a\n"
            holder.end()
            console.end()
            ended = finish(console.process)
    assert ended.code == 0
    said = ended.err.splitlines()
    text = NAME.encode() + b": warning: ignoring an announcement of "
    assert len(said) == 6
    assert all(each.startswith(text) for each in said)
