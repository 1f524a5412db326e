"""s6-svstat on scan directories, run as a program."""

import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

import harness
from harness import Outcome, Program, Stage, wait_until
from standins import locked, supervised, up
from supervising import make_service, record, status, svscan, tell, wait_up
from supervisor.service.status import WANT_UP
from terminals import Terminal, plain

TOOL = harness.ours("s6-svstat")
HEADINGS = b"NAME  STATE  SINCE  PID  READY  RESTARTS  LAST EXIT  LOGGER\n"
Find = Callable[[str], Program]


def show(folder: Path, *words: str, **env: str) -> Outcome:
    """Run s6-svstat in a folder."""
    return harness.run(TOOL, words, b"", Stage(folder, env=env))


def rows(outcome: Outcome) -> dict[str, str]:
    """Give the lines of a table by name, without the name."""
    assert (outcome.code, outcome.err) == (0, b"")
    headings, *lines = outcome.out.decode().splitlines()
    assert headings.split()[0] == "NAME"
    split = (line.split(maxsplit=1) for line in lines)
    return {name: " ".join(rest.split()) for name, rest in split}


def objects(folder: Path) -> dict[str, dict[str, object]]:
    """Give what there is in JSON, by name."""
    outcome = show(folder, "-j", ".")
    assert (outcome.code, outcome.err) == (0, b"")
    return {service["name"]: service for service in json.loads(outcome.out)}


def test_a_real_tree(find_supervisor: Find, tmp_path: Path) -> None:
    """Under s6-svscan, ours and the real one; s6-svc and deaths are seen."""
    make_service(tmp_path / "steady")
    make_service(tmp_path / "steady" / "log", "exec cat")
    make_service(tmp_path / "crashing", "exit 7", max_death_tally="2")
    make_service(tmp_path / "off", down="")
    make_service(tmp_path / "notifying", notification_fd="3")
    with svscan(find_supervisor("s6-svscan"), tmp_path):
        pid = wait_up(tmp_path / "steady")
        wait_up(tmp_path / "steady" / "log")
        loud = wait_up(tmp_path / "notifying")
        wait_until(lambda: objects(tmp_path)["crashing"]["deaths"] == 2, "two deaths")
        table = rows(show(tmp_path, "."))
        facts = objects(tmp_path)
        os.kill(pid, signal.SIGKILL)
        wait_up(tmp_path / "steady", pid)
        again = rows(show(tmp_path, "."))["steady"]
    assert list(table) == ["crashing", "notifying", "off", "steady"]
    assert table["steady"].startswith("up ")
    assert table["steady"].endswith(f"s {pid} - 0 - up")
    # The real one does not tell that it was never started.
    assert re.fullmatch(r"(not started -|down \d+s) - - 0 - -", table["off"])
    assert table["notifying"].endswith(f"s {loud} no 0 - -")
    assert "2+ exitcode 7 -" in table["crashing"]
    assert facts["steady"]["pid"] == pid
    assert "1 signal SIGKILL up" in again


def test_json_tells_what_the_files_say(tmp_path: Path) -> None:
    """For each service, read back beside its status."""
    names = ["one", "two"]
    for name in names:
        make_service(tmp_path / name)
    with svscan(harness.oracle("s6-svscan"), tmp_path):
        for name in names:
            wait_up(tmp_path / name)
        tell(tmp_path / "two", b"p")
        wait_until(lambda: status(tmp_path / "two").paused, "a pause")
        found = objects(tmp_path)
        known = {name: status(tmp_path / name) for name in names}
    for name, now in known.items():
        facts = found[name]
        assert (facts["pid"], facts["up"], facts["paused"], facts["wantedup"]) == (
            now.pid,
            now.up,
            now.paused,
            now.want_up,
        )
        assert facts["supervised"] is True


def test_plain_text_where_there_is_no_terminal(tmp_path: Path) -> None:
    """No colours, no limit to the width."""
    name = "s" * 200
    make_service(tmp_path / name)
    outcome = show(tmp_path, ".")
    assert b"\033" not in outcome.out
    assert f"{name}  not supervised  -" in outcome.out.decode()


def test_colours_on_a_terminal(tmp_path: Path) -> None:
    """What is not as it should be stands out, and the width is kept to."""
    make_service(tmp_path / "dead")
    with Terminal(40) as terminal, supervised(tmp_path / "well", up(flags=WANT_UP)):
        stage = Stage(tmp_path, stdout=terminal.fd)
        assert harness.run(TOOL, ["."], b"", stage).code == 0
        lines = terminal.seen.splitlines()
        assert lines[1].startswith("\033[1;31mdead\033[m  \033[1;31mnot supervised")
        assert lines[2].startswith("well  up")
        assert max(len(plain(line)) for line in lines) <= 40


@pytest.mark.parametrize(("value", "coloured"), [("1", False), ("", True)])
def test_no_color_is_heeded(tmp_path: Path, value: str, coloured: bool) -> None:
    """As no-color.org says: when it is set to something."""
    make_service(tmp_path / "dead")
    with Terminal() as terminal:
        stage = Stage(tmp_path, stdout=terminal.fd, env={"NO_COLOR": value})
        harness.run(TOOL, ["."], b"", stage)
        assert ("\033" in terminal.seen) == coloured


def test_fields_of_many_are_a_line_for_each(tmp_path: Path) -> None:
    """With the name in front; those without a status are told of on stderr."""
    make_service(tmp_path / "dead")
    with (
        supervised(tmp_path / "a", up(pid=11)),
        supervised(tmp_path / "b\n", up(pid=12)),
    ):
        outcome = show(tmp_path, "-p", "-o", "up", ".")
        several = show(tmp_path, "-u", "a", "a")
    assert outcome.out == b"a: 11 true\nb\\x0a: 12 true\n"
    assert outcome.code == 1
    said = b"unable to read status for dead: not supervised\n"
    assert outcome.err == b"s6-svstat: warning: " + said
    assert several == Outcome(0, b"a: true\na: true\n", b"")


def test_several_directories_are_a_table(tmp_path: Path) -> None:
    """Service directories and scan directories, in the order given."""
    make_service(tmp_path / "tree" / "x")
    with supervised(tmp_path / "a", up()):
        table = rows(show(tmp_path, "tree", "a"))
    assert list(table) == ["tree/x", "a"]


def test_without_a_directory_it_is_that_of_the_environment(tmp_path: Path) -> None:
    """S6_SCANDIR, as s6's own programs for the user have it."""
    make_service(tmp_path / "tree" / "x")
    outcome = show(tmp_path, S6_SCANDIR=str(tmp_path / "tree"))
    assert list(rows(outcome)) == ["x"]


@pytest.mark.skipif(os.path.isdir("/run/service"), reason="there is one here")
def test_without_any_directory_there_is_nothing_to_show(tmp_path: Path) -> None:
    """Neither in the environment nor in the usual place."""
    outcome = show(tmp_path)
    assert outcome.code == 100
    assert outcome.err.startswith(b"s6-svstat: usage: ")
    assert show(tmp_path, S6_SCANDIR="").code == 100


def test_a_named_directory_that_is_missing(tmp_path: Path) -> None:
    """Is what it is for s6: not supervised."""
    outcome = show(tmp_path, S6_SCANDIR="gone")
    text = b"unable to read status for gone: s6-supervise not running\n"
    assert outcome == Outcome(1, b"", b"s6-svstat: fatal: " + text)


def test_an_empty_scan_directory(tmp_path: Path) -> None:
    """Headings, and an empty array."""
    with locked(tmp_path / ".s6-svscan" / "lock"):
        assert show(tmp_path, ".") == Outcome(0, HEADINGS, b"")
        assert show(tmp_path, "-j", ".") == Outcome(0, b"[]\n", b"")


def test_a_dead_s6_svscan_is_told_of(tmp_path: Path) -> None:
    """Else services that nobody restarts would look well."""
    with supervised(tmp_path / "a", up()):
        with locked(tmp_path / ".s6-svscan" / "lock"):
            assert show(tmp_path, ".").err == b""
        outcome = show(tmp_path, ".")
    assert outcome.err == b"s6-svstat: warning: s6-svscan not running on .\n"
    assert (outcome.code, outcome.out.count(b"\n")) == (0, 2)


def test_a_dead_s6_svscan_is_told_of_again_and_again(tmp_path: Path) -> None:
    """In the title; a name is never more than text."""
    scandir = tmp_path / "scan\n"
    with locked(scandir / ".s6-svscan" / "lock"):
        pass
    with Terminal(200) as terminal:
        stage = Stage(tmp_path, stdout=terminal.fd)
        with harness.running(TOOL, ["--watch", "scan\n"], stage):
            terminal.wait_for("0 to look at, s6-svscan not running on scan\\x0a")


def test_a_thousand_services(tmp_path: Path) -> None:
    """Are as many lines."""
    for number in range(1000):
        record(tmp_path / f"s{number}", up())
        (tmp_path / f"s{number}" / "supervise" / "lock").touch()
    assert len(rows(show(tmp_path, "."))) == 1000


def test_the_reader_may_go_away(tmp_path: Path) -> None:
    """As with `| head`: nothing is said about it."""
    make_service(tmp_path / "a")
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        outcome = harness.run(TOOL, ["."], b"", Stage(tmp_path, stdout=write_end))
    finally:
        os.close(write_end)
    assert (outcome.code, outcome.err) in [(0, b""), (-signal.SIGPIPE, b"")]
