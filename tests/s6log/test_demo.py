"""The demo: what `make demo` shows is true, and its services run under s6."""

import contextlib
import gzip
import http.client
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness import (
    DEADLINE_S,
    Program,
    Stage,
    finish,
    oracle,
    ours,
    run,
    running,
    wait_until,
)
from s6log.__main__ import PROGRAMS
from supervising import end_all_in, processes_in, status

DEMO = Path(__file__).parents[2] / "fixtures" / "demo"
DOCS = DEMO.parents[1] / "docs"
VISITS = 800
TIMEOUT_S = 60
GZIP = b"\x1f\x8b"


def install(folder: Path) -> Path:
    """Make a directory with our programs and this Python under their names."""
    folder.mkdir()
    commands = {tool: ours(tool).argv for tool in PROGRAMS}
    commands["python"] = (sys.executable,)
    for name, argv in commands.items():
        file = folder / name
        file.write_text(f'#!/bin/sh\nexec {shlex.join(argv)} "$@"\n')
        file.chmod(0o755)
    return folder


def text_of(logdir: Path) -> bytes:
    """Give all that a log directory holds, oldest first, decompressed."""
    files = [file.read_bytes() for file in (*archives(logdir), logdir / "current")]
    return b"".join(gzip.decompress(f) if f[:2] == GZIP else f for f in files)


def archives(logdir: Path) -> list[Path]:
    """Give the archives of a log directory, oldest first."""
    return sorted(logdir.glob("@*"))


def is_finished(file: Path) -> bool:
    """Tell whether a file of a log directory was ended in order."""
    return bool(file.stat().st_mode & stat.S_IXUSR)


def port_in(address: Path) -> int:
    """Read the port out of the status file."""
    found = re.fullmatch(r"Serving HTTP on \S+ port (\d+) .*\n", address.read_text())
    assert found
    return int(found[1])


@dataclass(frozen=True)
class Demo:
    """A demo that has run: in which directory, and what it printed."""

    place: Path
    shown: str

    def log(self, name: str) -> Path:
        """Give a log directory by SERVICE/NAME."""
        service, directory = name.split("/")
        return self.place / "scan" / service / "log" / directory


@pytest.fixture(scope="module")
def bin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the directory of our programs."""
    return install(tmp_path_factory.mktemp("installed") / "bin")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, bin_folder: Path) -> Demo:
    """Run the demo once for all tests, with a home that it should not use."""
    cwd = tmp_path_factory.mktemp("demo")
    try:
        ended = subprocess.run(
            ["sh", DEMO / "run", bin_folder, "place"],
            check=False,
            cwd=cwd,
            env={**os.environ, "HOME": str(cwd), "TMPDIR": str(cwd)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        assert processes_in(cwd) == []
    finally:
        end_all_in(cwd)
    return Demo(cwd / "place", ended.stdout)


def test_demo_prints_a_page_that_counts_every_visit(demo: Demo) -> None:
    """The demo fits a screen or two and says that every visit was found."""
    assert len(demo.shown.splitlines()) < 80
    assert re.search(
        rf"answered by web +{VISITS} +found in its log +{VISITS}\n", demo.shown
    )


def test_demo_shows_what_was_killed_and_came_back(demo: Demo) -> None:
    """Those that were killed have new pids, and the table knows of their ends."""
    changes = re.findall(r"its pid was (\d+), and is (\d+)\n", demo.shown)
    assert len(changes) == 2
    assert all(before != after for before, after in changes)
    rows = {line.split()[0]: line for line in table_in(demo.shown)}
    assert set(rows) == {"chatty", "flaky", "web"}
    assert "signal SIGKILL" in rows["web"]
    assert "exitcode 7" in rows["flaky"]


def table_in(shown: str) -> list[str]:
    """Give the rows of the table that s6-svstat printed, without the heading."""
    _, _, after = shown.partition("$ s6-svstat scan\n")
    heading, *rows = after.partition("\n\n")[0].splitlines()
    assert heading.split()[0] == "NAME"
    return rows


def test_demo_loses_no_visit_when_the_server_is_killed(demo: Demo) -> None:
    """Each visit is in the log directory, though the server was killed."""
    visits = re.findall(rb"\?n=(\d+) HTTP/1", text_of(demo.log("web/access")))
    assert {int(number) for number in visits} == set(range(1, VISITS + 1))


def test_demo_loses_no_line_when_the_logger_is_killed(demo: Demo) -> None:
    """Every numbered line is there, some perhaps twice; the demo has told the truth."""
    lines = demo.log("chatty/lines")
    written = int((demo.place / "scan" / "chatty" / "written").read_text())
    found = Counter(map(int, re.findall(rb" line (\d+)\n", text_of(lines))))
    assert set(found) == set(range(1, written + 1))
    twice = sum(times > 1 for times in found.values())
    told = (
        rf"written by chatty +{written} +found in its log +{written} +twice +{twice}\n"
    )
    assert re.search(told, demo.shown)
    assert any(file.suffix == ".u" for file in archives(lines))


def test_demo_compresses_and_finishes_archives(demo: Demo) -> None:
    """Archives that were rotated are gzip files, and the end was clean."""
    access = demo.log("web/access")
    rotated = [file for file in archives(access) if file.suffix == ".s"]
    assert rotated
    assert all(file.read_bytes()[:2] == GZIP for file in rotated)
    assert all(map(is_finished, [*rotated, access / "current"]))


def test_demo_alerts_and_status_tell_what_happened(demo: Demo) -> None:
    """Missing pages and the defect are alerts; the server's address is kept."""
    alerts = (demo.place / "said").read_text()
    missing = re.findall(r"s6-log: alert: web: .*n=(\d+) .* 404 -\n", alerts)
    assert {int(number) for number in missing} == set(range(20, VISITS + 1, 20))
    assert "s6-log: alert: flaky: error: out of luck\n" in alerts
    assert port_in(demo.place / "scan" / "web" / "log" / "address") > 0


def test_demo_forwards_tagged_text(demo: Demo) -> None:
    """Lines of all services on stdout, each behind its name; of chatty's only a few."""
    lines = (demo.place / "shown").read_text().splitlines()
    assert {line[:9] for line in lines} == {"chatty | ", "flaky  | ", "web    | "}
    assert "flaky  | error: out of luck" in lines
    assert len([line for line in lines if line.startswith("web ")]) > VISITS / 20
    chatty = [line for line in lines if line.startswith("chatty | ")]
    assert len(chatty) < 2 * TIMEOUT_S
    assert re.fullmatch(MARK, chatty[-1])
    assert chatty[-1] in demo.shown


MARK = r"chatty \| s6-log: \d+ lines dropped \(more than 1 in 1 s\)"


def test_demo_forwards_json(demo: Demo) -> None:
    """The same lines as objects, from the command that was fed."""
    shipped = (demo.place / "shipped").read_text().splitlines()
    objects = [json.loads(line) for line in shipped]
    shown = (demo.place / "shown").read_text().splitlines()
    for service in ("flaky", "web"):
        texts = [item["msg"] for item in objects if item["service"] == service]
        tag = f"{service:6} | "
        tagged = [line.removeprefix(tag) for line in shown if line.startswith(tag)]
        assert texts == tagged
        assert texts
    assert '"service":"web","stream":"stdout"' in demo.shown


def test_demo_leaves_nothing_else_behind(demo: Demo) -> None:
    """Only the demo's own directory is new."""
    assert list(demo.place.parent.iterdir()) == [demo.place]


def test_demo_that_is_interrupted_leaves_nothing_behind(
    bin_folder: Path, tmp_path: Path
) -> None:
    """Where it is given no directory it leaves none, and no process."""
    program = Program("demo", ("sh", str(DEMO / "run")))
    stage = Stage(tmp_path, env={"TMPDIR": str(tmp_path)})
    try:
        with running(program, [str(bin_folder)], stage) as process:
            wait_until(lambda: any(tmp_path.glob("*/scan/web/log/address")), "a server")
            process.terminate()
            assert finish(process).code == 1
        assert list(tmp_path.iterdir()) == []
        assert processes_in(tmp_path) == []
    finally:
        end_all_in(tmp_path)


def test_real_s6_log_continues_the_demos_directory(demo: Demo, tmp_path: Path) -> None:
    """Debian's s6-log appends to what our logger left, and keeps its archives."""
    access, copy = demo.log("web/access"), tmp_path / "access"
    shutil.copytree(access, copy)
    ended = run(oracle(), ["n20", "t", "./access"], b"one more\n", Stage(tmp_path))
    assert (ended.code, ended.err) == (0, b"")
    assert [file.name for file in archives(copy)] == [
        file.name for file in archives(access)
    ]
    before, after = text_of(access), text_of(copy)
    assert after.startswith(before)
    assert re.fullmatch(rb"@[0-9a-f]{24} one more\n", after[len(before) :])


def test_demo_services_run_under_real_s6_svscan(
    bin_folder: Path, tmp_path: Path
) -> None:
    """The demo's directories are service directories to Debian's s6-svscan."""
    scan = tmp_path / "scan"
    shutil.copytree(DEMO / "scan", scan)
    web, flaky = scan / "web" / "log", scan / "flaky" / "log"
    with scanning(scan, bin_folder):
        wait_for_bytes(web / "address", b"\n")
        wait_until(lambda: status(scan / "web").ready, "the web server to be ready")
        visit(port_in(web / "address"), "/?under=s6")
        wait_for_bytes(web / "access" / "current", b"under=s6")
        wait_for_bytes(flaky / "events" / "current", b"exit code 7")
    assert is_finished(web / "access" / "current")
    assert is_finished(scan / "chatty" / "log" / "lines" / "current")


@contextlib.contextmanager
def scanning(scan: Path, bin_folder: Path) -> Iterator[None]:
    """Supervise a scan directory with the real s6-svscan; stop it in order."""
    svscan, control = oracle("s6-svscan"), oracle("s6-svscanctl")
    env = {"PATH": f"{bin_folder}:/usr/bin:/bin", "DOCS": str(DOCS)}
    with running(svscan, [str(scan)], Stage(scan, env=env)) as supervisor:
        try:
            yield
        finally:
            # Killed, it would leave its services and their supervisors behind.
            run(control, ["-t", str(scan)], b"", Stage(scan))
            supervisor.communicate(timeout=DEADLINE_S)


def visit(port: int, path: str) -> None:
    """Get one page."""
    server = http.client.HTTPConnection("127.0.0.1", port)
    server.request("GET", path)
    server.getresponse().read()
    server.close()


def wait_for_bytes(file: Path, wanted: bytes) -> None:
    """Wait until a file is there and holds these bytes."""
    wait_until(lambda: file.exists() and wanted in file.read_bytes(), file.name)
