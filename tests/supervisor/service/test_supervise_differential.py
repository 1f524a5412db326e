"""Lives of a service under the real s6-supervise and under ours: they are the same.

Events, exit codes, messages, records, tallies and files are compared. What differs
is in tests/differing.py. See also test_supervise_states, _files, _directory, _process.
"""

import signal
import time
from pathlib import Path

import pytest

from differing import NO_DIRECTORY, NO_FILE, not_started, run_not_executed
from harness import wait_until
from trying import HANG, LISTEN, Trial, agree, read

SECOND_NS = 10**9


def test_without_finish(tmp_path: Path) -> None:
    """Up and down on command, once, and the end."""

    def play(trial: Trial) -> None:
        trial.service(HANG, down="")
        trial.start()
        trial.hear(b"s")
        trial.look("not started")
        trial.command(b"u")
        trial.hear(b"u")
        trial.look("up")
        trial.command(b"d")
        trial.hear(b"dD")
        trial.look("down")
        trial.command(b"ox")
        trial.hear(b"u")
        trial.kill(signal.SIGINT)
        trial.hear(b"dDx")
        trial.end()

    known = not_started("ready; 0x0000; pid is not there, down file")
    agree(play, tmp_path, {"not started": known})


@pytest.mark.parametrize("finish", [None, 'echo "$@" >>args', "exit 3"])
def test_crashes(finish: str | None, tmp_path: Path) -> None:
    """A restart a second later, each time."""

    def play(trial: Trial) -> None:
        trial.service("exit 7", finish)
        trial.start()
        trial.hear(b"sudD")
        trial.look("down")
        down_ns = trial.status.ready_ns
        trial.hear(b"u")
        paused_ns = trial.status.stamp_ns - down_ns
        trial.note("a second", 0.9 * SECOND_NS < paused_ns < 2 * SECOND_NS)
        trial.hear(b"dD")
        # Without its fourth argument, the pgid, which 2.11 does not give.
        lines = read(trial.directory / "args").splitlines()
        trial.note("arguments", [line.split()[:3] for line in lines])
        trial.signal(signal.SIGTERM)
        trial.hear(b"x")
        trial.end()

    agree(play, tmp_path)


def test_readiness(tmp_path: Path) -> None:
    """Ready for a second before its death, it is restarted at once; else later."""

    def play(trial: Trial) -> None:
        trial.service(LISTEN, notification_fd="3\n")
        trial.start()
        trial.hear(b"suU")
        trial.look("ready")
        second = trial.status.ready_ns + SECOND_NS
        wait_until(lambda: time.time_ns() > second, "a second to be over")
        trial.kill()
        trial.hear(b"dDuU")
        at_once_ns = trial.status.stamp_ns - trial.death_ns()
        trial.command(b"k")
        trial.hear(b"dDuU")
        later_ns = trial.status.stamp_ns - trial.death_ns()
        trial.note("at once, then later", at_once_ns < later_ns)
        trial.note("nearly a second", later_ns > 0.3 * SECOND_NS)
        trial.command(b"dx")
        trial.kill()
        trial.hear(b"dDx")
        trial.end()

    agree(play, tmp_path)


def test_permanent_failure(tmp_path: Path) -> None:
    """Finish exits 125: not wanted any more; a command starts it all the same."""

    def play(trial: Trial) -> None:
        trial.service("exit 1", "exit 125")
        trial.start()
        trial.hear(b"sudOD")
        trial.look("failed")
        trial.command(b"u")
        trial.hear(b"udOD")
        trial.look("failed again")
        trial.command(b"x")
        trial.end()

    agree(play, tmp_path)


@pytest.mark.parametrize(
    ("text", "mode", "reason", "hint"),
    [
        (None, 0, NO_FILE, ""),
        ("#!/bin/sh\n", 0o644, "Permission denied", ": it is not executable"),
        ("exec sleep 1000\n", 0o755, "Exec format error", ": it has no #! line"),
        ("#!/no/where\n", 0o755, NO_FILE, ": its interpreter /no/where is not there"),
    ],
    ids=["missing", "not executable", "no program", "bad interpreter"],
)
def test_run_that_cannot_be_executed(
    text: str | None, mode: int, reason: str, hint: str, tmp_path: Path
) -> None:
    """Nothing is heard, nothing shown; a command tries again at once."""

    def play(trial: Trial) -> None:
        trial.service()
        run = trial.directory / "run"
        run.unlink()
        if text is not None:
            run.write_text(text)
            run.chmod(mode)
        trial.start()
        trial.hear(b"s")
        trial.settle()
        trial.look("not started")
        run.unlink(missing_ok=True)
        run.write_text("#!/bin/sh\nexec sleep 1000\n")
        run.chmod(0o755)
        trial.command(b"u")
        trial.hear(b"u")
        trial.look("started")
        trial.command(b"dx")
        trial.hear(b"dDx")
        trial.end()

    agree(play, tmp_path, run_not_executed(reason, hint))


def test_finish_is_told_how_run_died(tmp_path: Path) -> None:
    """Exit code or 256, signal or 0, name; and the tally has it too."""

    def play(trial: Trial) -> None:
        trial.service(HANG, 'echo "$@" >>args', down="")
        trial.start()
        trial.hear(b"s")
        run = trial.directory / "run"
        for text in ("exit 0", "exit 255", *(f"kill -{n} $$" for n in (15, 6, 34, 9))):
            run.write_text(f"#!/bin/sh\n{text}\n")
            trial.command(b"o")
            trial.hear(b"udD")
            trial.look(text)
        lines = read(trial.directory / "args").splitlines()
        trial.note("arguments", [line.split()[:3] for line in lines])
        trial.command(b"x")
        trial.end()

    agree(play, tmp_path)


@pytest.mark.parametrize(
    "words",
    [
        "printf 'not yet' >&3; printf ' now\\n' >&3",
        "printf '%0600d\\n' 5 >&3",
        "exec 3>&-",
        "printf x >&3; exec 3>&-",
    ],
)
def test_what_run_says_about_its_readiness(words: str, tmp_path: Path) -> None:
    """A newline counts, wherever it comes; without one it never is ready.

    Text without newline must be followed by something here: until then 2.11, and
    2.15, wait for it and do nothing else.
    """

    def play(trial: Trial) -> None:
        trial.service(f"{words}; : >done; {HANG}", notification_fd="3")
        trial.start()
        trial.hear(b"su")
        wait_until((trial.directory / "done").exists, "run to have said it")
        trial.settle()
        trial.look("up")
        trial.command(b"dx")
        trial.end()

    agree(play, tmp_path)


def test_more_words_after_readiness(tmp_path: Path) -> None:
    """They are SIGPIPE to who says them: nobody listens any more."""

    def play(trial: Trial) -> None:
        trial.service("echo >&3; until test -e go; do :; done; exec echo >&3")
        (trial.directory / "notification-fd").write_text("3")
        trial.start()
        trial.hear(b"suU")
        (trial.directory / "go").touch()
        trial.hear(b"dD")
        trial.look("down")
        trial.command(b"dx")
        trial.end()

    agree(play, tmp_path)


def test_ready_and_dead_at_once(tmp_path: Path) -> None:
    """What it said before its death is heard."""

    def play(trial: Trial) -> None:
        trial.service("echo >&3", notification_fd="3")
        trial.start()
        trial.hear(b"suUdD")
        trial.command(b"dx")
        trial.hear(b"x")
        trial.end()

    agree(play, tmp_path)


def test_a_paused_service_is_taken_down(tmp_path: Path) -> None:
    """It is continued, so that it sees the signal."""

    def play(trial: Trial) -> None:
        trial.service(down_signal="USR1\n")
        trial.start()
        trial.hear(b"su")
        trial.command(b"p")
        trial.look("paused")
        trial.command(b"d")
        trial.hear(b"dD")
        trial.look("down")
        trial.command(b"x")
        trial.end()

    agree(play, tmp_path)


def test_several_letters_at_once(tmp_path: Path) -> None:
    """In their order, and unknown ones are passed over."""

    def play(trial: Trial) -> None:
        trial.service()
        trial.start()
        trial.hear(b"su")
        trial.command(b"\n z?9du\0\xff")
        trial.hear(b"dD")
        trial.look("restarting")
        trial.hear(b"u")
        trial.look("up again")
        trial.command(b"?" * 4000 + b"xd")
        trial.hear(b"dDx")
        trial.end()

    agree(play, tmp_path)


def test_a_directory_that_is_removed(tmp_path: Path) -> None:
    """The service is managed to its end all the same."""

    def play(trial: Trial) -> None:
        trial.service()
        trial.start()
        trial.hear(b"su")
        trial.settle()
        gone = trial.directory.with_name("gone")
        trial.directory.rename(gone)
        for path in sorted(gone.rglob("*"), reverse=True):
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink()
        gone.rmdir()
        trial.signal(signal.SIGTERM)
        trial.end()

    agree(play, tmp_path, {"stderr": NO_DIRECTORY})


def test_supervise_that_is_moved_away(tmp_path: Path) -> None:
    """Nothing can be written any more, and everything else goes on."""

    def play(trial: Trial) -> None:
        trial.service()
        trial.start()
        trial.hear(b"su")
        trial.settle()
        supervise = trial.directory / "supervise"
        supervise.rename(trial.directory / "elsewhere")
        trial.signal(signal.SIGTERM)
        trial.hear(b"dDx")
        supervise.symlink_to("elsewhere")
        trial.end()

    agree(play, tmp_path, {"stderr": NO_DIRECTORY})
