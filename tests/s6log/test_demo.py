"""The demo: what `make demo` shows is true, and its services run under s6."""

import contextlib
import gzip
import http.client
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness import DEADLINE_S, Stage, oracle, ours, run, running, wait_until

DEMO = Path(__file__).parents[2] / "fixtures" / "demo"
DOCS = DEMO.parents[1] / "docs"
TOOLS = ("s6-log", "s6-logscript", "s6-tai64nlocal")
VISITS = 400
TIMEOUT_S = 60
GZIP = b"\x1f\x8b"


def install(folder: Path) -> Path:
    """Make a directory with our programs and this Python under their names."""
    folder.mkdir()
    commands = {tool: ours(tool).argv for tool in TOOLS}
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

    @property
    def access(self) -> Path:
        """The web server's log directory."""
        return self.place / "web" / "log" / "access"


@pytest.fixture(scope="module")
def bin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the directory of our programs."""
    return install(tmp_path_factory.mktemp("installed") / "bin")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, bin_folder: Path) -> Demo:
    """Run the demo once for all tests, with a home that it should not use."""
    cwd = tmp_path_factory.mktemp("demo")
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
    return Demo(cwd / "place", ended.stdout)


def test_demo_prints_a_page_that_counts_every_visit(demo: Demo) -> None:
    """The demo fits a screen or two and says that every visit was found."""
    assert len(demo.shown.splitlines()) < 80
    assert re.search(rf"requests made +{VISITS}\n", demo.shown)
    assert re.search(rf"found in the log +{VISITS}\n", demo.shown)


def test_demo_loses_no_visit_when_the_logger_is_killed(demo: Demo) -> None:
    """Each visit is in the log directory, though its logger was killed."""
    visits = re.findall(rb"\?n=(\d+) HTTP/1", text_of(demo.access))
    assert {int(number) for number in visits} == set(range(1, VISITS + 1))
    assert any(file.suffix == ".u" for file in archives(demo.access))


def test_demo_compresses_and_finishes_archives(demo: Demo) -> None:
    """Archives that were rotated are gzip files, and the end was clean."""
    rotated = [file for file in archives(demo.access) if file.suffix == ".s"]
    assert rotated
    assert all(file.read_bytes()[:2] == GZIP for file in rotated)
    assert all(map(is_finished, [*rotated, demo.access / "current"]))


def test_demo_alerts_and_status_tell_what_happened(demo: Demo) -> None:
    """Missing pages and tar's complaints are alerts; the server's address is kept."""
    alerts = (demo.place / "alerts").read_text()
    missing = re.findall(r"s6-log: alert: web: .*n=(\d+) .* 404 -\n", alerts)
    assert {int(number) for number in missing} == set(range(20, VISITS + 1, 20))
    assert "s6-log: alert: backup: tar: /nonexistent: Cannot stat" in alerts
    assert port_in(demo.place / "web" / "log" / "address") > 0


def test_demo_leaves_nothing_else_behind(demo: Demo) -> None:
    """Only the demo's own directory is new, and none of its processes lives."""
    assert list(demo.place.parent.iterdir()) == [demo.place]
    assert [cwd for cwd in cwds() if cwd.is_relative_to(demo.place)] == []


def test_real_s6_log_continues_the_demos_directory(demo: Demo, tmp_path: Path) -> None:
    """Debian's s6-log appends to what our logger left, and keeps its archives."""
    copy = tmp_path / "access"
    shutil.copytree(demo.access, copy)
    ended = run(oracle(), ["n20", "t", "./access"], b"one more\n", Stage(tmp_path))
    assert (ended.code, ended.err) == (0, b"")
    assert [file.name for file in archives(copy)] == [
        file.name for file in archives(demo.access)
    ]
    before, after = text_of(demo.access), text_of(copy)
    assert after.startswith(before)
    assert re.fullmatch(rb"@[0-9a-f]{24} one more\n", after[len(before) :])


def test_demo_services_run_under_real_s6_svscan(
    bin_folder: Path, tmp_path: Path
) -> None:
    """The demo's directories are service directories to Debian's s6-svscan."""
    scan = tmp_path / "scan"
    for service in ("web", "backup"):
        shutil.copytree(DEMO / service, scan / service)
    web, backup = scan / "web" / "log", scan / "backup" / "log"
    with scanning(scan, bin_folder):
        wait_for_bytes(web / "address", b"\n")
        visit(port_in(web / "address"), "/?under=s6")
        wait_for_bytes(web / "access" / "current", b"under=s6")
        wait_for_bytes(backup / "complaints" / "current", b"failure status")
    assert is_finished(web / "access" / "current")
    assert is_finished(backup / "files" / "current")


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


def cwds() -> Iterator[Path]:
    """Give the working directories of all processes that we may look at."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            yield (process / "cwd").readlink()
