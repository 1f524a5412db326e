"""The watcher of a scan directory, with a test in place of the supervisor."""

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import harness
from harness import Outcome, Pipe, Process, Program, Stage, finish, running, wait_until
from supervising import make_service, service_directory, supervised, svscan
from supervisor.scan.watch import command
from watching import facts

OBSERVED_S = 1.5
"""Long enough to see any wake-up that comes each second."""


def watcher(directory: str = ".") -> Program:
    """Give the command line that a supervisor would start."""
    return Program("ours", tuple(map(os.fsdecode, command(directory.encode()))))


class Control:
    """A scan directory's control FIFO, open as a supervisor has it."""

    def __init__(self, scandir: Path) -> None:
        self.path = scandir / ".s6-svscan" / "control"
        if not self.path.exists():
            self.path.parent.mkdir(parents=True)
            os.mkfifo(self.path)
        self.heard = b""
        self._fds: list[int] = []

    def open(self) -> None:
        """Listen; with a writing end, so that the FIFO never ends."""
        flags = os.O_NONBLOCK | os.O_CLOEXEC
        self._fds = [
            os.open(self.path, way | flags) for way in (os.O_RDONLY, os.O_WRONLY)
        ]

    def close(self) -> None:
        """Listen no more."""
        while self._fds:
            os.close(self._fds.pop())

    def letters(self) -> bytes:
        """Give all letters that have arrived."""
        with contextlib.suppress(BlockingIOError):
            self.heard += os.read(self._fds[0], 4096)
        return self.heard

    def hears(self, letters: bytes) -> None:
        """Wait for letters, and expect no others before them."""
        wait_until(lambda: self.letters() == letters, f"{letters!r}")
        self.heard = b""


@dataclass
class Watched:
    """A scan directory, its watcher, what that writes to and what it ends with."""

    scandir: Path
    process: Process
    control: Control
    pipe: Pipe

    def watches(self) -> int:
        """Count the directories that are watched (proc(5), fdinfo)."""
        folder = Path(f"/proc/{self.process.pid}/fdinfo")
        count = 0
        for path in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                count += path.read_text().count("inotify wd:")
        return count

    def watches_only(self, count: int) -> None:
        """Wait until so many directories are watched, the scan directory included."""
        wait_until(lambda: self.watches() == count, f"{count} watches")

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Let the watcher see at once what happens in a block."""
        self.process.send_signal(signal.SIGSTOP)
        wait_until(
            lambda: facts(self.process.pid)["State"].startswith("T"), "it to stop"
        )
        yield
        self.process.send_signal(signal.SIGCONT)

    def switches(self) -> int:
        """Count how often any thread of the watcher has gone to sleep."""
        return sum(
            int(facts(int(task.name))["voluntary_ctxt_switches"])
            for task in Path(f"/proc/{self.process.pid}/task").iterdir()
        )

    def rests(self) -> None:
        """Wait until no thread wakes any more."""
        wait_until(self._slept, "it to come to rest")

    def _slept(self) -> bool:
        before = self.switches()
        # Not synchronisation: it is the time in which nothing must happen.
        time.sleep(OBSERVED_S)
        return self.switches() == before

    def ends(self) -> Outcome:
        """End the supervisor, as far as the watcher can tell."""
        self.pipe.end()
        return finish(self.process)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """Start a watcher and wait for what it says first."""
    scandir = tmp_path / "scan"
    control = Control(scandir)
    control.open()
    with (
        Pipe() as pipe,
        running(watcher(), [], Stage(scandir, stdin=pipe.read)) as process,
    ):
        control.hears(b"an")
        yield Watched(scandir, process, control, pipe)
    control.close()


def test_what_was_there_before_is_told_first(watched: Watched) -> None:
    """Since it may have changed while nobody watched; and then nothing more."""
    assert watched.watches() == 1
    assert watched.ends() == Outcome(0, b"", b"")
    assert watched.control.letters() == b""


def test_a_new_service_is_scanned(watched: Watched, tmp_path: Path) -> None:
    """Whether it is made there, moved there or linked."""
    make_service(watched.scandir / "made")
    watched.control.hears(b"a")
    make_service(tmp_path / "moved").rename(watched.scandir / "moved")
    watched.control.hears(b"a")
    service = make_service(tmp_path / "linked")
    (watched.scandir / "linked").symlink_to(service)
    watched.control.hears(b"a")


def remove(path: Path) -> None:
    """Remove a service directory."""
    shutil.rmtree(path)


def move_away(path: Path) -> None:
    """Move a service directory out of the scan directory."""
    path.rename(path.parent.parent / "elsewhere")


def rename(path: Path) -> None:
    """Give a service directory another name."""
    path.rename(path.with_name("other"))


def hide(path: Path) -> None:
    """Rename a service directory to what scans pass over."""
    path.rename(path.with_name(".hidden"))


def replace(path: Path) -> None:
    """Put another service in the place of one."""
    other = make_service(path.parent.parent / "new")
    path.rename(path.parent.parent / "old")
    other.rename(path)


@pytest.mark.parametrize("change", [remove, move_away, rename, hide, replace])
def test_a_service_that_goes_is_pruned(
    change: Callable[[Path], None], watched: Watched
) -> None:
    """However it goes."""
    service = make_service(watched.scandir / "service")
    watched.control.hears(b"a")
    change(service)
    watched.control.hears(b"an")


def test_a_link_that_is_changed_is_another_service(
    watched: Watched, tmp_path: Path
) -> None:
    """As `ln -sfn` does it."""
    link = watched.scandir / "service"
    link.symlink_to(make_service(tmp_path / "one"))
    watched.control.hears(b"a")
    (tmp_path / "link").symlink_to(make_service(tmp_path / "two"))
    (tmp_path / "link").rename(link)
    watched.control.hears(b"an")


def test_many_changes_are_told_once(watched: Watched) -> None:
    """When it has been quiet for a while after the last."""
    with watched.stopped():
        for number in range(30):
            make_service(watched.scandir / f"service{number}")
    watched.control.hears(b"a")
    with watched.stopped():
        for number in range(0, 30, 2):
            shutil.rmtree(watched.scandir / f"service{number}")
            make_service(watched.scandir / f"later{number}")
    watched.control.hears(b"an")
    assert watched.ends() == Outcome(0, b"", b"")
    assert watched.control.letters() == b""


def make_plain(directory: Path) -> None:
    """Make a service whose run is not executable."""
    (make_service(directory) / "run").chmod(0o644)


def make_executable(directory: Path) -> None:
    """Let run be executed."""
    (directory / "run").chmod(0o755)


def make_empty(directory: Path) -> None:
    """Make a directory for a service."""
    directory.mkdir()


def put_run(directory: Path) -> None:
    """Make a run elsewhere and move it in."""
    run = make_service(directory.parent.parent / "elsewhere") / "run"
    run.rename(directory / "run")


def write_run(directory: Path) -> None:
    """Write a run where it belongs."""
    with open(os.open(directory / "run", os.O_CREAT | os.O_WRONLY, 0o755), "w") as run:
        run.write("#!/bin/sh\nexec sleep 1000\n")


@pytest.mark.parametrize(
    ("begin", "complete"),
    [(make_plain, make_executable), (make_empty, put_run), (make_empty, write_run)],
)
@pytest.mark.parametrize("linked", [False, True])
def test_a_service_is_scanned_when_it_is_finished(
    begin: Callable[[Path], None],
    complete: Callable[[Path], None],
    linked: bool,
    watched: Watched,
    tmp_path: Path,
) -> None:
    """Not when the directory appears: somebody is still filling it."""
    directory = tmp_path / "service" if linked else watched.scandir / "service"
    begin(directory)
    if linked:
        (watched.scandir / "link").symlink_to(directory)
    watched.watches_only(2)
    assert watched.control.letters() == b""
    complete(directory)
    watched.control.hears(b"a")
    watched.watches_only(1)


def test_what_can_be_no_service_is_passed_over(watched: Watched) -> None:
    """Files, links that lead nowhere, names with a dot; it is not even watched."""
    with watched.stopped():
        (watched.scandir / "file").write_text("text")
        (watched.scandir / "lost").symlink_to("nowhere")
        make_service(watched.scandir / ".hidden")
    make_service(watched.scandir / "service")
    watched.control.hears(b"a")
    assert watched.watches() == 1


def test_a_directory_that_was_never_finished_goes(watched: Watched) -> None:
    """The supervisor may have it all the same; and another may follow it."""
    for _ in range(3):
        (watched.scandir / "service").mkdir()
        watched.watches_only(2)
        (watched.scandir / "service").rmdir()
        watched.control.hears(b"an")
        watched.watches_only(1)
    make_service(watched.scandir / "service")
    watched.control.hears(b"a")


def test_a_directory_made_anew_is_watched_anew(watched: Watched) -> None:
    """Also when nobody noticed that it was another one."""
    service = watched.scandir / "service"
    service.mkdir()
    watched.watches_only(2)
    with watched.stopped():
        service.rmdir()
        service.mkdir()
    watched.watches_only(2)
    write_run(service)
    wait_until(lambda: watched.control.letters() in (b"a", b"ana"), "a scan")


def test_two_links_to_one_unfinished_directory_are_one_watch(
    watched: Watched, tmp_path: Path
) -> None:
    """And both are found when it is finished."""
    (tmp_path / "service").mkdir()
    with watched.stopped():
        for name in ("one", "two"):
            (watched.scandir / name).symlink_to(tmp_path / "service")
    watched.watches_only(2)
    write_run(tmp_path / "service")
    watched.control.hears(b"a")
    watched.watches_only(1)


def test_there_is_a_limit_to_what_is_watched(watched: Watched) -> None:
    """Each costs a thread; services that are finished are found all the same."""
    with watched.stopped():
        for number in range(40):
            (watched.scandir / f"service{number:02}").mkdir()
    watched.watches_only(17)
    make_service(watched.scandir / "finished")
    watched.control.hears(b"a")
    shutil.rmtree(watched.scandir / "service00")
    watched.control.hears(b"an")


@pytest.mark.parametrize("begin", [None, make_empty, make_service])
def test_a_watcher_with_nothing_to_see_never_wakes(
    begin: Callable[[Path], None] | None, watched: Watched
) -> None:
    """None of its threads, also when a directory waits to be finished."""
    if begin is not None:
        begin(watched.scandir / "service")
    watched.rests()


def test_looking_at_the_directory_is_no_change(watched: Watched) -> None:
    """Neither the supervisor's scans nor its own looks wake it."""
    watched.rests()
    before = watched.switches()
    os.listdir(watched.scandir)
    (watched.scandir / ".s6-svscan" / "file").write_text("text")
    watched.rests()
    assert watched.switches() == before


def test_the_directory_is_followed_where_it_goes(
    watched: Watched, tmp_path: Path
) -> None:
    """As the supervisor works in it under any name; what takes its place is not it."""
    watched.scandir.rename(tmp_path / "moved")
    make_service(watched.scandir / "foreign")
    make_service(tmp_path / "moved" / "service")
    watched.control.hears(b"a")
    shutil.rmtree(watched.scandir)
    shutil.rmtree(tmp_path / "moved" / "service")
    watched.control.hears(b"an")


def test_a_directory_that_is_removed_is_survived(watched: Watched) -> None:
    """And then made again: the watcher waits for its supervisor to end."""
    service = make_service(watched.scandir / "service")
    watched.control.hears(b"a")
    shutil.rmtree(watched.scandir)
    make_service(service)
    watched.rests()
    assert watched.ends().code == 0


def test_a_supervisor_that_does_not_listen_is_told_of(watched: Watched) -> None:
    """In a warning; orders are taken up again when it does."""
    watched.control.close()
    make_service(watched.scandir / "one")
    assert watched.process.stderr is not None
    assert watched.process.stderr.readline() == (
        b"s6-svscan-watch: warning: unable to control the scan directory: "
        b"No such device or address\n"
    )
    watched.control.open()
    make_service(watched.scandir / "two")
    watched.control.hears(b"a")


def test_it_ends_with_its_supervisor(watched: Watched) -> None:
    """In the midst of waiting for quiet, too."""
    with watched.stopped():
        make_service(watched.scandir / "service")
        watched.pipe.end()
    assert finish(watched.process) == Outcome(0, b"", b"")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 100, b"usage: s6-svscan-watch scandir"),
        (["a", "b"], 100, b"usage: s6-svscan-watch scandir"),
        (
            ["nowhere"],
            111,
            b"fatal: unable to watch nowhere: No such file or directory",
        ),
        (["file"], 111, b"fatal: unable to watch file: Not a directory"),
    ],
)
def test_what_cannot_be_watched_is_told(
    arguments: list[str], code: int, message: bytes, tmp_path: Path
) -> None:
    """In one line."""
    (tmp_path / "file").touch()
    program = Program("ours", watcher().argv[:-1])
    with running(program, arguments, Stage(tmp_path)) as process:
        assert finish(process) == Outcome(
            code, b"", b"s6-svscan-watch: " + message + b"\n"
        )


def test_without_watchdog_it_cannot_be_done(tmp_path: Path) -> None:
    """Which is no reason to try again: exit 100."""
    words = (*harness.PYTHON, str(harness.LAUNCHER), "s6-svscan-watch", ".")
    with running(Program("ours", words), [], Stage(tmp_path)) as process:
        told = finish(process)
    assert told.code == 100
    assert told.err.endswith(b"fatal: the Python package watchdog is missing\n")


def test_it_works_for_the_real_supervisor(tmp_path: Path) -> None:
    """A directory that appears is supervised, one that goes is no more."""
    scandir = tmp_path / "scan"
    with (
        service_directory(tmp_path) as service,
        svscan(harness.oracle("s6-svscan"), scandir),
        Pipe() as pipe,
        running(watcher(), [], Stage(scandir, stdin=pipe.read)),
    ):
        (scandir / "service").symlink_to(service)
        wait_until(lambda: supervised(service), "the service to be supervised")
        (scandir / "service").unlink()
        wait_until(lambda: not supervised(service), "the service to be let go")
