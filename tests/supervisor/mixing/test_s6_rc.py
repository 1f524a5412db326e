"""The real s6-rc on a scan directory: it knows nothing of who supervises it.

It uses more of the protocol than people do: services linked into a scan directory
that runs, `down` files, readiness, fd-holding services, prunes, renamed directories.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
from harness import ENVIRONMENT, Outcome, Program, Stage, wait_until
from scanning import end, lines, scanned
from supervising import end_all_in, status

TOOLS = ("s6-rc", "s6-rc-compile", "s6-rc-init", "s6-rc-update")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
LIMIT = ("-t", "20000")
"""Milliseconds, after which a change of state has failed."""

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING}")

PRODUCER = """
trap 'echo last; exit 0' TERM
echo >&3; exec 3>&-
i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done
"""
SLEEP = "exec sleep 1000"
INTERNAL = {"s6rc-fdholder", "s6rc-oneshot-runner"}


@pytest.fixture(params=["ours", "real"])
def svscan(request: pytest.FixtureRequest) -> Program:
    """Give each of the two programs."""
    find = harness.ours if request.param == "ours" else harness.oracle
    return find("s6-svscan")


def tool(name: str, *words: str, cwd: Path) -> Outcome:
    """Run a program of s6-rc, which has to succeed."""
    path = shutil.which(name)
    assert path is not None
    # They find each other on the PATH.
    stage = Stage(cwd, env={"PATH": f"{Path(path).parent}:{ENVIRONMENT['PATH']}"})
    outcome = harness.run(Program("real", (path,)), words, b"", stage)
    assert outcome.code == 0, outcome
    return outcome


class Source:
    """What s6-rc compiles a database from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def longrun(self, name: str, run: str, **files: str) -> None:
        """Define a service that runs."""
        self._define(name, "longrun", run=f"#!/bin/sh\n{run}\n", **files)

    def oneshot(self, name: str, up: str, down: str) -> None:
        """Define a service that is done when it is done."""
        self._define(name, "oneshot", up=f"{up}\n", down=f"{down}\n")

    def bundle(self, name: str, *contents: str) -> None:
        """Define a set of services."""
        self._define(name, "bundle", contents="\n".join(contents) + "\n")

    def _define(self, name: str, kind: str, **files: str) -> None:
        place = self.folder / name
        place.mkdir()
        for file, text in {"type": kind, **files}.items():
            path = place / file.replace("_", "-")
            path.write_text(text)
            path.chmod(0o755)


class Live:
    """A database that is in use, on a scan directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "live"

    def compile(self, name: str, source: Source) -> Path:
        """Compile a database."""
        compiled = self.folder / name
        tool("s6-rc-compile", str(compiled), str(source.folder), cwd=self.folder)
        return compiled

    def init(self, compiled: Path) -> None:
        """Begin to use a database: everything is down."""
        words = ("-c", str(compiled), "-l", str(self.path), *LIMIT)
        tool("s6-rc-init", *words, str(self.folder / "scan"), cwd=self.folder)

    def change(self, *words: str) -> None:
        """Bring services up or down."""
        place = ("-l", str(self.path), *LIMIT)
        tool("s6-rc", *place, *words, cwd=self.folder)

    def update(self, compiled: Path) -> None:
        """Go over to another database."""
        words = ("-l", str(self.path), *LIMIT, str(compiled))
        tool("s6-rc-update", *words, cwd=self.folder)

    def active(self) -> set[str]:
        """List what is up."""
        words = ("-l", str(self.path), "-a", "list")
        return set(tool("s6-rc", *words, cwd=self.folder).out.decode().split())

    def service(self, name: str) -> Path:
        """Give the service directory of a longrun."""
        return self.path / "servicedirs" / name


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder with a short name, since sockets have short ones (unix(7))."""
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


@pytest.fixture
def source(folder: Path) -> Source:
    """Give a database: a pipeline, a oneshot, and a service that depends on both."""
    made = Source(folder / "source")
    log = f"exec cat >> {folder}/log"
    made.longrun("producer", PRODUCER, notification_fd="3", producer_for="logger")
    made.longrun("logger", log, consumer_for="producer", pipeline_name="pipeline")
    made.oneshot("prepare", f"touch {folder}/prepared", f"rm {folder}/prepared")
    made.longrun("main", SLEEP, dependencies="prepare\nproducer\n")
    made.bundle("all", "main", "pipeline")
    return made


@pytest.fixture
def live(folder: Path) -> Iterator[Live]:
    """Give a place for databases, and end what works in there."""
    (folder / "scan").mkdir()
    try:
        yield Live(folder)
    finally:
        end_all_in(folder)


def test_services_go_up_and_down(svscan: Program, source: Source, live: Live) -> None:
    """In order, with those they depend on; a pipeline loses no line."""
    compiled = live.compile("compiled", source)
    with scanned(svscan, live.folder / "scan") as process:
        live.init(compiled)
        assert live.active() == set()
        live.change("-u", "change", "all")
        assert live.active() == INTERNAL | {"producer", "logger", "prepare", "main"}
        assert (live.folder / "prepared").exists()
        for name in ("producer", "logger", "main", *INTERNAL):
            assert status(live.service(name)).up
        assert status(live.service("producer")).ready
        wait_until(lambda: lines(live.folder / "log") > 5, "some lines")
        pid = status(live.service("logger")).pid
        live.change("-d", "change", "producer")
        assert live.active() == INTERNAL | {"logger", "prepare"}
        assert status(live.service("logger")).pid == pid
        live.change("-u", "change", "main")
        live.change("-d", "-a", "change")
        assert live.active() == set()
        assert not (live.folder / "prepared").exists()
        told = (live.folder / "log").read_text().split()
        first, second = told.index("last"), len(told) - 1
        assert told[:first] == [str(n) for n in range(1, first + 1)]
        assert told[first + 1 :] == [
            *(str(n) for n in range(1, second - first)),
            "last",
        ]
        assert end(process) == 0


def test_a_service_that_dies_comes_back(
    svscan: Program, source: Source, live: Live
) -> None:
    """Both ends of a pipeline are held meanwhile, by s6-rc's own service."""
    compiled = live.compile("compiled", source)
    with scanned(svscan, live.folder / "scan"):
        live.init(compiled)
        live.change("-u", "change", "all")
        for name in ("producer", "logger", "main"):
            pid = status(live.service(name)).pid
            os.kill(pid, 9)
            wait_until(lambda: other(live.service(name), pid), name)  # noqa: B023
        seen = lines(live.folder / "log")
        wait_until(lambda: lines(live.folder / "log") > seen + 5, "more lines")


def other(service: Path, pid: int) -> bool:
    """Tell whether a service is up with another pid."""
    now = status(service)
    return now.up and now.pid != pid


def test_a_database_is_replaced(svscan: Program, source: Source, live: Live) -> None:
    """What has not changed runs on; what is gone is stopped, what is new can start."""
    compiled = live.compile("compiled", source)
    with scanned(svscan, live.folder / "scan") as process:
        live.init(compiled)
        live.change("-u", "change", "all")
        kept = {name: status(live.service(name)).pid for name in ("producer", "logger")}
        second = Source(live.folder / "second")
        for name in ("producer", "logger", "all", "main"):
            shutil.copytree(source.folder / name, second.folder / name)
        second.longrun("new", SLEEP)
        (second.folder / "main" / "dependencies").write_text("producer\nnew\n")
        live.update(live.compile("compiled2", second))
        assert live.active() == INTERNAL | {"producer", "logger", "new", "main"}
        assert not (live.folder / "prepared").exists()
        for name, pid in kept.items():
            assert status(live.service(name)).pid == pid
        live.change("-u", "change", "all")
        assert status(live.service("new")).up
        live.change("-b", "-D", "-a", "change")
        assert live.active() == set()
        assert end(process) == 0
