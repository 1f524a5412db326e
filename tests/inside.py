"""Parts of a logger inside the test's own process: a loop driven by hand.

For tests of modules; whole programs are run with `harness`.
"""

import contextlib
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from harness import DEADLINE_S, PYTHON
from s6log.making import Maker
from s6log.outputs.account import Account
from s6log.outputs.console import Alarms, Console
from s6log.outputs.context import Context, nothing
from s6log.outputs.feed import Feed
from s6log.outputs.logdir import Logdir
from s6log.outputs.shared import Shared
from s6log.outputs.status import Status
from s6log.script import model
from s6log.script.directives import parse
from s6log.stream.batch import Batch
from s6log.stream.format import Prefixes
from s6log.unix.loop import Loop
from s6log.unix.messages import Messages

CHECKOUT = Path(__file__).parent.parent
TOUCHED = (
    *(signal.SIGTERM, signal.SIGHUP, signal.SIGALRM, signal.SIGCHLD),
    *(signal.SIGPIPE, signal.SIGIO, signal.SIGUSR1, signal.SIGUSR2),
)
"""Signals whose dispositions tests may change; they get them back."""

ENOUGH_TURNS = 12
"""More than anything here needs to come to rest, when nothing new arrives."""


@contextlib.contextmanager
def looping() -> Iterator[Loop]:
    """Give a loop; afterwards everything is as it was before."""
    before = {signum: signal.getsignal(signum) for signum in TOUCHED}
    loop = Loop()
    try:
        yield loop
    finally:
        loop.close()
        for signum, handler in before.items():
            signal.signal(signum, handler)


def drive(loop: Loop, done: Callable[[], bool], what: str) -> None:
    """Turn the loop until `done` holds; fail, naming `what`, when it never does."""
    expired: list[bool] = []
    guard = loop.after(int(DEADLINE_S * 1000), lambda: expired.append(True))
    while not done():
        assert not expired, f"waited in vain: {what}"
        loop.turn()
    guard.cancel()


def settle(loop: Loop) -> None:
    """Turn the loop, without waiting, until all that has happened is handled."""
    for _ in range(ENOUGH_TURNS):
        loop.again(nothing)
        loop.turn()


class Desk:
    """What the outputs of one logger share, in a folder, and what it has said."""

    def __init__(self, loop: Loop, folder: Path, umask: int = 0o022) -> None:
        self.loop = loop
        self.folder = folder
        self._base_fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._said: list[bytes] = []
        self.context = Context(loop, Messages(b"s6-log"), self._base_fd, umask)
        self.hear()

    def __enter__(self) -> "Desk":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._base_fd)

    def hear(self) -> None:
        """Hear what is said from now on; a logger may have changed where it goes."""
        self.context.messages.write = self._said.append

    def said(self) -> list[str]:
        """Give the lines said since the last time, without the program's name."""
        lines = b"".join(self._said).decode().splitlines()
        self._said.clear()
        return [line.removeprefix("s6-log: ") for line in lines]


def script_of(*words: str) -> model.Script:
    """Parse a script."""
    return parse([word.encode() for word in words])


def only_action(*words: str) -> model.Action:
    """Parse a script with one action and give that."""
    ((_, action),) = script_of(*words).actions
    return action


def logdir_of(desk: Desk, *words: str) -> Logdir:
    """Make the output of a script whose only action is a log directory."""
    script = script_of(*words)
    ((number, action),) = script.actions
    assert isinstance(action, model.Logdir)
    return Maker(desk.context, script).logdir(number, action)


def status_of(desk: Desk, *words: str) -> Status:
    """Make the output of a script whose only action is a status file."""
    script = script_of(*words)
    ((number, action),) = script.actions
    assert isinstance(action, model.Status)
    return Maker(desk.context, script).status(number, action)


def stream_of(shared: Shared, script: model.Script, counting: bool = False) -> Console:
    """Make the `1` or else the `2` actions of a script, which need no lanes."""
    account = Account(counting)
    lines = [pair for pair in script.actions if isinstance(pair[1], model.Stdout)]
    if lines:
        port = shared.port(lines[0][1].limit, account)
        return Console(Feed(lines, account), port, b"stdout")
    pairs = [pair for pair in script.actions if isinstance(pair[1], model.Alert)]
    alerts = [action for _, action in pairs if isinstance(action, model.Alert)]
    port = shared.port(alerts[0].limit, account, careful=True)
    feed = Feed(pairs, account, alarms=Alarms(alerts))
    return Console(feed, port, b"stderr")


def batch_of(data: bytes, now_ns: int = 0) -> Batch:
    """Make a batch of whole lines that are all selected by element 0."""
    batch = Batch(None, Prefixes(time.gmtime))
    batch.begin(data, len(data), now_ns)
    return batch


@contextlib.contextmanager
def files_up_to(size_bytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond some size.

    A write that would is cut short, the next one fails: as on a full disk.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def open_descriptors() -> int:
    """Count the open descriptors of this process."""
    return len(os.listdir("/proc/self/fd"))


@contextlib.contextmanager
def other_process(
    text: str, *arguments: str, fds: tuple[int, ...] = ()
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run some lines of Python that may import s6log; talk through its pipes."""
    path = f"import sys; sys.path[:0] = [{str(CHECKOUT)!r}]\n"
    process = subprocess.Popen(
        [*PYTHON, "-c", path + text, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=fds,
        cwd=CHECKOUT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def heard(process: "subprocess.Popen[bytes]") -> str:
    """Read the next line that another process prints."""
    assert process.stdout is not None
    return process.stdout.readline().decode().rstrip("\n")


def tell(process: "subprocess.Popen[bytes]", line: str = "") -> None:
    """Send a line to another process."""
    assert process.stdin is not None
    process.stdin.write(line.encode() + b"\n")
    process.stdin.flush()
