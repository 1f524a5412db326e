"""Warnings of a process that must never wait."""

import contextlib
import os
import select
from collections.abc import Iterator
from pathlib import Path

from harness import Pipe
from s6log.unix.messages import Messages
from supervisor.scan.voice import Voice


@contextlib.contextmanager
def stderr() -> Iterator[Pipe]:
    """Let descriptor 2 be a pipe of one page, whose writers wait for room."""
    kept = os.dup(2)
    with Pipe(4096) as pipe:
        os.set_blocking(pipe.write, True)
        os.dup2(pipe.write, 2)
        try:
            yield pipe
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def heard(pipe: Pipe) -> list[bytes]:
    """Read all that was said."""
    said = b""
    while select.select([pipe.read], [], [], 0)[0]:
        said += os.read(pipe.read, 4096)
    return said.splitlines()


def test_what_is_said_is_heard() -> None:
    """In the form of all messages."""
    messages = Messages(b"s6-svscan")
    with stderr() as pipe:
        Voice(messages)
        messages.warn(b"something")
        assert heard(pipe) == [b"s6-svscan: warning: something"]


def test_nobody_waits_for_a_reader() -> None:
    """What does not fit is counted, and the count told when there is room again."""
    messages = Messages(b"s6-svscan")
    with stderr() as pipe:
        Voice(messages)
        for _ in range(10):
            messages.warn(b"x" * 980)
        assert len(heard(pipe)) == 4
        messages.warn(b"now")
        messages.warn(b"then")
        assert heard(pipe) == [
            b"s6-svscan: warning: nobody read stderr: 6 messages were lost",
            b"s6-svscan: warning: now",
            b"s6-svscan: warning: then",
        ]


def test_a_reader_that_has_gone_is_no_error() -> None:
    """What is said to nobody is lost, and that is all."""
    messages = Messages(b"s6-svscan")
    with stderr() as pipe:
        Voice(messages)
        pipe.drop_read()
        messages.warn(b"nobody hears this")


def test_the_descriptor_stays_as_it_is() -> None:
    """Others share it: never O_NONBLOCK."""
    messages = Messages(b"s6-svscan")
    with stderr():
        Voice(messages)
        messages.warn(b"something")
        assert os.get_blocking(2)


def test_it_moves_with_the_descriptor() -> None:
    """What was said before stays where it was."""
    messages = Messages(b"s6-svscan")
    with stderr() as pipe, Pipe() as other:
        voice = Voice(messages)
        messages.warn(b"here")
        os.dup2(other.write, 2)
        voice.move()
        messages.warn(b"there")
        assert heard(other) == [b"s6-svscan: warning: there"]
        assert heard(pipe) == [b"s6-svscan: warning: here"]


def test_moving_lets_a_named_pipe_go(tmp_path: Path) -> None:
    """It is opened anew to write without waiting: its reader must see the end."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    messages = Messages(b"s6-svscan")
    with stderr() as pipe:
        writer = os.open(path, os.O_WRONLY)
        os.dup2(writer, 2)
        os.close(writer)
        voice = Voice(messages)
        messages.warn(b"here")
        os.dup2(pipe.write, 2)
        voice.move()
        assert os.read(reader, 100) == b"s6-svscan: warning: here\n"
        assert os.read(reader, 100) == b""
    os.close(reader)
