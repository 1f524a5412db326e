"""The benchmark of supervisors: its accounts, its table, and that it cleans up."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from math import inf, nan
from pathlib import Path

import pytest

import census
from contenders import (
    OUR_SUPERVISOR,
    OURS,
    REAL,
    RUNIT,
    S6,
    SUPERVISOR,
    Form,
    Services,
)
from contest import BOTH, Contest, Figure
from harness import oracle, wait_until
from lives import feed, unread_bytes
from programs import AS_ROOT, COMMANDS
from s6log.__main__ import PROGRAMS
from supervisor.service.status import Status, encode

BENCH = Path(__file__).parent
CHECKOUT = BENCH.parents[1]
PYTHON = f"python3.{sys.version_info.minor}"
TIMEOUT_S = 300


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Give a directory in which no process is left."""
    folder = tmp_path / "place"
    folder.mkdir()
    yield folder
    census.sweep(folder)


def sleeper(cwd: Path) -> "subprocess.Popen[bytes]":
    """Start a process that does nothing, in a session of its own."""
    return subprocess.Popen(["sleep", "1000"], cwd=cwd, start_new_session=True)


def is_asleep(pid: int) -> bool:
    """Tell whether a process waits for time to pass."""
    return "State:\tS" in Path(f"/proc/{pid}/status").read_text()


def test_processes_are_those_that_work_in_a_place_or_below(place: Path) -> None:
    """Where a process works decides, also when that is gone; not its session."""
    (place / "below").mkdir()
    with (
        sleeper(place) as one,
        sleeper(place / "below") as two,
        sleeper(place.parent) as elsewhere,
    ):
        wait_until(lambda: is_asleep(two.pid), "the start of a process")
        (place / "below").rmdir()
        found = census.processes(place)
        census.sweep(place)
        assert (one.wait(), two.wait()) == (-signal.SIGKILL, -signal.SIGKILL)
        assert elsewhere.poll() is None
        elsewhere.kill()
    assert set(found) == {one.pid, two.pid}
    assert census.processes(place) == {}


def test_process_that_works_elsewhere_is_found_by_its_environment(place: Path) -> None:
    """One that was told of a place, or of one below it, belongs there."""
    (place / "below").mkdir()
    told = [f"{census.MARK}={path}" for path in (place / "below", place.parent)]
    with (
        subprocess.Popen(["env", told[0], "sleep", "1000"], cwd="/") as one,
        subprocess.Popen(["env", told[1], "sleep", "1000"], cwd="/") as other,
    ):
        wait_until(lambda: census.processes(place) == {one.pid: "sleep"}, "a process")
        census.sweep(place)
        assert one.wait() == -signal.SIGKILL
        assert other.poll() is None
        other.kill()


def test_memory_and_wakeups_are_the_kernels_figures(place: Path) -> None:
    """Shared pages count in part in one figure, wholly in the other."""
    with sleeper(place) as one, sleeper(place) as two:
        pids = (one.pid, two.pid)
        wait_until(lambda: all(map(is_asleep, pids)), "two processes asleep")
        assert 0 < census.pss_bytes(pids) < census.rss_bytes(pids)
        assert census.wakeups(pids) == census.wakeups(pids) > 0
        census.sweep(place)


@pytest.mark.parametrize("end", ["raise SystemExit(3)", "os.kill(os.getpid(), 9)"])
def test_nothing_is_left_however_the_bench_ends(end: str, place: Path) -> None:
    """A block that fails, and a bench that is killed, leave no process behind."""
    script = (
        "import os, subprocess, sys\n"
        "from pathlib import Path\n"
        "from census import swept\n"
        "with swept(Path(sys.argv[1])):\n"
        "    subprocess.Popen(['sleep', '1000'], cwd=sys.argv[1])\n"
        f"    {end}\n"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, place], cwd=BENCH, check=False
    )
    assert ended.returncode in {3, -signal.SIGKILL}
    wait_until(lambda: census.processes(place) == {}, "the end of what it started")


def test_lines_reach_who_reads_a_process(place: Path) -> None:
    """What is fed to a process's output is read to the end when `feed` returns."""
    with (
        (place / "copy").open("wb") as copy,
        subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=copy) as cat,
        subprocess.Popen(["sleep", "1000"], stdout=cat.stdin, cwd=place) as service,
    ):
        assert cat.stdin is not None
        feed(service.pid, 100_000)
        assert unread_bytes(cat.stdin.fileno()) == 0
        assert os.get_blocking(cat.stdin.fileno())
        service.kill()
    copied = (place / "copy").read_bytes()
    assert len(copied) == 100_000
    assert {len(line) for line in copied.splitlines()} == {99}


def status(pid: int, flags: int) -> bytes:
    """Give a record as s6-supervise writes it."""
    return encode(Status(pid, 10**18, 10**18, 0, flags))


def runsv_status(state: int) -> bytes:
    """Give a record as runsv writes it."""
    return bytes(19) + bytes((state,))


@pytest.mark.parametrize(
    ("form", "service", "logger", "up"),
    [
        (S6, status(7, 4), status(8, 4), True),
        (S6, status(7, 4), status(0, 4), False),
        (S6, status(7, 4 | 2), status(8, 4), False),
        (S6, status(7, 4), b"", False),
        (RUNIT, runsv_status(1), runsv_status(1), True),
        (RUNIT, runsv_status(1), runsv_status(2), False),
        (RUNIT, runsv_status(1), b"", False),
    ],
)
def test_service_is_up_when_it_and_its_logger_run(
    form: Form, service: bytes, logger: bytes, up: bool, tmp_path: Path
) -> None:
    """One that is down, or in its finish script, or unknown, is not up."""
    for record, folder in ((service, tmp_path), (logger, tmp_path / "log")):
        (folder / "supervise").mkdir(parents=True)
        if record:
            (folder / "supervise" / "status").write_bytes(record)
    assert form.is_up(tmp_path) is up


def test_all_contenders_run_the_same_scripts(tmp_path: Path) -> None:
    """What is readiness to s6 is nothing to the others; the rest is the same."""
    services = Services(("a", "b"), "{ready}\nexec true")
    for name, form in (("s6", S6), ("runit", RUNIT), ("supervisord", SUPERVISOR)):
        form.make(tmp_path / name, services)
    ready, unready = "#!/bin/sh\necho >&3\nexec true\n", "#!/bin/sh\n:\nexec true\n"
    assert (tmp_path / "s6" / "b" / "run").read_text() == ready
    assert (tmp_path / "s6" / "b" / "notification-fd").read_text() == "3\n"
    for name in ("runit", "supervisord"):
        assert (tmp_path / name / "b" / "run").read_text() == unready
        assert os.access(tmp_path / name / "b" / "run", os.X_OK)
    written = (tmp_path / "supervisord" / "supervisord.conf").read_text()
    assert written.count("[program:") == 2
    assert (tmp_path / "s6" / "a" / "log" / "run").read_text() == (
        tmp_path / "runit" / "a" / "log" / "run"
    ).read_text()


def contest(figure: Figure, *rounds: dict[str, float]) -> Contest:
    """Give the contest of one figure."""
    made = Contest("10: ", (figure,))
    made.rounds += [
        {name: {figure.name: value} for name, value in taken.items()}
        for taken in rounds
    ]
    return made


def test_ratios_are_formed_before_medians() -> None:
    """A round that the machine disturbed does not move the ratio to s6."""
    figure = Figure("all up", "s", 1.5, times=True)
    seen = contest(
        figure, {REAL: 1, OURS: 1.2}, {REAL: 4, OURS: 5}, {REAL: 1, OURS: 1.3}
    )
    (row,) = seen.rows((REAL, OURS))
    assert row == ("10: all up, s", "1", "1.3 (1.25)", "1.5 times s6", "yes")


@pytest.mark.parametrize(
    ("ours", "met"), [(2.0, "yes"), (2.1, "no"), (nan, "yes"), (inf, "no")]
)
def test_limit_is_kept_by_all_that_are_judged(ours: float, met: str) -> None:
    """One of two above the limit is enough; one that did not run is not judged."""
    figure = Figure("memory", "MiB", 2, judged=BOTH)
    taken = {REAL: 9.0, OUR_SUPERVISOR: 1.0, OURS: ours}
    (row,) = contest(figure, taken).rows((REAL, OUR_SUPERVISOR, OURS))
    assert row[-2:] == ("2", met)


def test_figure_that_nobody_has_taken_is_no_row() -> None:
    """What failed or was not asked for takes no room, and meets nothing."""
    figure = Figure("memory", "MiB", 2)
    assert contest(figure, {REAL: nan}).rows((REAL, OURS)) == []
    (row,) = contest(figure, {REAL: 1}).rows((REAL, OURS))
    assert row == ("10: memory, MiB", "1", "", "2", "")


def test_programs_that_are_measured_exist_and_differ() -> None:
    """Every command is one of ours, once."""
    names = [name for name, *_ in (*COMMANDS, *AS_ROOT)]
    assert set(names) <= set(PROGRAMS)
    assert len(set(names)) == len(names)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the directory of our programs: beside this Python, else laid out anew."""
    installed = Path(sys.executable).parent
    if (installed / "s6-svscan").exists():
        return installed
    folder = tmp_path_factory.mktemp("installed")
    shutil.copytree(CHECKOUT / "s6log" / "bin", folder / "bin")
    (folder / "bin" / PYTHON).symlink_to(sys.executable)
    packages = folder / "lib" / PYTHON / "site-packages"
    packages.mkdir(parents=True)
    for package in ("s6log", "supervisor"):
        (packages / package).symlink_to(CHECKOUT / package)
    return folder / "bin"


@pytest.mark.slow
def test_bench_goes_through_and_leaves_nothing(programs: Path, tmp_path: Path) -> None:
    """A look at ten services shows a row for every figure and program."""
    oracle("s6-svscan")
    report = tmp_path / "report.md"
    words = ("--quick", "--programs", programs, "--markdown", report)
    ended = subprocess.run(
        [sys.executable, BENCH / "supervision.py", *words],
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == report.read_text()
    assert [*tmp_path.iterdir()] == [report]
    assert census.processes(tmp_path) == {}
    rows = {
        line.split("|")[1].strip() for line in ended.stdout.splitlines() if "|" in line
    }
    assert {"10: all up, s", "10: all stopped, s", "10: wake-ups while idle"} <= rows
    assert {"killed to running, median, ms"} <= rows
    assert {row.partition(" ")[0] for row in rows} >= {name for name, *_ in COMMANDS}
