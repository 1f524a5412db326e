"""Service directories, and supervisors that run them, for the length of a block.

Nothing here knows whose programs they are: the same calls run ours and the real
ones. Whatever a block leaves behind, supervisors, services and their children, is
found by its working directory and ended.
"""

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from harness import Process, Program, Stage, running, wait_until
from supervisor.clients import asking
from supervisor.service import fifodir
from supervisor.service.directory import Directory
from supervisor.service.status import Status, encode
from watching import ended, facts

SLEEP = "exec sleep 1000"
FIFO = "ftrig1:@4000000000000000000000%02x:abcdef"


@contextlib.contextmanager
def service_directory(
    parent: Path,
    name: str = "service",
    run: str = SLEEP,
    finish: str | None = None,
    **files: str,
) -> Iterator[Path]:
    """Make a service directory; `run` and `finish` are text for /bin/sh.

    Further files go by their names, `_` for `-`: notification_fd="3", down="".
    Processes that still work in there at the end are killed.
    """
    directory = parent / name
    make_service(directory, run, finish, **files)
    try:
        yield directory
    finally:
        end_all_in(directory)


def make_service(
    directory: Path, run: str = SLEEP, finish: str | None = None, **files: str
) -> Path:
    """Make a service directory that nothing cleans up: for one inside another."""
    directory.mkdir(parents=True)
    for script, text in (("run", run), ("finish", finish)):
        if text is not None:
            path = directory / script
            path.write_text(f"#!/bin/sh\n{text}\n")
            path.chmod(0o755)
    for name, text in files.items():
        (directory / name.replace("_", "-")).write_text(text)
    return directory


@contextlib.contextmanager
def supervise(
    program: Program, directory: Path, stderr: int = subprocess.DEVNULL
) -> Iterator[Process]:
    """Run an s6-supervise on a directory and wait until it takes commands."""
    stage = Stage(directory, stdout=subprocess.DEVNULL, stderr=stderr)
    with running(program, ["."], stage) as process:
        try:
            wait_until(lambda: supervised(directory), f"{directory} to be supervised")
            yield process
        finally:
            end_all_in(directory)


@contextlib.contextmanager
def svscan(
    program: Program,
    scandir: Path,
    *options: str,
    stderr: int = subprocess.DEVNULL,
) -> Iterator[Process]:
    """Run an s6-svscan on a directory and wait until its services take commands."""
    scandir.mkdir(exist_ok=True)
    services = [path for path in scandir.iterdir() if not path.name.startswith(".")]
    services += [path / "log" for path in services if (path / "log").is_dir()]
    stage = Stage(scandir, stdout=subprocess.DEVNULL, stderr=stderr)
    with keeper_ended(scandir), running(program, [*options, "."], stage) as process:
        try:
            control = scandir / ".s6-svscan" / "control"
            wait_until(lambda: listens(control), f"a supervisor of {scandir}")
            wait_until(lambda: all(map(supervised, services)), "all to be supervised")
            yield process
        finally:
            for directory in (scandir, *services):  # which may be links to elsewhere
                end_all_in(directory)


@contextlib.contextmanager
def keeper_ended(scandir: Path) -> Iterator[None]:
    """End the keeper of log pipes, which survives a supervisor that is killed.

    Afterwards, since a supervisor that lives has another one at once.
    """
    try:
        yield
    finally:
        # It may have ended in good order; there may never have been one.
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer,
        ):
            fd = os.open(scandir, os.O_PATH)
            try:
                # This name is short enough, wherever the directory is (unix(7)).
                peer.connect(f"/proc/self/fd/{fd}/.s6-svscan/keeper")
                peer.send(b"end")
            finally:
                os.close(fd)


def listens(control: Path) -> bool:
    """Tell whether a process has a control FIFO open for reading."""
    try:
        asking.send(bytes(control), b"")
    except OSError:
        return False
    return True


def supervised(directory: Path) -> bool:
    """Tell whether a supervisor is ready for commands and has said its first word."""
    control = directory / "supervise" / "control"
    return (
        listens(control)
        and asking.supervised(bytes(directory))
        and (directory / "supervise" / "status").exists()
    )


def status(directory: Path) -> Status:
    """Read what the supervisor says of a service."""
    return asking.read_status(bytes(directory))


def tell(directory: Path, letters: bytes) -> None:
    """Write command letters to the supervisor of a service."""
    asking.send(bytes(directory / "supervise" / "control"), letters)


@contextlib.contextmanager
def control(directory: Path, place: str = "supervise") -> Iterator[int]:
    """Hold the control FIFO of a directory, in the place of a supervisor."""
    (directory / place).mkdir(parents=True, exist_ok=True)
    fifo = directory / place / "control"
    os.mkfifo(fifo)
    fd = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
    yield fd
    os.close(fd)


def received(fd: int) -> bytes:
    """Read what has arrived at a control FIFO."""
    try:
        return os.read(fd, 1 << 16)
    except BlockingIOError:
        return b""


def record(directory: Path, now: Status) -> None:
    """Say what the state of a service is, in the place of a supervisor."""
    place = directory / "supervise"
    place.mkdir(parents=True, exist_ok=True)
    (place / "status").write_bytes(encode(now))


def notify(directory: Path, events: bytes) -> None:
    """Tell all listeners of a service, in the place of a supervisor."""
    fd = os.open(directory, os.O_PATH)
    try:
        fifodir.tell(Directory(fd), events)
    finally:
        os.close(fd)


def subscribers(directory: Path) -> list[Path]:
    """List the FIFOs of those who listen to a service."""
    return list((directory / "event").glob("ftrig1:@*"))


def wait_up(directory: Path, other_than: int = 0) -> int:
    """Wait until a service is up; give its pid, which is not `other_than`."""

    def is_up() -> bool:
        now = status(directory)
        return now.up and now.pid != other_than

    wait_until(is_up, f"{directory} to be up")
    return status(directory).pid


def wait_down(directory: Path) -> None:
    """Wait until a service is down, its finish script over."""

    def is_down() -> bool:
        try:
            return status(directory).pid == 0
        except FileNotFoundError:
            return False  # its supervisor has just begun

    wait_until(is_down, f"{directory} to be down")


class Ear:
    """Hears the events of a service, as a subscriber to its fifodir."""

    def __init__(self, directory: Path, number: int = 0) -> None:
        self.path = directory / "event" / (FIFO % number)
        # Under another name at first: one without a reader would be removed.
        hidden = self.path.with_name("." + self.path.name)
        os.mkfifo(hidden)
        self._read = os.open(hidden, os.O_RDONLY | os.O_NONBLOCK)
        self._write = os.open(hidden, os.O_WRONLY | os.O_NONBLOCK)
        hidden.rename(self.path)
        self.heard = b""

    def __enter__(self) -> "Ear":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._read)
        os.close(self._write)
        self.path.unlink(missing_ok=True)

    def listen(self) -> bytes:
        """Read what there is; give all events so far."""
        with contextlib.suppress(BlockingIOError):
            self.heard += os.read(self._read, 4096)
        return self.heard

    def wait_for(self, event: bytes) -> None:
        """Wait until these events, one after another, are among those heard."""
        wait_until(lambda: event in self.listen(), f"{event!r} after {self.heard!r}")


def end_all_in(directory: Path) -> None:
    """Kill every process whose working directory is in this one.

    Again and again until none is left: one may have forked in between.
    """

    def nobody_left() -> bool:
        left = processes_in(directory)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left

    wait_until(nobody_left, f"the end of all that runs in {directory}")


def processes_in(directory: Path) -> list[int]:
    """List the living processes that work in a directory or below it."""
    place = os.path.realpath(directory)
    assert place != "/", "everything works in there"
    found = []
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        try:
            cwd = os.readlink(f"/proc/{pid}/cwd").removesuffix(" (deleted)")
        except OSError:
            continue  # gone, or waiting to be collected
        if pid != os.getpid() and (cwd + "/").startswith(place + "/"):
            found.append(pid)
    return [pid for pid in found if not ended(facts(pid))]
