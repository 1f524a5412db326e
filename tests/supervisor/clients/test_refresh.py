"""s6-svstat --watch: drawn in place, and gone without a trace."""

import signal
from pathlib import Path

import pytest

import harness
from chains import behind
from harness import PYTHON, Outcome, Program, Stage, running
from standins import down, supervised, up
from supervising import make_service, record
from supervisor.clients.refresh import ENTER, HOME, LEAVE, frame
from supervisor.service.status import READY, WANT_UP
from terminals import SEQUENCE, Terminal, plain
from watching import facts

TOOL = harness.ours("s6-svstat")
WATCH = ["--watch=3600", "."]


def drawn(terminal: Terminal) -> list[list[str]]:
    """Give the lines of each picture."""
    pictures = terminal.seen.split(HOME.decode())[1:]
    return [plain(picture).split("\n") for picture in pictures]


@pytest.mark.parametrize(
    "signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda s: s.name
)
def test_it_ends_well_by_a_signal(tmp_path: Path, signum: signal.Signals) -> None:
    """With exit code 0, on the screen that was there before, cursor and all."""
    with Terminal() as terminal, supervised(tmp_path / "web", up()):
        with running(TOOL, WATCH, Stage(tmp_path, stdout=terminal.fd)) as process:
            terminal.wait_for("web")
            process.send_signal(signum)
            assert harness.finish(process) == Outcome(0, b"", b"")
        assert terminal.seen.startswith(ENTER.decode())
        assert terminal.seen.endswith(LEAVE.decode())


def test_it_shows_what_has_changed(tmp_path: Path) -> None:
    """A new picture over the old one, nothing cleared in between."""
    with Terminal() as terminal, supervised(tmp_path / "web", up(flags=WANT_UP)) as web:
        watch = ["--watch", "."]
        with running(TOOL, watch, Stage(tmp_path, stdout=terminal.fd)):
            terminal.wait_for("4242")
            record(web, down(flags=WANT_UP | READY))
            terminal.wait_for("down, want up")
        title, headings, line = drawn(terminal)[0]
        assert title.endswith(", 1 service, 1 up, 0 to look at")
        assert headings.split()[:3] == ["NAME", "STATE", "SINCE"]
        assert line.split()[:2] == ["web", "up"]
        assert "\033[2J" not in terminal.seen


def test_a_resized_terminal_is_drawn_at_once(tmp_path: Path) -> None:
    """As wide and as high as it is now, with those to look at first."""
    for number in range(50):
        make_service(tmp_path / f"service-{number:02}")
    with Terminal(100, 60) as terminal, supervised(tmp_path / "zoo", up(flags=WANT_UP)):
        with running(TOOL, WATCH, Stage(tmp_path, stdout=terminal.fd)) as process:
            terminal.wait_for("zoo")
            terminal.resize(30, 10)
            process.send_signal(signal.SIGWINCH)
            terminal.wait_for("more")
        first, second = drawn(terminal)
        assert len(first) == 53
        assert len(second) == 10
        assert second[-1] == "… and 44 more"
        assert max(map(len, second)) <= 30


OWN_GROUP = "import os, sys; os.setpgid(0, 0); os.execv(sys.argv[1], sys.argv[1:])"
OWN_SESSION = "import os, sys; os.setsid(); os.execv(sys.argv[1], sys.argv[1:])"


def in_python(code: str) -> Program:
    """Start the program from a line of Python."""
    return behind([*PYTHON, "-c", code], TOOL)


def test_stopped_it_gives_the_terminal_back(tmp_path: Path) -> None:
    """And takes it again when it goes on: a job of a shell, Control-Z and fg."""
    with Terminal() as terminal, supervised(tmp_path / "web", up()):
        stage = Stage(tmp_path, stdout=terminal.fd)
        with running(in_python(OWN_GROUP), WATCH, stage) as process:
            terminal.wait_for("web")
            process.send_signal(signal.SIGTSTP)
            harness.wait_until(
                lambda: facts(process.pid)["State"].startswith("T"), "it to stop"
            )
            assert terminal.seen.endswith(LEAVE.decode())
            process.send_signal(signal.SIGCONT)
            harness.wait_until(lambda: len(drawn(terminal)) == 2, "another picture")
        assert terminal.seen.count(ENTER.decode()) == 2


def test_it_is_not_stopped_where_nobody_could_continue_it(tmp_path: Path) -> None:
    """The first process of a terminal, as in `docker exec -t`: it just goes on."""
    with Terminal() as terminal, supervised(tmp_path / "web", up()):
        stage = Stage(tmp_path, stdout=terminal.fd)
        with running(in_python(OWN_SESSION), WATCH, stage) as process:
            terminal.wait_for("web")
            process.send_signal(signal.SIGTSTP)
            harness.wait_until(lambda: len(drawn(terminal)) == 2, "another picture")


def test_a_terminal_that_does_not_know_its_size(tmp_path: Path) -> None:
    """Gets everything."""
    with (
        Terminal(0, 0) as terminal,
        supervised(tmp_path / "web", up()),
        running(TOOL, WATCH, Stage(tmp_path, stdout=terminal.fd)),
    ):
        terminal.wait_for("LOGGER")
        terminal.wait_for("4242")


def test_what_is_no_terminal_is_refused(tmp_path: Path) -> None:
    """A file or a pipe would fill up with pictures."""
    outcome = harness.run(TOOL, WATCH, b"", Stage(tmp_path))
    text = b"s6-svstat: fatal: unable to refresh: stdout is not a terminal\n"
    assert outcome == Outcome(100, b"", text)


def test_a_terminal_that_goes_away_ends_it(tmp_path: Path) -> None:
    """It does not spin, whether or not it is told."""
    with supervised(tmp_path / "web", up()):
        terminal = Terminal()
        stage = Stage(tmp_path, stdout=terminal.fd)
        with running(TOOL, ["--watch", "."], stage) as process:
            terminal.wait_for("web")
            terminal.__exit__()
            outcome = harness.finish(process)
    text = b"s6-svstat: fatal: unable to write to stdout: Input/output error\n"
    assert (outcome.code, outcome.err) == (111, text)


@pytest.mark.parametrize("words", ["-j --watch", "--watch -u", "-o pid --watch=2"])
def test_it_is_about_the_table_only(tmp_path: Path, words: str) -> None:
    """Neither JSON nor fields are shown again and again."""
    outcome = harness.run(TOOL, [*words.split(), "."], b"", Stage(tmp_path))
    assert outcome.code == 100
    assert outcome.err.startswith(b"s6-svstat: usage: ")


def test_a_picture_ends_without_a_newline() -> None:
    """Which would scroll a full screen."""
    picture = frame(["a", "b"]).decode()
    assert SEQUENCE.sub("", picture) == "a\nb"
