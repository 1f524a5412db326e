"""Containers without an engine: namespaces, and a throw-away layer over this machine.

An image is what a test puts on top of the machine's own files. Its s6-init is process
1 of a PID namespace, with a /run of its own; what it writes elsewhere is gone with it.
Files inside are seen from outside through /proc/PID/root.
"""

import contextlib
import functools
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import harness
from harness import DEADLINE_S, ENVIRONMENT, Process, wait_until
from watching import children, facts

CHECKOUT = Path(__file__).parent.parent
SLEEP = "exec sleep 1000"
POLITE = "trap 'echo bye; exit 0' TERM\necho hello\nwhile :; do sleep 1000 & wait; done"
PTY = """
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
"""
SETUP = r"""
set -e
box=$1 image=$2 run=$3 apart=$4 above=$5 user=$6 workdir=$7
shift 7
mount -t tmpfs tmpfs "$box"
mkdir "$box/up" "$box/work" "$box/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$box/up,workdir=$box/work" "$box/root"
root=$box/root
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
for folder in $above; do chmod a+x "$root$folder"; done
for folder in $apart; do mount --rbind "$folder" "$root$folder"; done
if [ "$run" != none ]; then mount -t tmpfs -o "$run" tmpfs "$root/run"
else rm -rf "$root/run"; fi
cp -a "$image/." "$root/"
exec /usr/sbin/chroot --userspec="$user" "$root" \
    /bin/sh -c 'cd "$0" && exec "$@"' "$workdir" "$@"
"""
INNER = ("--pid", "--fork", "--mount", "--kill-child=KILL", "--propagation", "private")
ROOT = "0:0"


class Image:
    """What an image has on top of this machine's files, as a tree below `top`."""

    def __init__(self, top: Path) -> None:
        self.top = top
        top.mkdir(parents=True)

    def file(self, path: str, text: str, mode: int = 0o755) -> Path:
        """Add a file; `path` begins with a slash."""
        target = self.top / path.removeprefix("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)
        return target

    def script(self, path: str, text: str) -> Path:
        """Add a program for sh."""
        return self.file(path, f"#!/bin/sh\n{text}\n")

    def service(self, name: str, run: str = SLEEP, **files: str) -> None:
        """Add a service; `log_run` is log/run, `give_up` is give-up, and so on."""
        folder = f"/etc/services.d/{name}/"
        self.script(folder + "run", run)
        for key, text in files.items():
            path = folder + key.replace("log_", "log/").replace("_", "-")
            if path.endswith(("run", "finish")):
                self.script(path, text)
            else:
                self.file(path, text, 0o644)


@dataclass(frozen=True)
class Booted:
    """A container that runs: `process` is unshare(1), `pid` is its process 1 here."""

    process: Process
    pid: int
    folder: Path

    @property
    def out(self) -> str:
        """What has come out on its standard output so far."""
        return (self.folder / "out").read_text(errors="replace")

    @property
    def err(self) -> str:
        """What has come out on its standard error so far."""
        return (self.folder / "err").read_text(errors="replace")

    def path(self, path: str) -> Path:
        """Give a file of its as it is to be reached from here."""
        return Path(f"/proc/{self.pid}/root{path}")

    def says(self, text: str) -> None:
        """Wait until a text has come out."""
        wait_until(lambda: text in self.out or _over(self.process), repr(text))
        assert text in self.out, f"it has ended, and said {self.out}{self.err}"

    def complains(self, text: str) -> None:
        """Wait until a text has come out on standard error."""
        wait_until(lambda: text in self.err or _over(self.process), repr(text))
        assert text in self.err, f"it has ended, and said {self.out}{self.err}"

    def kill(self, signum: int = signal.SIGTERM) -> None:
        """Signal process 1."""
        os.kill(self.pid, signum)

    def ended(self) -> int:
        """Wait for its end; give the exit code."""
        return self.process.wait(DEADLINE_S)

    def stop(self, signum: int = signal.SIGTERM) -> int:
        """Signal process 1 and wait for its exit code."""
        self.kill(signum)
        return self.ended()

    def run(self, *words: str, code: int = 0) -> str:
        """Run a program inside, as `docker exec`; give what it prints."""
        argv = ["nsenter", "-t", str(self.pid), "-p", "-m", "-r", "-w", *words]
        done = subprocess.run(
            argv,
            env={"PATH": PATH},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert done.returncode == code, done.stdout
        return done.stdout

    def order(self, *words: str) -> None:
        """Run a program that ends the container, perhaps before it has ended itself."""
        argv = ["nsenter", "-t", str(self.pid), "-p", "-m", "-r", "-w", *words]
        subprocess.call(argv, env={"PATH": PATH})

    def processes(self) -> list[str]:
        """Give the names of all processes inside but process 1, sorted."""
        found: list[str] = []
        waiting = [self.pid]
        while waiting:
            below = children(waiting.pop())
            waiting += below
            found += [facts(pid).get("Name", "") for pid in below]
        return sorted(name for name in found if name)


@dataclass(frozen=True)
class Start:
    """How a container is started; `below` is what executes s6-init."""

    env: Mapping[str, str] = field(default_factory=dict)
    run: str = "mode=755"
    user: str = ROOT
    workdir: str = "/srv"
    stdin: int = subprocess.DEVNULL
    stdout: int | None = None  # in the place of a file
    below: Sequence[str] = ()


USUAL = Start()
PATH = f"{Path(harness.ours('s6-svc').argv[0]).parent}:/usr/local/bin:/usr/bin:/bin"


@contextlib.contextmanager
def booted(
    image: Image, tmp_path: Path, *words: str, start: Start = USUAL
) -> Iterator[Booted]:
    """Run s6-init with an image, in a container; whatever happens, end it."""
    folder = tmp_path / f"box{len(list(tmp_path.glob('box*')))}"
    (folder / "mount").mkdir(parents=True)
    setup = (str(folder / "mount"), str(image.top), start.run, *_outside())
    inside = (start.user, start.workdir, *start.below)
    init = (*inside, *harness.ours("s6-init").argv, *words)
    argv = ["unshare", *INNER, "sh", "-c", SETUP, "sh", *setup, *init]
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = subprocess.Popen(
            argv,
            stdin=start.stdin,
            stdout=out if start.stdout is None else start.stdout,
            stderr=err,
            env={"PATH": PATH, "TZ": "UTC", **start.env},
        )
    try:
        wait_until(lambda: bool(children(process.pid)) or _over(process), "a child")
        below = children(process.pid)
        yield Booted(process, below[0] if below else 0, folder)
    finally:
        process.kill()
        process.wait()


def _over(process: Process) -> bool:
    return process.poll() is not None


def _outside() -> tuple[str, str]:
    """Give the folders to be seen inside that are not on the root file system.

    And those above them and above Python, which other users than root must be able
    to go through: in an image they are.
    """
    needed = (CHECKOUT, Path(harness.PYTHON[0]).resolve())
    root = os.stat("/").st_dev
    apart = [str(path) for path in needed if path.stat().st_dev != root]
    above = {str(folder) for path in needed for folder in path.parents}
    return " ".join(apart), " ".join(sorted(above - {"/"}))


@functools.cache
def boxes_allowed() -> bool:
    """Tell whether this process may make such containers."""
    if os.geteuid() != 0:
        return False
    script = "mount -t tmpfs tmpfs /mnt && mkdir /mnt/u /mnt/w /mnt/r && "
    script += "mount -t overlay o -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w /mnt/r"
    command = ["unshare", *INNER, "sh", "-c", script]
    try:
        failed = subprocess.call(command, env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    except OSError:
        return False
    return failed == 0


needs_boxes = pytest.mark.skipif(
    not boxes_allowed(), reason="this needs root, PID namespaces and overlayfs"
)
