"""The small files of a service directory: the real s6-supervise and ours agree."""

import signal
from pathlib import Path

import pytest

from differing import FINISH, WARNING, Difference, not_started
from harness import wait_until
from trying import HANG, LISTEN, Trial, agree, read

NOT_EXECUTABLE = "Permission denied: it is not executable"


@pytest.mark.parametrize(
    "text",
    [
        *("USR1\n", "sigint\n", "10", "SIG10\n", "0012", "WINCH\nINT\n"),
        *("SIGUSR2 \n", "\n", "", "TERM INT", "USR3", "-2", "sigsigint"),
    ],
)
def test_down_signal(text: str, tmp_path: Path) -> None:
    """For `d`, `r` and SIGTERM; a mistake is told, and SIGTERM serves."""

    def play(trial: Trial) -> None:
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

    agree(play, tmp_path)


@pytest.mark.parametrize(
    "most", ["0", "1\n", "3", "5000", "-1", "", "many", "3 # three", "3\n5", " 3"]
)
def test_max_death_tally(most: str, tmp_path: Path) -> None:
    """So many deaths are remembered; after a mistake, as many as without the file."""

    def play(trial: Trial) -> None:
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

    agree(play, tmp_path)


@pytest.mark.parametrize(
    ("text", "fd"),
    [
        *(("7\n", 7), ("7 ", 7), ("x", 7), ("", 7), ("007", 7)),
        *(("99999999999", 9), ("1", 1), ("2\nthree", 2)),
    ],
)
def test_notification_fd(text: str, fd: int, tmp_path: Path) -> None:
    """The descriptor is there; after a mistake run is started without."""

    def play(trial: Trial) -> None:
        trial.service(f"{{ echo >&{fd}; }} 2>error; {HANG}", notification_fd=text)
        trial.start()
        trial.hear(b"su")
        wait_until((trial.directory / "error").exists, "run to have said it")
        trial.settle()
        trial.look("up")
        trial.note("was open", read(trial.directory / "error") == b"")
        trial.command(b"dx")
        trial.end()

    agree(play, tmp_path)


@pytest.mark.parametrize("text", ["100\n", "0100"])
def test_timeout_kill(text: str, tmp_path: Path) -> None:
    """Run does not die, and is killed."""

    def play(trial: Trial) -> None:
        trial.service(LISTEN, notification_fd="3", timeout_kill=text)
        trial.start()
        trial.hear(b"suU")
        trial.command(b"du")
        trial.hear(b"dD")
        trial.look("killed")
        trial.command(b"Ox")
        trial.end()

    agree(play, tmp_path)


@pytest.mark.parametrize("text", ["0\n", "", "soon", "-1"])
def test_no_timeout_kill(text: str, tmp_path: Path) -> None:
    """Run may take its time; a mistake is told."""

    def play(trial: Trial) -> None:
        trial.service(LISTEN, notification_fd="3", timeout_kill=text)
        trial.start()
        trial.hear(b"suU")
        trial.command(b"d")
        trial.look("d")
        trial.kill()
        trial.hear(b"dD")
        trial.command(b"x")
        trial.end()

    agree(play, tmp_path)


def test_timeout_finish(tmp_path: Path) -> None:
    """Finish does not end, and is killed, with a warning."""

    def play(trial: Trial) -> None:
        trial.service("exit 1", HANG, timeout_finish="100\n")
        trial.start()
        trial.hear(b"sudD")
        trial.look("down")
        trial.command(b"dx")
        trial.hear(b"x")
        trial.end()

    agree(play, tmp_path)


def test_no_timeout_finish(tmp_path: Path) -> None:
    """Finish may take its time; that a signal ends it means nothing."""

    def play(trial: Trial) -> None:
        trial.service("exit 1", HANG, timeout_finish="0\n")
        trial.start()
        trial.hear(b"sud")
        trial.look("finishing")
        trial.kill(signal.SIGTERM)
        trial.hear(b"D")
        trial.look("down")
        trial.command(b"dx")
        trial.end()

    agree(play, tmp_path)


def test_finish_that_is_not_executable(tmp_path: Path) -> None:
    """It is as if there were none."""

    def play(trial: Trial) -> None:
        trial.service("exit 1", "")
        (trial.directory / "finish").chmod(0o644)
        trial.start()
        trial.hear(b"sudD")
        trial.command(b"dx")
        trial.hear(b"x")
        trial.end()

    told = [f"{WARNING}unable to spawn ./finish: {NOT_EXECUTABLE}"]
    agree(play, tmp_path, {"stderr": Difference([], told, FINISH)})


def test_down(tmp_path: Path) -> None:
    """`D` and `Q` make one, `U` removes it, `u` and `d` do not care."""

    def play(trial: Trial) -> None:
        trial.service(down="anything")
        trial.start()
        trial.hear(b"s")
        steps = (("u", b"u"), ("U", b""), ("Q", b""), ("U", b""), ("D", b"dD"))
        more = (("u", b"u"), ("d", b"dD"), ("U", b"u"), ("D", b"dD"))
        for number, (letter, heard) in enumerate((*steps, *more)):
            trial.command(letter.encode())
            trial.hear(heard)
            trial.look(f"{number} {letter}")
        trial.command(b"x")
        trial.end()

    agree(play, tmp_path)


def test_down_that_is_a_directory(tmp_path: Path) -> None:
    """It counts; that it can be neither made nor removed is told."""

    def play(trial: Trial) -> None:
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

    known = not_started("ready; 0x0000; pid is not there, down file")
    agree(play, tmp_path, {"not wanted": known})


@pytest.mark.parametrize(
    "name",
    [
        *("down-signal", "timeout-kill", "timeout-finish", "notification-fd"),
        "max-death-tally",
    ],
)
def test_a_file_that_cannot_be_read(name: str, tmp_path: Path) -> None:
    """It is told, and as if there were none."""

    def play(trial: Trial) -> None:
        trial.service(HANG, "exit 0")
        (trial.directory / name).mkdir()
        trial.start()
        trial.hear(b"su")
        trial.command(b"d")
        trial.hear(b"dD")
        trial.command(b"x")
        trial.end()

    agree(play, tmp_path)
