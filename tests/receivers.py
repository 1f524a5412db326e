"""Programs that people send logs to: rsyslog, and nginx in the place of a service.

Each runs in the foreground, in a directory of its own, on loopback, with a
configuration from `fixtures/`, and dies with the test.
"""

import contextlib
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from harness import DEADLINE_S, Process, wait_until

FIXTURES = Path(__file__).parent.parent / "fixtures"
POST = FIXTURES / "nginx" / "post"
SEARCHED = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
PLACEHOLDER = re.compile("@[A-Z]+@")


def needed(program: str, package: str) -> str:
    """Find a program, or skip the test."""
    found = shutil.which(program, path=SEARCHED)
    if found is None:
        pytest.skip(f"{program} is not installed (Debian: apt install {package})")
    return found


def free_port() -> int:
    """Find a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def answers(port: int) -> bool:
    """Tell whether somebody listens on a port of 127.0.0.1."""
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


class Receiver:
    """A program in a directory, while it runs; `argv` may name the directory."""

    def __init__(self, folder: Path, template: Path, argv: Sequence[str]) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: Process | None = None
        values = {"@DIR@": str(folder), "@PORT@": str(self.port)}
        text = template.read_text()
        filled = PLACEHOLDER.sub(lambda match: values[match[0]], text)
        (folder / template.name).write_text(filled)
        self._argv = [word.replace("@DIR@", str(folder)) for word in argv]

    def start(self) -> None:
        """Start it; go on when it takes connections."""
        with (self.folder / "said").open("ab") as said:
            self._process = subprocess.Popen(
                self._argv,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        wait_until(lambda: answers(self.port), f"{self._argv[0]} to listen")

    def stop(self) -> None:
        """End it in order."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(DEADLINE_S)

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(DEADLINE_S)

    def lines(self, name: str) -> list[str]:
        """Read the whole lines of a file that it writes; none before it is there."""
        path = self.folder / name
        return path.read_text().split("\n")[:-1] if path.exists() else []


@contextlib.contextmanager
def receiving(template: Path, argv: Sequence[str]) -> Iterator[Receiver]:
    """Make a receiver, which is not started yet; afterwards it has ended.

    Its directory has a short name: that of a socket has at most 107 bytes.
    """
    with tempfile.TemporaryDirectory(prefix="s6log-") as folder:
        receiver = Receiver(Path(folder), template, argv)
        try:
            yield receiver
        finally:
            receiver.kill()


def making_rsyslog() -> contextlib.AbstractContextManager[Receiver]:
    """Make an rsyslog: `socket` and a port; what it gets is in `received`."""
    program = needed("rsyslogd", "rsyslog")
    argv = (program, "-n", "-f", "@DIR@/rsyslog.conf", "-i", "@DIR@/pid")
    return receiving(FIXTURES / "rsyslog" / "rsyslog.conf", argv)


def making_nginx() -> contextlib.AbstractContextManager[Receiver]:
    """Make an nginx that takes what is posted to /ingest; bodies are in `bodies`."""
    program = needed("nginx", "nginx-light")
    argv = (program, "-c", "@DIR@/nginx.conf", "-p", "@DIR@", "-e", "@DIR@/error.log")
    return receiving(FIXTURES / "nginx" / "nginx.conf", argv)
