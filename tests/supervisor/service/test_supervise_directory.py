"""What s6-supervise makes, finds and refuses on disk: the real one and ours agree."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

import supervising
from differing import FATAL, LINK, NO_EAR, NO_FILE, ONE_RECORD, WARNING, Difference
from harness import finish, running, wait_until
from trying import HANG, Trial, agree, read

LISTENER = "ftrig1:@4000000000000000000000%02x:abcdef"


def live(trial: Trial, umask: int = 0o022) -> None:
    """Be a supervisor until it takes commands, then end it."""
    trial.start(umask=umask)
    wait_until(lambda: supervising.supervised(trial.directory), "it to be supervised")
    trial.settle()
    trial.note("files while it lives", trial.files())
    trial.signal(signal.SIGTERM)
    trial.end()


def make(trial: Trial) -> None:
    """Make a service directory that nobody has supervised yet."""
    supervising.make_service(trial.directory, HANG)


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o000])
def test_what_is_made(umask: int, tmp_path: Path) -> None:
    """Modes are fixed, but those of the files that are written, and of `down`."""

    def play(trial: Trial) -> None:
        make(trial)
        live(trial, umask)
        trial.listen()
        trial.start(umask=umask)
        trial.hear(b"su")
        trial.command(b"DQ")
        trial.note("down", (trial.directory / "down").stat().st_mode)
        trial.command(b"x")
        trial.end()

    agree(play, tmp_path)


def test_what_is_there_keeps_its_modes(tmp_path: Path) -> None:
    """As s6-svperms has set them; but what is in the files is replaced."""

    def play(trial: Trial) -> None:
        make(trial)
        live(trial)
        supervise = trial.directory / "supervise"
        for path, mode in (
            (trial.directory / "event", 0o1733),
            (supervise, 0o711),
            (supervise / "control", 0o620),
            (supervise / "lock", 0o600),
            (supervise / "status", 0o600),
            (supervise / "death_tally", 0o600),
        ):
            path.chmod(mode)
        (supervise / "death_tally").write_bytes(b"x" * 28)
        (supervise / "status.new").write_bytes(b"x" * 100)
        (supervise / "other").write_bytes(b"x")
        live(trial)

    agree(play, tmp_path)


@pytest.mark.parametrize("name", ["supervise", "event"])
def test_a_link_that_leads_nowhere(name: str, tmp_path: Path) -> None:
    """What it leads to is made."""

    def play(trial: Trial) -> None:
        make(trial)
        (trial.directory / name).symlink_to("../elsewhere")
        live(trial)
        trial.note("elsewhere", (trial.directory / "../elsewhere").stat().st_mode)

    agree(play, tmp_path)


def in_the_way(*names: str) -> Callable[[Trial], None]:
    """Give a preparation that puts files where something else is needed."""

    def prepare(trial: Trial) -> None:
        make(trial)
        for name in names:
            path = trial.directory / name
            path.parent.mkdir(exist_ok=True)
            path.write_text("")

    return prepare


def locked(trial: Trial) -> None:
    """Let a directory be where the lock file has to be."""
    make(trial)
    (trial.directory / "supervise" / "lock").mkdir(parents=True)


def nowhere(trial: Trial) -> None:
    """Let event lead to a place that cannot be made."""
    make(trial)
    (trial.directory / "event").symlink_to("no/such/place")


def nothing(_trial: Trial) -> None:
    """Make no service directory."""


REFUSED: dict[str, Callable[[Trial], None]] = {
    "no directory": nothing,
    "supervise is a file": in_the_way("supervise"),
    "event is a file": in_the_way("event"),
    "control is a file": in_the_way("supervise/control"),
    "lock is a directory": locked,
    "event leads nowhere": nowhere,
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_directory_that_cannot_be_supervised(case: str, tmp_path: Path) -> None:
    """100 where the user is wrong, 111 where the system refuses; and why."""

    def play(trial: Trial) -> None:
        REFUSED[case](trial)
        trial.start()
        trial.end()

    theirs, ours = (
        [f"{FATAL}unable to mkdir {name}: {NO_FILE}"]
        for name in ("no/such/place", "event")
    )
    named = Difference(theirs, ours, LINK)
    agree(play, tmp_path, {"stderr": named} if case == "event leads nowhere" else {})


def test_without_a_directory(tmp_path: Path) -> None:
    """The usage, in the words of each."""

    def play(trial: Trial) -> None:
        with running(trial.program, [], trial.stage) as process:
            outcome = finish(process)
        trial.note("exit code", outcome.code)
        trial.note("usage", outcome.err.partition(b": usage: ")[:2])

    agree(play, tmp_path)


def test_a_second_supervisor(tmp_path: Path) -> None:
    """It is refused, and the first does not notice."""

    def play(trial: Trial) -> None:
        trial.service()
        trial.start()
        trial.hear(b"su")
        trial.settle()
        with running(trial.program, ["service"], trial.stage) as process:
            outcome = finish(process)
        trial.note("second", (outcome.code, outcome.err))
        trial.settle()
        trial.look("first")
        trial.command(b"dx")
        trial.end()

    agree(play, tmp_path)


@pytest.mark.parametrize("words", [("./service/", "ignored"), ("../here/service",)])
def test_names_are_taken_as_they_are(words: tuple[str, ...], tmp_path: Path) -> None:
    """In messages, and as the last argument of finish; further words are ignored."""

    def play(trial: Trial) -> None:
        (trial.directory.parent / "here").mkdir()
        (trial.directory.parent / "here" / "service").symlink_to("../service")
        trial.service("exit 1", 'echo "$3" >name', max_death_tally="many")
        trial.stage = trial.stage_in("here" if words[0].startswith("..") else ".")
        trial.start(*words)
        trial.hear(b"sudD")
        trial.note("name", read(trial.directory / "name"))
        trial.command(b"dx")
        trial.hear(b"x")
        trial.end()

    agree(play, tmp_path)


def test_a_down_that_leads_nowhere_is_no_down(tmp_path: Path) -> None:
    """It is the file that counts."""

    def play(trial: Trial) -> None:
        trial.service()
        (trial.directory / "down").symlink_to("nowhere")
        trial.start()
        trial.hear(b"su")
        trial.command(b"dx")
        trial.end()

    agree(play, tmp_path)


def test_status_that_cannot_be_written(tmp_path: Path) -> None:
    """It is told each time, and nothing else changes."""

    def play(trial: Trial) -> None:
        trial.service()
        (trial.directory / "supervise" / "status.new").mkdir(parents=True)
        trial.start()
        trial.hear(b"su")
        trial.command(b"O")
        trial.signal(signal.SIGTERM)
        trial.hear(b"dDx")
        trial.end()

    said = f"{WARNING}unable to write status file: Is a directory"
    known = Difference([said] * 6, [said] * 5, ONE_RECORD)
    agree(play, tmp_path, {"stderr": known})


@pytest.mark.parametrize("content", [b"", b"x" * 13, None, b"x" * 14])
def test_a_tally_that_somebody_changed(content: bytes | None, tmp_path: Path) -> None:
    """What is no tally counts as empty, and is replaced at the next death."""

    def play(trial: Trial) -> None:
        trial.service("exit 1", down="")
        trial.start()
        trial.hear(b"s")
        path = trial.directory / "supervise" / "death_tally"
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        trial.command(b"o")
        trial.hear(b"udD")
        trial.note("size", path.stat().st_size)
        trial.note("end", path.read_bytes()[-2:])
        trial.command(b"x")
        trial.hear(b"x")

    agree(play, tmp_path)


def test_listeners_come_and_go(tmp_path: Path) -> None:
    """The dead are removed; the full are not, and stop nobody; the rest is not ours."""

    def play(trial: Trial) -> None:
        trial.service()
        event = trial.directory / "event"
        dead, full = event / (LISTENER % 1), event / (LISTENER % 2)
        strangers = [event / (LISTENER % 3)[:-1], event / "ftrig2", event / ".ftrig1:@"]
        for path in (dead, full, *strangers):
            os.mkfifo(path)
        (event / (LISTENER % 4)).mkdir()
        reader = os.open(full, os.O_RDWR | os.O_NONBLOCK)
        try:
            fill(reader)
            trial.start()
            trial.hear(b"su")
            trial.command(b"dx")
            trial.hear(b"dDx")
            trial.end()
        finally:
            os.close(reader)

    agree(play, tmp_path)


def fill(fifo: int) -> None:
    """Write until nothing more fits."""
    try:
        while True:
            os.write(fifo, b"u" * 4096)
    except BlockingIOError:
        pass


def test_a_file_with_a_listeners_name(tmp_path: Path) -> None:
    """The real one writes into it; ours tells only FIFOs."""

    def play(trial: Trial) -> None:
        trial.service()
        path = trial.directory / "event" / (LISTENER % 1)
        path.write_bytes(b"12345")
        trial.start()
        trial.hear(b"su")
        trial.command(b"dx")
        trial.hear(b"dDx")
        trial.note("content", path.read_bytes())

    known = Difference(b"x2345", b"12345", NO_EAR)
    agree(play, tmp_path, {"content": known})
