"""What a logger holds on to: memory, descriptors, children."""

import os
import signal
from pathlib import Path

import pytest

from harness import Pipe, Program, Stage, finish, running, wait_until
from numbered import Reading, Source, leftovers, lines
from watching import children, descriptors, resident_bytes, rest, settle

LIMIT_BYTES = 16 << 20
PIPES_BYTES = 3 << 18  # both pipes, enlarged, and the buffer between them
SLACK_BYTES = 4 << 20


@pytest.mark.parametrize("options", [[], ["-b"]], ids=["", "-b"])
def test_rotations_leak_no_descriptors(
    ours: Program, options: list[str], tmp_path: Path
) -> None:
    """After many rotations, failed processors included, the same ones are open."""
    flaky = "?test -e ../ok || { : >../ok; exit 1; }; rm ../ok; cat"
    script = [*options, "n9", "r1", flaky, "./d", "?cat", "./e", "!", "./f"]
    with Pipe() as pipe:
        stage = Stage(tmp_path, stdin=pipe.read)
        with running(ours, script, stage) as process:
            counts = []
            for number in range(15):
                pipe.feed(lines(number, number + 1))
                settle(process)
                process.send_signal(signal.SIGALRM)
                rest(process)
                wait_until(lambda: at_rest(tmp_path), "the rotations' end")
                rest(process)
                counts.append(len(descriptors(process.pid)))
            pipe.end()
            assert finish(process).code == 0
    assert counts[1:] == counts[:-1]


def at_rest(folder: Path) -> bool:
    """Tell whether no rotation is under way in any log directory below."""
    return not any(leftovers(folder / name) for name in "def")


def test_slow_processor_bounds_memory(ours: Program, tmp_path: Path) -> None:
    """A processor that does not end stops the input at the buffer's limit.

    When it ends, everything that piled up goes into one file.
    """
    os.mkfifo(tmp_path / "gate")
    gate = os.open(tmp_path / "gate", os.O_RDWR)
    script = ["n99", "s268435455", "?test -e ../open || read x <../gate; cat", "./d"]
    with Pipe() as pipe:
        source = Source(pipe, 1000)
        stage = Stage(tmp_path, stdin=pipe.read)
        with running(ours, script, stage) as process:
            settle(process)
            base_bytes = resident_bytes(process.pid)
            source.pour(4096)
            settle(process)
            process.send_signal(signal.SIGALRM)
            wait_until(lambda: bool(children(process.pid)), "the processor")
            source.pour_until_stuck(process)
            assert LIMIT_BYTES - 65536 <= source.given <= LIMIT_BYTES + PIPES_BYTES
            used_bytes = resident_bytes(process.pid) - base_bytes
            assert used_bytes <= LIMIT_BYTES + SLACK_BYTES
            (tmp_path / "open").touch()
            os.write(gate, b"go on\n")
            count = source.stop()
            ending = finish(process)
    os.close(gate)
    stopped, resumed = ending.err.splitlines()
    assert ending.code == 0
    assert stopped.startswith(b"s6-log: warning: reading stopped: ")
    assert b"./d" in stopped
    assert resumed.startswith(b"s6-log: warning: reading goes on: ")
    assert Reading(tmp_path / "d").numbers == list(range(count))


def test_inherited_children_are_collected(ours: Program, tmp_path: Path) -> None:
    """Children of whoever was this process before do not stay as zombies."""
    shell = Program("sh", ("/bin/sh", "-c", 'cat gate & exec "$0" "$@"'))
    os.mkfifo(tmp_path / "gate")
    gate = os.open(tmp_path / "gate", os.O_RDWR)
    with Pipe() as pipe:
        stage = Stage(tmp_path, stdin=pipe.read)
        with running(shell, [*ours.argv, "?cat", "./d"], stage) as process:
            settle(process)
            assert len(children(process.pid)) == 1
            os.close(gate)
            wait_until(lambda: not children(process.pid), "the child's end")
            pipe.feed(b"a\n")
            settle(process)
            process.send_signal(signal.SIGALRM)
            rest(process)
            pipe.end()
            assert finish(process).code == 0
    [archive] = (tmp_path / "d").glob("@*.s")
    assert archive.read_bytes() == b"a\n"


def test_many_directories(ours: Program, tmp_path: Path) -> None:
    """One logger may have any number of directories."""
    names = [f"d{number}" for number in range(60)]
    with Pipe() as pipe:
        stage = Stage(tmp_path, stdin=pipe.read)
        with running(ours, [f"./{name}" for name in names], stage) as process:
            pipe.feed(lines(0, 100))
            pipe.end()
            assert finish(process).code == 0
    for name in names:
        assert (tmp_path / name / "current").read_bytes() == lines(0, 100)
