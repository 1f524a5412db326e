"""Containers for tests: what they are asked for, whatever engine runs them.

Engines are tried from the most complete one down: podman, runc, and namespaces
without any. What an engine cannot do skips the test that wants it.
"""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

Result = subprocess.CompletedProcess[str]
IMAGES = Path(__file__).parent.parent / "fixtures" / "images"
BASE = "localhost/s6log-test-base"
ROOTFS = "localhost/s6log-test-rootfs"


class Unusable(Exception):
    """An engine does not work here, for the reason that it tells."""


@dataclass(frozen=True)
class Options:
    """How a container is run; names and forms are those of `podman run`."""

    env: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[Path, str] = field(default_factory=dict)  # here: there
    tmpfs: Sequence[str] = ()
    read_only: bool = False
    user: str = ""
    init: bool = False
    workdir: str = ""
    entrypoint: str = ""


@dataclass(frozen=True)
class Said:
    """What a container has written."""

    out: str
    err: str


class Container(Protocol):
    """A container that was started in the background."""

    def logs(self) -> Said:
        """Give what it has written so far."""

    def execute(self, *words: str, user: str = "") -> Result:
        """Run a program in it."""

    def stop(self, patience_s: int) -> Result:
        """Send TERM, and after a while KILL; the stderr tells of the latter."""

    def kill(self, signal: str) -> None:
        """Send a signal to its process 1."""

    def start(self) -> None:
        """Start it once more after it has ended."""

    def running(self) -> bool:
        """Tell whether it has not ended."""

    def exit_code(self) -> int:
        """Give the exit code of its process 1, after its end."""

    def remove(self) -> None:
        """Remove it, killed if need be."""


class Engine(Protocol):
    """Builds images and runs containers."""

    name: str

    def prepare(self, rootfs: Path) -> None:
        """Make the image ROOTFS of a tar file, and run it. Raise Unusable."""

    def build(self, name: str, context: Path) -> None:
        """Make an image of a folder with a Containerfile, and of BASE."""

    def run(
        self, image: str, words: Sequence[str], options: Options, data: str = ""
    ) -> Result:
        """Run a container to its end, with `data` for its input."""

    def words(self, image: str, words: Sequence[str], options: Options) -> list[str]:
        """Give a command that runs a container with a terminal."""

    def start(self, image: str, words: Sequence[str], options: Options) -> Container:
        """Start a container in the background."""

    def end(self) -> None:
        """Leave nothing behind."""


def tag(image: str) -> str:
    """Give an image of the tests the name that engines know it by."""
    return image if "/" in image else f"localhost/s6log-test-{image}"


def stopped(
    process: subprocess.Popen[bytes], kill: Callable[[str], None], patience_s: int
) -> Result:
    """Send TERM, and KILL when that does not help in time; say so as podman does."""
    said = ""
    kill("TERM")
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        said = "resorting to SIGKILL"
        kill("KILL")
    return subprocess.CompletedProcess((), 0, "", said)
