"""A rotation goes step by step, waits where it must, and comes to its end."""

import os
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from inside import Desk, drive, only_action, open_descriptors, settle
from s6log.outputs.archive_names import is_archive
from s6log.outputs.current import Current
from s6log.outputs.recovery import open_logdir
from s6log.outputs.retention import Keep
from s6log.outputs.rotator import Rotator
from s6log.script import model
from s6log.unix.durable import Place
from s6log.unix.loop import Loop

MODE = 0o640
DONE_MODE = MODE | stat.S_IXUSR


class Rig:
    """A log directory whose rotations are begun by hand."""

    def __init__(self, desk: Desk, *script: str) -> None:
        action = only_action(*script, "./d")
        assert isinstance(action, model.Logdir)
        context = desk.context
        place = Place(context.base_fd, b"d")
        keep = Keep(action.rules, context.messages)
        found = open_logdir(place, MODE, keep, time.time_ns, context.locked)
        self.current = Current(place, MODE, found, context.messages)
        self.done = 0
        how = action.rules, action.processor, keep
        self.rotator = Rotator(context, place, self.current, how, self._on_done)
        self.path = desk.folder / "d"
        self.desk = desk
        desk.loop.on_signal(signal.SIGCHLD, desk.loop.reap_children)

    def rotate(self, content: bytes) -> None:
        """Begin a rotation of a file with this content."""
        self.current.append(b"", memoryview(content))
        self.rotator.start()

    def finish(self) -> None:
        """Let the loop turn until the rotation is over."""
        drive(self.desk.loop, lambda: self.rotator.settled, "the end of a rotation")

    def archives(self) -> list[tuple[str, int, bytes]]:
        """Give ending, mode and content of the archives, oldest first."""
        paths = sorted(path for path in self.path.iterdir() if is_archive(path.name))
        return [
            (path.suffix, stat.S_IMODE(path.stat().st_mode), path.read_bytes())
            for path in paths
        ]

    def others(self) -> set[str]:
        """Name what is not an archive."""
        return {name for name in os.listdir(self.path) if not is_archive(name)}

    def _on_done(self) -> None:
        self.done += 1


@pytest.fixture
def desk(loop: Loop, tmp_path: Path) -> Iterator[Desk]:
    """Prepare a folder for a log directory."""
    with Desk(loop, tmp_path) as made:
        yield made


STANDARD = {"lock", "state", "current"}


# ---- without a processor


def test_a_rotation_need_not_wait(desk: Desk) -> None:
    """It is over when `start` returns; nobody has to be told."""
    rig = Rig(desk)
    before = open_descriptors()
    rig.rotate(b"one\n")
    assert rig.rotator.settled
    rig.rotate(b"two\n")
    assert rig.archives() == [(".s", DONE_MODE, b"one\n"), (".s", DONE_MODE, b"two\n")]
    assert rig.others() == STANDARD
    assert (rig.current.size, rig.done) == (0, 0)
    assert open_descriptors() == before
    assert not rig.rotator.processes
    assert desk.said() == []


def test_an_empty_file_is_rotated_to_nothing(desk: Desk) -> None:
    """It leaves no archive (s6-log 2.15)."""
    rig = Rig(desk)
    rig.rotator.start()
    assert rig.rotator.settled
    assert rig.archives() == []
    assert rig.others() == STANDARD


def test_a_step_that_fails_is_tried_again(desk: Desk) -> None:
    """After the retry time, with a warning each time; then it goes on."""
    rig = Rig(desk, "r1")
    (rig.path / "previous" / "in the way").mkdir(parents=True)
    rig.rotate(b"one\n")
    assert not rig.rotator.settled
    warnings: list[str] = []
    while len(warnings) < 3:
        desk.loop.turn()
        warnings += desk.said()
    assert set(warnings) == {
        "warning: unable to rename d/current to d/previous: Is a directory"
    }
    assert rig.done == 0
    (rig.path / "previous" / "in the way").rmdir()
    (rig.path / "previous").rmdir()
    rig.finish()
    assert rig.done == 1
    assert rig.archives() == [(".s", DONE_MODE, b"one\n")]


def test_a_rotation_that_waits_can_be_told_to_go_on(desk: Desk) -> None:
    """SIGALRM does so; the retry that was planned does not come any more."""
    rig = Rig(desk, "r2147483647")
    (rig.path / "previous").mkdir()
    rig.rotate(b"one\n")
    rig.rotator.resume()
    assert len(desk.said()) == 2
    (rig.path / "previous").rmdir()
    rig.rotator.resume()
    assert (rig.rotator.settled, rig.done) == (True, 1)
    rig.rotator.resume()
    settle(desk.loop)
    assert rig.done == 1
    assert rig.archives() == [(".s", DONE_MODE, b"one\n")]


def test_a_directory_that_was_moved_away_is_waited_for(desk: Desk) -> None:
    """Its lines are archived when it is back."""
    rig = Rig(desk, "r2147483647")
    away = desk.folder / "away"
    rig.path.rename(away)
    rig.rotate(b"one\n")
    (warning,) = desk.said()
    assert warning.endswith("No such file or directory")
    away.rename(rig.path)
    rig.rotator.resume()
    assert rig.archives() == [(".s", DONE_MODE, b"one\n")]


# ---- with one


def test_a_processor_makes_the_archive(desk: Desk) -> None:
    """Of what it writes; it gets the lines, and the state that it left last time."""
    rig = Rig(desk, "?tr a-z A-Z; cat <&4; cat <&4 >&5; echo again >&5")
    before = open_descriptors()
    for content in (b"one\n", b"two\n", b"three\n"):
        rig.rotate(content)
        assert not rig.rotator.settled
        rig.finish()
    assert rig.rotator.processes
    assert rig.done == 3
    assert rig.archives() == [
        (".s", DONE_MODE, b"ONE\n"),
        (".s", DONE_MODE, b"TWO\nagain\n"),
        (".s", DONE_MODE, b"THREE\nagain\n"),
    ]
    assert rig.others() == STANDARD
    assert (rig.path / "state").read_bytes() == b"again\n"
    assert open_descriptors() == before
    assert desk.said() == []


def test_lines_may_be_appended_while_a_processor_runs(desk: Desk) -> None:
    """The new current is there before it starts."""
    rig = Rig(desk, "?cat")
    rig.rotate(b"one\n")
    rig.current.append(b"", memoryview(b"two\n"))
    rig.finish()
    assert rig.archives() == [(".s", DONE_MODE, b"one\n")]
    assert (rig.path / "current").read_bytes() == b"two\n"
    assert rig.current.size == 4


def test_a_processor_that_writes_nothing_leaves_no_archive(desk: Desk) -> None:
    """It has thrown the lines away."""
    rig = Rig(desk, "?cat > /dev/null")
    rig.rotate(b"one\n")
    rig.finish()
    assert rig.archives() == []
    assert rig.others() == STANDARD


@pytest.mark.parametrize(
    ("end", "fate"), [("exit 1", "failed"), ("kill -9 $$", "crashed")]
)
def test_a_processor_that_fails_runs_again(desk: Desk, end: str, fate: str) -> None:
    """From the start of its input; nothing of the attempt before remains."""
    command = f"cat; cat <&4; echo new >&5; test -e ../ok || {{ echo bad; {end}; }}"
    rig = Rig(desk, "r1", f"?{command}")
    rig.rotate(b"one\n")
    warnings: list[str] = []
    while len(warnings) < 2:
        desk.loop.turn()
        warnings += desk.said()
    (desk.folder / "ok").touch()
    rig.finish()
    assert set(warnings) == {f"warning: processor {fate} in d"}
    assert rig.done == 1
    assert rig.archives() == [(".s", DONE_MODE, b"one\n")]
    assert (rig.path / "state").read_bytes() == b"new\n"


def test_a_processor_that_fails_can_be_told_to_run_again(desk: Desk) -> None:
    """SIGALRM does not disturb one that runs."""
    rig = Rig(desk, "r2147483647", "?cat; test -e ../ok")
    rig.rotate(b"one\n")
    rig.rotator.resume()
    warnings: list[str] = []
    while not warnings:
        desk.loop.turn()
        warnings += desk.said()
    (desk.folder / "ok").touch()
    rig.rotator.resume()
    rig.finish()
    assert warnings == ["warning: processor failed in d"]
    assert rig.archives() == [(".s", DONE_MODE, b"one\n")]


@pytest.mark.parametrize(
    ("script", "obstacle", "complaint"),
    [
        ("!no-such-program", None, "run processor for logdir d: No such file"),
        ("?cat", "processed", "run processor for logdir d: Is a directory"),
        ("?cat", "newstate", "run processor for logdir d: Is a directory"),
    ],
)
def test_a_processor_that_cannot_be_started_is_tried_again(
    desk: Desk, script: str, obstacle: str | None, complaint: str
) -> None:
    """As any step that fails; nothing stays open."""
    rig = Rig(desk, "r2147483647", script)
    if obstacle:
        (rig.path / obstacle).mkdir()
    before = open_descriptors()
    rig.rotate(b"one\n")
    rig.rotator.resume()
    first, second = desk.said()
    assert first == second
    assert first.startswith("warning: unable to " + complaint)
    assert not rig.rotator.settled
    assert open_descriptors() == before
    assert (rig.path / "previous").read_bytes() == b"one\n"


@pytest.mark.parametrize(
    ("damage", "repair", "complaint"),
    [
        ("rm processed", "touch processed", "fd_sync d/processed"),
        ("rm newstate", "touch newstate", "fd_sync d/processed"),
        ("rm previous; mkdir previous", "rmdir previous", "unlink d/previous"),
        ("rm state; mkdir state", "rmdir state", "rename d/newstate to state"),
    ],
)
def test_every_step_after_a_processor_can_be_repeated(
    desk: Desk, damage: str, repair: str, complaint: str
) -> None:
    """Where it failed; what the processor wrote is not written again."""
    rig = Rig(desk, "r2147483647", f"?cat; echo run >> ../runs; {damage}")
    rig.rotate(b"one\n")
    warnings: list[str] = []
    while not warnings:
        desk.loop.turn()
        warnings += desk.said()
    assert warnings[0].startswith(f"warning: unable to {complaint}")
    subprocess.run(["/bin/sh", "-c", repair], cwd=rig.path, check=True)
    rig.rotator.resume()
    assert rig.rotator.settled
    assert (desk.folder / "runs").read_bytes() == b"run\n"
    expected = b"" if "processed" in damage else b"one\n"
    assert b"".join(content for _, _, content in rig.archives()) == expected
    assert rig.others() == STANDARD


def test_a_state_that_was_removed_is_an_empty_one(desk: Desk) -> None:
    """Without it a processor could never run."""
    rig = Rig(desk, "?cat; cat <&4")
    (rig.path / "state").unlink()
    rig.rotate(b"one\n")
    rig.finish()
    assert rig.archives() == [(".s", DONE_MODE, b"one\n")]
