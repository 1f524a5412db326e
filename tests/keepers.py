"""Supervisors that die, and the keeper that does not: in real processes.

A supervisor here is another process that does what the test tells it, line by line.
"""

import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

from harness import Pipe, Process, wait_until
from inside import heard, other_process, tell
from watching import children, ended, facts, switches

GIVEN = "given = keeper.start()"
"""What the next supervisor begins with."""

SUPERVISOR = """
import os, select
from s6log.unix.loop import Loop
from s6log.unix.signals import signal
from supervisor.adoption.keeper import Keeper

def obey(_events):
    exec(sys.stdin.readline(), globals())
    print("done", flush=True)

os.chdir(sys.argv[1])
loop = Loop(many=True)
loop.on_signal(signal.SIGCHLD, loop.reap_children)
lost = []
keeper = Keeper(loop, b"keeper", lambda: lost.append(1))
loop.watch(0, select.POLLIN, obey)
print("ready", flush=True)
while True:
    loop.turn()
"""


def do(supervisor: Process, line: str) -> list[str]:
    """Have a supervisor do something; give what it prints."""
    tell(supervisor, line)
    printed = []
    while (said := heard(supervisor)) != "done":
        assert not ended(facts(supervisor.pid)), line
        printed.append(said)
    return printed


def value(supervisor: Process, expression: str) -> str:
    """Give the value of an expression in a supervisor, printed."""
    (printed,) = do(supervisor, f"print({expression})")
    return printed


@contextlib.contextmanager
def supervising(folder: Path, fds: tuple[int, ...] = ()) -> Iterator[Process]:
    """Run a supervisor without a keeper yet, which inherits some descriptors."""
    with other_process(SUPERVISOR, str(folder), fds=fds) as process:
        assert heard(process) == "ready"
        yield process


def keeper_of(supervisor: Process) -> int:
    """Give the pid of the keeper that a supervisor has forked."""
    (pid,) = children(supervisor.pid)
    wait_until(lambda: facts(pid).get("Name") == "s6-svscan-keep", "the keeper")
    return pid


def successor_of(keeper: int, supervisor: Process) -> int:
    """Wait for the keeper that comes after another."""
    wait_until(lambda: children(supervisor.pid) not in ([], [keeper]), "another keeper")
    wait_until(lambda: len(children(supervisor.pid)) == 1, "the end of the first")
    return keeper_of(supervisor)


def kill(supervisor: Process) -> None:
    """Let a supervisor die without warning."""
    supervisor.kill()
    supervisor.wait()


def connect(folder: Path) -> socket.socket:
    """Connect to the keeper as somebody else."""
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # The path may be longer than an address can be (unix(7)).
    here = os.open(folder, os.O_PATH)
    try:
        peer.connect(f"/proc/self/fd/{here}/keeper")
    except OSError:
        peer.close()
        raise
    finally:
        os.close(here)
    return peer


def held(pid: int) -> list[str]:
    """Give what the descriptors of a keeper refer to, while it changes them."""
    folder = Path(f"/proc/{pid}/fd")
    names = []
    for link in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            names.append(os.readlink(link))
    return sorted(names)


def pipes_in(pid: int) -> list[str]:
    """Give the pipes that a keeper holds."""
    return [name for name in held(pid) if name.startswith("pipe:")]


def await_pipes(pid: int, count: int) -> None:
    """Wait until a keeper holds so many descriptors of pipes."""
    wait_until(lambda: len(pipes_in(pid)) == count, f"{count} pipes in the keeper")


def await_rest(keeper: int, peers: int) -> None:
    """Wait until a keeper of nothing has so many connections, and sleeps."""
    sockets = 1 + peers
    wait_until(
        lambda: len(held(keeper)) == 3 + sockets and asleep(keeper),
        "the keeper to be at rest",
    )


def asleep(pid: int) -> bool:
    """Tell whether a process sleeps, and slept all the time between two looks."""
    first, second = facts(pid), facts(pid)
    states = first["State"][0] + second["State"][0]
    return states == "SS" and switches(first) == switches(second)


def await_end(pid: int) -> None:
    """Wait until a process has ended."""
    wait_until(lambda: ended(facts(pid)), "the end of the keeper")


def name_of(fd: int) -> str:
    """Give what a descriptor refers to, as in /proc."""
    return os.readlink(f"/proc/self/fd/{fd}")


def closed(pipe: Pipe) -> bool:
    """Tell whether nobody else has the writing end of a pipe."""
    try:
        return os.read(pipe.read, 1) == b""
    except BlockingIOError:
        return False


@contextlib.contextmanager
def stopped(keeper: int) -> Iterator[None]:
    """Stop a keeper for the length of a with block; afterwards it goes on."""
    os.kill(keeper, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(keeper, signal.SIGCONT)
