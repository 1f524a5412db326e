"""The same scenarios with the real s6-supervise and ours: all that is seen agrees.

The oracle is s6 2.11.3.2, ours behaves as 2.15.1.0: where these two differ, or
where a difference was decided, it is in a table, with its reason. What is in the
table has to differ, or the test fails too.
"""

import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import harness
from harness import wait_until
from supervisor.service.commands import COMMANDS
from trying import LISTEN, Trial, left_over, read

TELL = 'echo "$@" >args; exit %d'
HANG = "exec sleep 1000"
SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT)
"""What a supervisor takes."""


@dataclass(frozen=True)
class Difference:
    """What the oracle shows and ours shows otherwise, and why that is so."""

    theirs: object
    ours: object
    why: str


# ---- scenarios: each is played by both programs

Scenario = Callable[[Trial], None]
SCENARIOS: dict[str, Scenario] = {}


def scenario(play: Scenario) -> Scenario:
    """Add a scenario under its name."""
    SCENARIOS[play.__name__] = play
    return play


@scenario
def life_without_finish(trial: Trial) -> None:
    """Up at once, down on command, up again, and the end."""
    trial.service(down="")
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


@scenario
def life_with_finish(trial: Trial) -> None:
    """A crash, and the restart a second later."""
    trial.service("exit 7", TELL % 0)
    trial.start()
    trial.hear(b"sudDud")
    trial.hear(b"D")
    trial.note("arguments", read(trial.directory / "args").split()[:3])
    trial.command(b"dx")
    trial.hear(b"x")
    trial.end()


@scenario
def crashes_without_finish(trial: Trial) -> None:
    """A crash, and the restart a second later."""
    trial.service("exit 7")
    trial.start()
    trial.hear(b"sudD")
    trial.look("down")
    trial.hear(b"udD")
    trial.signal(signal.SIGTERM)
    trial.hear(b"x")
    trial.end()


@scenario
def readiness(trial: Trial) -> None:
    """Ready for a second before its death: the restart comes at once."""
    trial.service(LISTEN, notification_fd="3\n")
    trial.start()
    trial.hear(b"suU")
    trial.look("ready")
    first = trial.status.ready_ns
    wait_until(lambda: trial.now_ns() - first > 10**9, "a second to be over")
    trial.kill()
    trial.hear(b"dDuU")
    trial.note("at once", trial.status.stamp_ns - trial.death_ns() < 9 * 10**8)
    trial.command(b"k")
    trial.hear(b"dDuU")
    trial.note("after a pause", trial.status.stamp_ns - trial.death_ns() > 5 * 10**8)
    trial.command(b"dx")
    trial.kill()
    trial.hear(b"dDx")
    trial.end()


@scenario
def permanent_failure(trial: Trial) -> None:
    """Finish exits 125: not wanted any more; a command starts it all the same."""
    trial.service("exit 1", TELL % 125)
    trial.start()
    trial.hear(b"sudOD")
    trial.look("failed")
    trial.command(b"u")
    trial.hear(b"udOD")
    trial.look("failed again")
    trial.command(b"x")
    trial.end()


def run_that_cannot_start(trial: Trial, text: str | None, mode: int = 0o755) -> None:
    """Let nothing be heard or shown; a command tries again at once."""
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


@scenario
def run_is_missing(trial: Trial) -> None:
    """No such file."""
    run_that_cannot_start(trial, None)


@scenario
def run_is_not_executable(trial: Trial) -> None:
    """Permission denied."""
    run_that_cannot_start(trial, "#!/bin/sh\n", 0o644)


@scenario
def run_is_no_program(trial: Trial) -> None:
    """Without #!, there is no shell for it."""
    run_that_cannot_start(trial, "exec sleep 1000\n")


@scenario
def run_has_a_bad_interpreter(trial: Trial) -> None:
    """No such file, either."""
    run_that_cannot_start(trial, "#!/nowhere\n")


@scenario
def finish_is_told_how_run_died(trial: Trial) -> None:
    """Exit code or 256, signal or 0, name."""
    trial.service(HANG, 'echo "$@" >>args', down="")
    trial.start()
    trial.hear(b"s")
    run = trial.directory / "run"
    for text in ("exit 0", "exit 255", "kill -TERM $$", "kill -ABRT $$", "kill -34 $$"):
        run.write_text(f"#!/bin/sh\n{text}\n")
        trial.command(b"o")
        trial.hear(b"udD")
        trial.look(text)
    lines = read(trial.directory / "args").splitlines()
    trial.note("arguments", [line.split()[:3] for line in lines])
    trial.command(b"x")
    trial.end()


@scenario
def finish_is_not_executable(trial: Trial) -> None:
    """As if there were none."""
    trial.service("exit 1", "")
    (trial.directory / "finish").chmod(0o644)
    trial.start()
    trial.hear(b"sudD")
    trial.command(b"dx")
    trial.hear(b"x")
    trial.end()


@scenario
def finish_takes_too_long(trial: Trial) -> None:
    """It is killed, with a warning."""
    trial.service("exit 1", HANG, timeout_finish="200\n")
    trial.start()
    trial.hear(b"sudD")
    trial.command(b"dx")
    trial.hear(b"x")
    trial.end()


@scenario
def finish_may_take_as_long_as_it_wants(trial: Trial) -> None:
    """With timeout-finish 0; a signal that kills it means nothing."""
    trial.service("exit 1", HANG, timeout_finish="0\n")
    trial.start()
    trial.hear(b"sud")
    trial.look("finishing")
    trial.command(b"kd")
    trial.look("signals are not for finish")
    trial.kill(signal.SIGTERM)
    trial.hear(b"D")
    trial.look("down")
    trial.command(b"x")
    trial.end()


@scenario
def service_does_not_die(trial: Trial) -> None:
    """It is killed after timeout-kill."""
    trial.service(LISTEN, notification_fd="3", timeout_kill="100\n")
    trial.start()
    trial.hear(b"suU")
    trial.command(b"d")
    trial.hear(b"dD")
    trial.look("killed")
    trial.command(b"x")
    trial.end()


def down_signal(trial: Trial, text: str) -> None:
    """Take a service down that lists the signals it gets."""
    trial.service(LISTEN, notification_fd="3", down_signal=text)
    trial.start()
    trial.hear(b"suU")
    trial.command(b"d")
    trial.look("d")
    trial.command(b"r")
    trial.look("r")
    trial.signal(signal.SIGTERM)
    trial.look("TERM")
    trial.kill()
    trial.hear(b"dDx")
    trial.end()


for number, text in enumerate(
    ("USR1\n", "sigint\n", "10", "SIGUSR2 \n", "\n", "", "TERM INT", "WINCH\nINT\n")
):
    SCENARIOS[f"down_signal_{number}"] = lambda trial, text=text: down_signal(
        trial, text
    )


@scenario
def paused_service_is_taken_down(trial: Trial) -> None:
    """It is continued, so that it sees the signal."""
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


def tally_of(trial: Trial, most: str) -> None:
    """Let a service die five times."""
    trial.service("exit $(cat code)", max_death_tally=most, down="", code="1")
    trial.start()
    trial.hear(b"s")
    for code in range(5):
        (trial.directory / "code").write_text(str(code))
        trial.command(b"o")
        trial.hear(b"udD")
    trial.command(b"x")
    trial.hear(b"x")
    trial.end()


for number, most in enumerate(("0", "1\n", "3", "5000", "-1", "", "many", "3 # three")):
    SCENARIOS[f"max_death_tally_{number}"] = lambda trial, most=most: tally_of(
        trial, most
    )


def notification_fd(trial: Trial, text: str, fd: int) -> None:
    """Say something on a descriptor that may not be there."""
    trial.service(f"{{ echo >&{fd}; }} 2>error; {HANG}", notification_fd=text)
    trial.start()
    trial.hear(b"su")
    wait_until((trial.directory / "error").exists, "run to have said it")
    trial.settle()
    trial.look("up")
    trial.note("was open", read(trial.directory / "error") == b"")
    trial.command(b"dx")
    trial.end()


for number, (text, fd) in enumerate(
    (
        ("7\n", 7),
        ("7 ", 7),
        ("x", 7),
        ("", 7),
        ("99999999999", 9),
        ("1", 1),
        ("2\nthree", 2),
    )
):
    SCENARIOS[f"notification_fd_{number}"] = (
        lambda trial, text=text, fd=fd: notification_fd(trial, text, fd)
    )


def says(trial: Trial, command: str) -> None:
    """Write to the notification-fd as `command` does, and then wait."""
    trial.service(f"{command}; touch done; {HANG}", notification_fd="3")
    trial.start()
    trial.hear(b"su")
    wait_until((trial.directory / "done").exists, "run to have said it")
    trial.settle()
    trial.look("up")
    trial.command(b"dx")
    trial.end()


for number, command in enumerate(
    (
        "printf 'not yet' >&3; printf ' now\\n' >&3",
        "printf '%0600d\\n' 5 >&3",
        "exec 3>&-",
        "printf x >&3; exec 3>&-",
    )
):
    SCENARIOS[f"readiness_{number}"] = lambda trial, command=command: says(
        trial, command
    )


@scenario
def service_says_more_after_it_is_ready(trial: Trial) -> None:
    """It gets SIGPIPE: nobody reads any more."""
    trial.service("echo >&3; until test -e go; do :; done; echo >&3; exit 4")
    (trial.directory / "notification-fd").write_text("3")
    trial.start()
    trial.hear(b"suU")
    (trial.directory / "go").touch()
    trial.hear(b"dD")
    trial.look("down")
    trial.command(b"dx")
    trial.end()


@scenario
def ready_and_dead_at_once(trial: Trial) -> None:
    """What it said before its death is heard."""
    trial.service("echo >&3", notification_fd="3")
    trial.start()
    trial.hear(b"suUdD")
    trial.command(b"dx")
    trial.hear(b"x")
    trial.end()


@scenario
def down_files(trial: Trial) -> None:
    """`D` and `Q` make one, `U` removes it, `u` and `d` do not care."""
    trial.service(down="")
    trial.start()
    trial.hear(b"s")
    for letter, heard in (
        (b"u", b"u"),
        (b"U", b""),
        (b"Q", b""),
        (b"U", b""),
        (b"D", b"dD"),
        (b"u", b"u"),
        (b"d", b"dD"),
        (b"U", b"u"),
    ):
        trial.command(letter)
        trial.hear(heard)
        trial.look(f"{letter!r} {len(trial.seen)}")
    trial.command(b"Dx")
    trial.hear(b"dDx")
    trial.end()


@scenario
def down_is_a_directory(trial: Trial) -> None:
    """It counts; that it can be neither made nor removed is told."""
    trial.service()
    (trial.directory / "down").mkdir()
    trial.start()
    trial.hear(b"s")
    trial.look("not wanted")
    trial.command(b"U")
    trial.hear(b"u")
    trial.command(b"D")
    trial.hear(b"dD")
    trial.look("down")
    trial.command(b"x")
    trial.end()


@scenario
def several_letters_at_once(trial: Trial) -> None:
    """In their order, and unknown ones are passed over."""
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


@scenario
def directory_is_removed(trial: Trial) -> None:
    """It is managed to its end all the same."""
    trial.service()
    trial.start()
    trial.hear(b"su")
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


@scenario
def supervise_is_moved_away(trial: Trial) -> None:
    """Nothing can be written any more, and everything else goes on."""
    trial.service()
    trial.start()
    trial.hear(b"su")
    supervise = trial.directory / "supervise"
    supervise.rename(trial.directory / "elsewhere")
    trial.signal(signal.SIGTERM)
    trial.hear(b"dDx")
    supervise.symlink_to("elsewhere")
    trial.end()


# ---- and what differs

NEW_LETTERS = "2.11 does not know the letters l, P, C and K"
NOT_STARTED = "since 2.14 the first record says that nothing was started yet"
DIFFERENT: dict[tuple[str, str], Difference] = {}


@pytest.mark.parametrize("name", SCENARIOS)
def test_ours_does_what_the_real_one_does(name: str, tmp_path: Path) -> None:
    """In everything that can be seen, but for the differences in the table."""
    seen = []
    for program in (harness.oracle("s6-supervise"), harness.ours("s6-supervise")):
        parent = tmp_path / program.name
        parent.mkdir()
        with Trial(program, parent) as trial:
            SCENARIOS[name](trial)
            trial.note("processes left", left_over(trial.directory))
        seen.append(trial.seen)
    theirs, ours = seen
    assert list(theirs) == list(ours)
    apart = {
        (name, label): (theirs[label], ours[label])
        for label in theirs
        if theirs[label] != ours[label]
    }
    decided = {
        key: (known.theirs, known.ours)
        for key, known in DIFFERENT.items()
        if key[0] == name
    }
    assert apart == decided
