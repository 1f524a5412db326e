"""with-retries: how often, how long, and what becomes of signals."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

import harness
import watching
from chains import become
from harness import Outcome, Stage, running, wait_until

TRY = 'echo try >>tries; test "$(wc -l <tries)" -ge "$0"'
"""Succeeds when it is tried for the nth time."""


def with_retries(folder: Path, *words: str) -> Outcome:
    """Run it in a folder."""
    return become(harness.ours("with-retries"), words, Stage(folder))


def tries(folder: Path) -> int:
    """Count how often the program ran."""
    path = folder / "tries"
    return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.mark.parametrize(
    ("options", "needed", "code", "tried"),
    [
        ((), 1, 0, 1),
        ((), 3, 0, 3),
        ((), 4, 99, 3),
        (("-n", "5"), 5, 0, 5),
        (("-n1",), 2, 99, 1),
        (("-n", "0"), 1, 99, 0),
        (("-t", "20000", "-n", "2"), 2, 0, 2),
        (("-t", "0", "--"), 2, 0, 2),
    ],
)
def test_it_tries_until_it_succeeds(
    options: Sequence[str], needed: int, code: int, tried: int, tmp_path: Path
) -> None:
    """And not once more, and not too often."""
    told = with_retries(tmp_path, *options, "sh", "-c", TRY, str(needed))
    assert (told.code, told.out, told.err) == (code, b"", b"")
    assert tries(tmp_path) == tried


def test_what_takes_too_long_is_killed(tmp_path: Path) -> None:
    """With what it has started; and it counts as a failure."""
    text = "echo $$ >>pids; sleep 1000 & echo $! >>pids; wait"
    told = with_retries(tmp_path, "-t", "200", "-n", "2", "sh", "-c", text)
    assert told.code == 99
    pids = (tmp_path / "pids").read_text().split()
    assert len(pids) == 4
    for pid in map(int, pids):
        wait_until(lambda pid=pid: gone(pid), "all to be killed")  # type: ignore[misc]


def gone(pid: int) -> bool:
    """Tell whether a process has ended; its parent may not have heard."""
    try:
        return watching.ended(watching.facts(pid))
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_a_try_that_is_killed_is_followed_by_another(tmp_path: Path) -> None:
    """Which may succeed."""
    text = "echo >>tries; test -e once && exit; touch once; exec sleep 1000"
    assert with_retries(tmp_path, "sh", "-c", text).code == 0
    assert tries(tmp_path) == 2


@pytest.mark.parametrize(
    "signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT]
)
def test_a_signal_ends_both(signum: signal.Signals, tmp_path: Path) -> None:
    """The program gets it, and may take its time; no other try follows."""
    name = signum.name.removeprefix("SIG")
    trap = f"trap 'kill $!; echo got >got; exit 1' {name}"
    text = f"sleep 1000 & {trap}; touch there; wait"
    words = ["-t", "0", "sh", "-c", text]
    with running(harness.ours("with-retries"), words, Stage(tmp_path)) as process:
        wait_until((tmp_path / "there").exists, "the program to run")
        process.send_signal(signum)
        assert process.wait(harness.DEADLINE_S) == -signum
    assert (tmp_path / "got").read_text() == "got\n"


def test_a_signal_that_is_ignored_is_ignored(tmp_path: Path) -> None:
    """As by nohup(1), for the program too."""
    text = "kill -HUP $PPID; kill -HUP $$; echo done"
    start = ["nohup", *harness.ours("with-retries").argv, "sh", "-c", text]
    program = harness.Program("nohup", tuple(start))
    told = become(program, [], Stage(tmp_path))
    assert (told.code, told.out) == (0, b"done\n")


def test_the_program_is_as_it_would_be(tmp_path: Path) -> None:
    """With descriptors, environment, and no signal blocked or ignored."""
    stage = Stage(tmp_path, env={"A": "a"})
    words = ["sh", "-c", "grep Sig[BI] /proc/self/status; cat; echo $A"]
    told = harness.run(harness.ours("with-retries"), words, b"in\n", stage)
    blocked, ignored, *rest = told.out.split(b"\n")
    assert int(blocked.split()[1], 16) == 0
    # posix_spawn(3) of glibc lets what is ignored be two signals that are its own.
    assert int(ignored.split()[1], 16) & ~(3 << 31) == 0
    assert rest == [b"in", b"a", b""]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 100),
        (("-n", "2"), 100),
        (("-n", "x", "true"), 100),
        (("-t", "-1", "true"), 100),
        (("-x", "true"), 100),
        (("no-such-program",), 127),
        (("",), 100),
        (("/etc/passwd",), 126),
    ],
)
def test_mistakes_are_told(words: Sequence[str], code: int, tmp_path: Path) -> None:
    """In one line; what cannot be executed is not tried again."""
    told = with_retries(tmp_path, *words)
    assert told.code == code
    assert told.err.startswith(b"with-retries: ")
    assert told.err.count(b"\n") == 1
    assert os.listdir(tmp_path) == []
