"""The directory .s6-svscan."""

import os
import stat
from pathlib import Path

import pytest

from inside import drive, settle
from s6log.unix.loop import Loop
from s6log.unix.messages import MISTAKE, REFUSED, Fatal
from supervisor.clients import asking
from supervisor.scan.control import Control

CONTROL = b".s6-svscan/control"


@pytest.fixture(autouse=True)
def _in_scan_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def mode(path: str) -> int:
    """Give the permission bits."""
    return stat.S_IMODE(os.stat(path).st_mode)


def ignore(_letters: bytes) -> None:
    """Hear nothing."""


def refusal() -> Fatal:
    """Give the reason why the directory cannot be taken."""
    with pytest.raises(Fatal) as caught:
        Control(ignore)
    return caught.value


def test_what_is_missing_is_made(loop: Loop) -> None:
    """Only the owner may look, whatever the umask."""
    before = os.umask(0o777)
    try:
        Control(ignore).stop(loop)
    finally:
        assert os.umask(before) == 0o777
    assert mode(".s6-svscan") == 0o700
    assert mode(".s6-svscan/lock") == 0o600
    assert mode(".s6-svscan/control") == 0o600
    assert stat.S_ISFIFO(os.stat(".s6-svscan/control").st_mode)


def test_what_is_there_keeps_its_mode(loop: Loop) -> None:
    """Others may have been let in."""
    os.mkdir(".s6-svscan", 0o755)
    os.mkfifo(".s6-svscan/control", 0o640)
    Control(ignore).stop(loop)
    assert mode(".s6-svscan") == 0o755
    assert mode(".s6-svscan/control") == 0o640


def test_there_is_one_supervisor_at_a_time(loop: Loop) -> None:
    """The second is told so; after the first has gone there may be another."""
    first = Control(ignore)
    failure = refusal()
    assert failure.code == MISTAKE
    assert failure.text == (
        b"another instance of s6-svscan is already running on the same directory"
    )
    assert asking.locked(b".s6-svscan/lock")
    first.stop(loop)
    assert not asking.locked(b".s6-svscan/lock")
    Control(ignore).stop(loop)


def test_a_file_in_the_place_of_the_directory_is_refused() -> None:
    """In the words of s6."""
    Path(".s6-svscan").touch()
    failure = refusal()
    assert failure.code == MISTAKE
    assert failure.text == b".s6-svscan exists and is not a directory"


def test_a_file_in_the_place_of_the_fifo_is_refused() -> None:
    """Nothing is left locked by it."""
    os.mkdir(".s6-svscan")
    Path(".s6-svscan/control").touch()
    failure = refusal()
    assert failure.code == MISTAKE
    assert failure.text == b".s6-svscan/control is not a FIFO"
    assert not asking.locked(b".s6-svscan/lock")


def test_a_directory_in_the_place_of_the_lock_is_refused() -> None:
    """With the reason of the system."""
    os.makedirs(".s6-svscan/lock")
    failure = refusal()
    assert failure.code == REFUSED
    assert failure.text == b"unable to open .s6-svscan/lock"


def test_letters_are_heard(loop: Loop) -> None:
    """As they were written together."""
    heard: list[bytes] = []
    control = Control(heard.append)
    control.listen(loop)
    asking.send(CONTROL, b"an")
    drive(loop, lambda: bool(heard), "the letters")
    assert heard == [b"an"]
    settle(loop)
    assert heard == [b"an"]
    control.stop(loop)


def test_a_flood_is_heard_in_pieces(loop: Loop) -> None:
    """Between them everybody else gets a turn."""
    heard: list[bytes] = []
    turns: list[int] = []
    control = Control(heard.append)
    control.listen(loop)

    def write(fd: int) -> None:
        try:
            os.write(fd, b"x" * 100_000)
        except BlockingIOError:
            pass
        turns.append(len(heard))

    fd = os.open(CONTROL, os.O_WRONLY | os.O_NONBLOCK)
    for _ in range(20):
        write(fd)
        loop.turn()
    os.close(fd)
    assert turns == list(range(20))
    assert max(map(len, heard)) <= 4096
    control.stop(loop)
