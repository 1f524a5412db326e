"""A nursery that a test gives orders, and an installation to execute loggers from."""

import array
import contextlib
import os
import shutil
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import harness
from harness import DEADLINE_S, LAUNCHER, PYTHON
from supervisor.service.host import Streams
from supervisor.service.spawner import Spawner
from supervisor.warm.order import READY, Order, encode

PACKAGES = ("s6log", "supervisor")
NAME = b"foo/log"
CHANNEL = 3
ROOM = "-" * 256


def python() -> Path:
    """Find a Python that any user can execute, or the one that runs this."""
    here = Path(sys.executable).resolve()
    others = Path(f"/usr/bin/python3.{sys.version_info.minor}")
    return others if others.exists() else here


def open_to_all(folder: Path) -> None:
    """Let any user go through a folder of pytest's."""
    for above in (folder, *folder.parents[:3]):
        above.chmod(above.stat().st_mode | 0o055)


class Installation:
    """A prefix with our programs in it, all of which are the checkout's."""

    def __init__(self, folder: Path, python: Path) -> None:
        self.bin = folder / "bin"
        version = f"python3.{sys.version_info.minor}"
        site = folder / "lib" / version / "site-packages"
        self.bin.mkdir(parents=True)
        site.mkdir(parents=True)
        for package in PACKAGES:
            (site / package).symlink_to(LAUNCHER.parent.parent / package)
        for launcher in (LAUNCHER.parent / "bin").iterdir():
            shutil.copy(launcher, self.bin / launcher.name)
        self.python = self.bin / version
        self.python.symlink_to(python)
        self.environment = {
            b"PATH": os.fsencode(f"{self.bin}:/usr/bin:/bin"),
            b"TZ": b"UTC",
            b"LANG": b"C",
        }


class Service:
    """A service directory with a logger in it, and what the logger is given.

    `out` and `err` are files that take what it prints.
    """

    def __init__(self, folder: Path, run: str) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "run").write_text(run)
        (folder / "run").chmod(0o755)
        self.pipe = harness.Pipe()
        self.out, self.err = folder / "out", folder / "err"
        self._pid = 0
        self._files = [os.open(path, os.O_RDWR | os.O_CREAT) for path in self.paths]
        self.directory = os.open(folder, os.O_PATH | os.O_DIRECTORY)

    @property
    def paths(self) -> tuple[Path, Path]:
        """Give the files for 1 and 2."""
        return self.out, self.err

    @property
    def descriptors(self) -> dict[int, int]:
        """Give its descriptors by their numbers."""
        return {0: self.pipe.read, 1: self._files[0], 2: self._files[1]}

    @property
    def pid(self) -> int:
        """The process that runs, or has not been waited for."""
        assert self._pid
        return self._pid

    def execute(self, spawner: Spawner, environment: Mapping[bytes, bytes]) -> None:
        """Start it as the supervisor does."""
        streams = Streams(*self.descriptors.values())
        argv = (b"./run", NAME)
        self._pid = spawner.start(argv, self.directory, streams, environment)

    def grow(self, nursery: "Nursery", order: Order) -> None:
        """Have it made."""
        order.numbers = tuple(self.descriptors)
        fds = (self.directory, *self.descriptors.values())
        self._pid = nursery.obey(order, fds)

    def logged(self, path: str = "main/current") -> bytes:
        """Read what it has written; nothing when there is no such file."""
        try:
            return (self.folder / path).read_bytes()
        except FileNotFoundError:
            return b""

    def log(self, line: bytes = b"line\n") -> None:
        """Give it a line and wait until that has been written."""
        self.pipe.feed(line)
        harness.wait_until(lambda: line in self.logged(), "the line to be logged")

    def wait(self) -> int:
        """Wait for its end; give the exit code, negative for a signal."""
        ended: list[int] = []

        def look() -> bool:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                ended.append(os.waitstatus_to_exitcode(status))
            return bool(pid)

        harness.wait_until(look, "the logger to end")
        self._pid = 0
        return ended[0]

    def close(self) -> None:
        """End it, if it still runs, and close everything."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        self.pipe.__exit__()
        for fd in (*self._files, self.directory):
            os.close(fd)


@contextlib.contextmanager
def service(folder: Path, run: str = "") -> Iterator[Service]:
    """Make a service directory for the length of a with block."""
    made = Service(folder, run)
    try:
        yield made
    finally:
        made.close()


class Nursery:
    """A nursery, as the supervisor has one; loggers are children of this process."""

    def __init__(
        self, installation: Installation, options: Sequence[str], stderr: int
    ) -> None:
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        flags = (*PYTHON[1:], *options)
        python = str(installation.python)
        words = (python, *flags, str(LAUNCHER), "s6-log-nursery", ROOM)
        null = os.open("/dev/null", os.O_RDWR)
        root = os.open("/", os.O_PATH | os.O_DIRECTORY)
        argv = [os.fsencode(word) for word in words]
        extra = {CHANNEL: theirs.fileno()}
        streams = Streams(null, null, stderr)
        environment = installation.environment
        self.pid = Spawner().start(argv, root, streams, environment, extra)
        os.close(null)
        os.close(root)
        theirs.close()
        self.channel.settimeout(DEADLINE_S)
        assert self.channel.recv(64) == READY

    def obey(self, order: Order, fds: Sequence[int]) -> int:
        """Order a logger and let it begin; give its pid."""
        gate, key = os.pipe()
        pid = self.answer(order, (gate, *fds))
        os.close(gate)
        os.write(key, b"!")
        os.close(key)
        return pid

    def answer(self, order: Order, fds: Sequence[int]) -> int:
        """Order a logger, which waits at the gate that the first descriptor is."""
        rights = array.array("i", fds)
        control = (socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)
        self.channel.sendmsg([encode(order)], [control])
        return int(self.channel.recv(64))

    def close(self) -> int:
        """Let it end; give its exit code."""
        self.channel.close()
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@contextlib.contextmanager
def nursery(
    installation: Installation, options: Sequence[str] = (), stderr: int = 2
) -> Iterator[Nursery]:
    """Run a nursery for the length of a with block."""
    made = Nursery(installation, options, stderr)
    try:
        yield made
    finally:
        assert made.close() == 0


def words_of(text: str) -> list[bytes]:
    """Split a logger's command line at blanks."""
    return [b"s6-log", *text.encode().split()]
