"""Why a program that is there cannot be executed, where the system does not say."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from differing import NO_FILE, WARNING
from harness import ours
from supervisor.service.interpreter import hint, interpreter, visible, why
from trying import HANG, Trial


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    """Give a descriptor of a directory."""
    fd = os.open(tmp_path, os.O_PATH)
    yield fd
    os.close(fd)


def executed(path: bytes, directory: int) -> OSError:
    """Try to execute a program of a directory; give the error."""
    home = os.open(".", os.O_PATH)
    try:
        os.fchdir(directory)
        with pytest.raises(OSError, match=r".") as failed:
            os.posix_spawn(path, [path], {})
        return failed.value
    finally:
        os.fchdir(home)
        os.close(home)


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        (
            b"#!/bin/sh\r\nexec true\r\n",
            0o755,
            rb"its interpreter /bin/sh\r is not there (lines end in CR LF)",
        ),
        (
            b"#! \t/command/execlineb -P\n",
            0o755,
            b"its interpreter /command/execlineb is not there",
        ),
        (b"#!no/where", 0o755, b"its interpreter no/where is not there"),
        (b"#!\x1b[2J\n", 0o755, rb"its interpreter \x1b[2J is not there"),
        (b"#!./nested\n", 0o755, b"its interpreter ./nested cannot be executed"),
        (b"#!./plain\n", 0o755, b"its interpreter ./plain is not executable"),
        (b"#!.\n", 0o755, b"its interpreter . is not executable"),
        (b"#!/bin/sh\n", 0o644, b"it is not executable"),
        (b"exec true\n", 0o755, b"it has no #! line"),
        (b"\n#!/bin/sh\n", 0o755, b"it has no #! line"),
        (b"", 0o755, b"it is empty"),
        (
            b"\xef\xbb\xbf#!/bin/sh\n",
            0o755,
            b"it begins with a byte order mark instead of #!",
        ),
        (b"\x7fELF\x02\x01\x01", 0o755, b"it may be for another kind of processor"),
        (b"#! \n", 0o755, b""),
    ],
)
def test_a_hint(
    text: bytes, mode: int, said: bytes, tmp_path: Path, folder: int
) -> None:
    """What the system makes of it, and what it leaves out."""
    (tmp_path / "nested").write_text("#!/no/where\n")
    (tmp_path / "nested").chmod(0o755)
    (tmp_path / "plain").write_text("#!/bin/sh\n")
    run = tmp_path / "run"
    run.write_bytes(text)
    run.chmod(mode)
    error = executed(b"./run", folder)
    assert hint(b"./run", folder, error) == said
    assert error.errno is not None
    reason = os.strerror(error.errno).encode()
    assert why(b"./run", folder, error) == reason + (b": " + said if said else b"")


def test_a_program_for_another_system(tmp_path: Path) -> None:
    """Its loader is what is missing: here one of another C library."""
    program = Path("/bin/true").read_bytes()
    at = program.index(b"/ld-linux")
    (tmp_path / "run").write_bytes(program[:at] + b"/no-linux" + program[at + 9 :])
    (tmp_path / "run").chmod(0o755)
    path = os.fsencode(tmp_path / "run")
    with pytest.raises(FileNotFoundError) as failed:
        os.posix_spawn(path, [path], {})
    expected = b"its dynamic loader is not there: it may be for another C library"
    assert hint(path, None, failed.value) == expected


def nothing(_run: Path) -> None:
    """Leave it away."""


def fifo(run: Path) -> None:
    """Make a FIFO, which nobody writes to."""
    os.mkfifo(run, 0o755)


def directory(run: Path) -> None:
    """Make a directory."""
    run.mkdir()


def loop(run: Path) -> None:
    """Make a link to itself."""
    run.symlink_to(run.name)


def program(run: Path) -> None:
    """Make a program without a fault."""
    run.write_text("#!/bin/sh\n")
    run.chmod(0o755)


@pytest.mark.parametrize("make", [nothing, fifo, directory, loop])
@pytest.mark.parametrize("number", [errno.ENOENT, errno.EACCES, errno.ENOEXEC])
def test_nothing_to_add(
    make: Callable[[Path], None], number: int, tmp_path: Path, folder: int
) -> None:
    """What is no regular file is not looked into."""
    make(tmp_path / "run")
    assert hint(b"./run", folder, OSError(number, "")) == b""


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOMEM, errno.EAGAIN, None])
def test_other_reasons_speak_for_themselves(
    number: int | None, tmp_path: Path, folder: int
) -> None:
    """Also where the program is as it should be: a file system without programs."""
    program(tmp_path / "run")
    error = OSError("odd") if number is None else OSError(number, "")
    assert hint(b"./run", folder, error) == b""


@given(st.binary(max_size=300))
def test_any_beginning_can_be_read(head: bytes) -> None:
    """A name is one word of the first line, and `#!` comes before it."""
    name = interpreter(head)
    assert (name is None) == (not head.startswith(b"#!"))
    if name:
        assert name in head.split(b"\n")[0]
        assert not set(name) & set(b" \t\n\0")


@given(st.binary())
def test_nothing_invisible_is_left(text: bytes) -> None:
    """And what can be seen is as it was."""
    shown = visible(text)
    assert not any(byte < 0x20 or byte == 0x7F for byte in shown)
    kept = bytes(byte for byte in text if byte >= 0x20 and byte != 0x7F)
    assert visible(kept) == kept
    assert len(shown) >= len(text)


def test_the_warnings_say_it(tmp_path: Path) -> None:
    """Of run and of finish, behind what they have always said."""
    with Trial(ours("s6-supervise"), tmp_path) as trial:
        trial.service(HANG)
        run, finish = trial.directory / "run", trial.directory / "finish"
        good = run.read_bytes()
        finish.write_text("#!/command/execlineb -P\n")
        finish.chmod(0o755)
        run.write_bytes(good.replace(b"\n", b"\r\n"))
        trial.start()
        trial.hear(b"s")
        trial.settle()
        run.write_bytes(good)
        trial.command(b"u")
        trial.hear(b"u")
        trial.command(b"d")
        trial.hear(b"dD")
        assert trial.told() == [
            f"{WARNING}unable to spawn ./run (waiting 60 seconds): {NO_FILE}: "
            r"its interpreter /bin/sh\r is not there (lines end in CR LF)",
            f"{WARNING}unable to spawn ./finish: {NO_FILE}: "
            "its interpreter /command/execlineb is not there",
        ]
