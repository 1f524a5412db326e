"""What a processor finds when it starts."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from inside import open_descriptors
from s6log.outputs.process import start
from s6log.script.model import Processor
from s6log.unix.durable import Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Make a log directory that is to be processed."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "previous").write_bytes(b"one\ntwo\n")
    (tmp_path / "d" / "state").write_bytes(b"state\n")
    base_fd = os.open(tmp_path, os.O_PATH)
    yield Place(base_fd, b"d")
    os.close(base_fd)


def shell(command: str) -> Processor:
    """Make a processor of a shell command."""
    words = (b"/bin/sh", b"-c", command.encode())
    return Processor(command.encode(), True, words)


def processed(place: Place, command: str) -> int:
    """Run a processor to its end; return its exit code."""
    before = open_descriptors()
    pid = start(shell(command), place)
    assert open_descriptors() == before
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_processor_reads_and_writes_files_of_the_directory(
    place: Place, tmp_path: Path
) -> None:
    """Lines on descriptors 0 and 1, its state on 4 and 5."""
    assert processed(place, "tr a-z A-Z; sed s/^/new-/ <&4 >&5") == 0
    assert (tmp_path / "d" / "processed").read_bytes() == b"ONE\nTWO\n"
    assert (tmp_path / "d" / "newstate").read_bytes() == b"new-state\n"


def test_a_processor_runs_in_the_directory(place: Place, tmp_path: Path) -> None:
    """And can use its files by name."""
    assert processed(place, "pwd; cat state") == 0
    expected = f"{tmp_path / 'd'}\nstate\n".encode()
    assert (tmp_path / "d" / "processed").read_bytes() == expected


@pytest.mark.parametrize("descriptor", ["0", "4"])
def test_what_is_read_cannot_be_written(place: Place, descriptor: str) -> None:
    """Not by mistake."""
    assert processed(place, f"echo x >&{descriptor}") != 0


def test_output_of_an_attempt_before_is_thrown_away(
    place: Place, tmp_path: Path
) -> None:
    """A processor that failed begins anew."""
    assert processed(place, "echo some; echo long state >&5; exit 1") == 1
    assert processed(place, "cat; echo s >&5") == 0
    assert (tmp_path / "d" / "processed").read_bytes() == b"one\ntwo\n"
    assert (tmp_path / "d" / "newstate").read_bytes() == b"s\n"


def test_a_missing_state_is_an_empty_one(place: Place, tmp_path: Path) -> None:
    """It may have been removed by hand."""
    (tmp_path / "d" / "state").unlink()
    assert processed(place, "cat <&4") == 0
    assert (tmp_path / "d" / "processed").read_bytes() == b""


def test_what_is_made_is_not_complete(place: Place, tmp_path: Path) -> None:
    """Recovery must not take the output of a processor that was killed for one."""
    assert processed(place, "cat") == 0
    for name in ("processed", "newstate"):
        assert not (tmp_path / "d" / name).stat().st_mode & stat.S_IXUSR


@pytest.mark.parametrize("missing", ["previous", "command"])
def test_what_is_missing_is_an_error(
    place: Place, tmp_path: Path, missing: str
) -> None:
    """Nothing is started or left open."""
    processor = shell("cat")
    if missing == "previous":
        (tmp_path / "d" / "previous").unlink()
    else:
        processor = Processor(b"no-such-command", False, (b"no-such-command",))
    before = open_descriptors()
    with pytest.raises(FileNotFoundError):
        start(processor, place)
    assert open_descriptors() == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
