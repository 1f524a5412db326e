"""The keeper's own process: what it is, and that nobody can do it harm."""

import fcntl
import os
import resource
import signal
import socket
import termios
import time
from pathlib import Path

import pytest

from chains import needs_root
from harness import Pipe, wait_until
from inside import heard, tell
from keepers import (
    GIVEN,
    asleep,
    await_end,
    await_pipes,
    await_rest,
    connect,
    do,
    held,
    keeper_of,
    kill,
    pipes_in,
    stopped,
    supervising,
    value,
)
from watching import children, descriptors, ended, facts, switches

OBSERVED_S = 2.0
"""Long enough to see any wake-up that comes at least twice in a while."""

GARBAGE = [
    b"x",
    b"keep",
    b"keep ",
    b"drop ",
    b"give me",
    b"\0" * 100,
    b"end " + b"x" * 5000,
]


# ---- what it is


def test_nothing_of_the_supervisor_is_left_in_it(folder: Path) -> None:
    """Neither session nor directory, descriptors, locks or plain streams."""
    with Pipe() as pipe, supervising(folder, (pipe.read,)) as supervisor:
        do(supervisor, "import fcntl; from s6log.unix.locks import lock_whole_file")
        do(supervisor, "lock = os.open('lock', os.O_WRONLY | os.O_CREAT)")
        do(supervisor, "lock_whole_file(lock, fcntl.F_OFD_SETLK)")
        do(supervisor, "keeper.start()")
        keeper = keeper_of(supervisor)
        do(supervisor, f"keeper.keep(b'web', [{pipe.read}])")
        await_pipes(keeper, 1)
        assert descriptors(keeper)[0] == "/dev/null"
        kinds = [name.partition("[")[0] for name in held(keeper)]
        assert kinds == ["/dev/null"] * 3 + ["pipe:"] + ["socket:"] * 2
        assert Path(f"/proc/{keeper}/cwd").readlink() == Path("/")
        assert os.getsid(keeper) == keeper
        kill(supervisor)
    with supervising(folder) as second:
        do(second, "import fcntl; from s6log.unix.locks import lock_whole_file")
        do(second, "lock = os.open('lock', os.O_WRONLY)")
        assert value(second, "lock_whole_file(lock, fcntl.F_OFD_SETLK)") == "True"


def test_only_sigkill_ends_it(folder: Path) -> None:
    """Whoever ends all processes of a session or user means the services."""
    with supervising(folder) as supervisor:
        do(supervisor, "keeper.start()")
        keeper = keeper_of(supervisor)
        do(supervisor, "keeper.keep(b'web', [0])")
        wait_until(lambda: blocks(keeper, signal.SIGTERM), "its signals")
        harmless = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
        for signum in harmless:
            os.kill(keeper, signum)
        kill(supervisor)
    with supervising(folder) as second:
        assert value(second, "list(keeper.start())") == "[b'web']"
        assert children(second.pid) == []
        assert not ended(facts(keeper))


def test_a_keeper_of_nothing_ends_with_its_supervisor(folder: Path) -> None:
    """The next one makes its own."""
    with supervising(folder) as supervisor:
        do(supervisor, "keeper.start()")
        keeper = keeper_of(supervisor)
        do(supervisor, "keeper.keep(b'web', [0]); keeper.drop(b'web')")
        kill(supervisor)
    await_end(keeper)


def blocks(pid: int, signum: int) -> bool:
    """Tell whether a process blocks a signal."""
    return bool(int(facts(pid)["SigBlk"], 16) >> (signum - 1) & 1)


def test_an_idle_keeper_never_wakes(folder: Path) -> None:
    """With a supervisor that does nothing, and without one."""
    with supervising(folder) as supervisor:
        do(supervisor, "keeper.start(); keeper.keep(b'web', [0])")
        keeper = keeper_of(supervisor)
        await_pipes(keeper, 1)
        wait_until(lambda: asleep(keeper), "the keeper to sleep")
        wait_until(lambda: asleep(supervisor.pid), "the supervisor to sleep")
        assert wakes(keeper) == 0
        assert wakes(supervisor.pid) == 0
        kill(supervisor)
    wait_until(lambda: connections(keeper) == 0, "the keeper to be alone")
    wait_until(lambda: asleep(keeper), "the keeper to sleep")
    assert wakes(keeper) == 0


def connections(keeper: int) -> int:
    """Count those who are connected to a keeper."""
    return sum(name.startswith("socket:") for name in held(keeper)) - 1


def wakes(pid: int) -> int:
    """Count the wake-ups of a process while it is watched."""
    before = switches(facts(pid))
    # Not synchronisation: it is the time in which nothing must happen.
    time.sleep(OBSERVED_S)
    return switches(facts(pid)) - before


def test_two_thousand_descriptors_are_kept_and_given_back(folder: Path) -> None:
    """Whatever the soft limit of the supervisor was."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < 2100:
        pytest.skip(f"no more than {hard} descriptors are allowed here")
    with Pipe() as pipe:
        ends = (pipe.read, pipe.write)
        with supervising(folder, ends) as first:
            do(first, "import resource; n = resource.RLIMIT_NOFILE")
            do(first, f"resource.setrlimit(n, (256, {hard}))")
            do(first, "keeper.start()")
            keeper = keeper_of(first)
            do(first, f"[keeper.keep(b'%d' % i, {ends}) for i in range(1000)]")
            await_pipes(keeper, 2000)
            kill(first)
    with supervising(folder) as second:
        do(second, "import resource; n = resource.RLIMIT_NOFILE")
        do(second, f"resource.setrlimit(n, ({hard}, {hard}))")
        do(second, GIVEN)
        assert value(second, "sorted(map(int, given)) == list(range(1000))") == "True"
        assert value(second, "sum(map(len, given.values()))") == "2000"
        do(second, "keeper.end()")


def test_a_full_keeper_still_answers(folder: Path) -> None:
    """What is beyond its limit is not kept; a new supervisor is let in."""
    with Pipe() as pipe, supervising(folder, (pipe.write,)) as first:
        do(first, "import resource; n = resource.RLIMIT_NOFILE")
        do(first, "resource.setrlimit(n, (40, 40))")
        do(first, "keeper.start()")
        keeper = keeper_of(first)
        keep = f"keeper.keep(b'%d' % i, [{pipe.write}] * 5)"
        do(first, f"[{keep} for i in range(20)]")
        await_pipes(keeper, 25)
        kill(first)
    with supervising(folder) as second:
        do(second, GIVEN)
        assert (
            value(second, "[len(fds) for fds in given.values()]") == "[5, 5, 5, 5, 5]"
        )
        assert children(second.pid) == []


# ---- what can go wrong


def test_what_was_under_way_reaches_the_keeper(folder: Path) -> None:
    """The supervisor dies before the keeper has come to read what it was told."""
    with Pipe() as pipe, supervising(folder, (pipe.write,)) as supervisor:
        do(supervisor, "keeper.start()")
        keeper = keeper_of(supervisor)
        await_rest(keeper, peers=1)
        with stopped(keeper):
            do(supervisor, f"keeper.keep(b'web', [{pipe.write}])")
            kill(supervisor)
        await_pipes(keeper, 1)


def test_what_was_under_way_reaches_the_next_supervisor(folder: Path) -> None:
    """Also when that comes before the keeper has read the last words of the first."""
    with (
        Pipe() as pipe,
        supervising(folder, (pipe.write,)) as first,
        supervising(folder) as second,
    ):
        do(first, "keeper.start()")
        keeper = keeper_of(first)
        await_rest(keeper, peers=1)
        with stopped(keeper):
            keep = f"keeper.keep(b'%d' % i, [{pipe.write}])"
            do(first, f"[{keep} for i in range(20)]")
            kill(first)
            tell(second, GIVEN)
            wait_until(lambda: "socket" in str(held(second.pid)), "a connection")
        assert heard(second) == "done"
        assert value(second, "len(given)") == "20"


def test_garbage_does_no_harm(folder: Path) -> None:
    """Whoever sends it takes the supervisor's place, until that comes back."""
    with Pipe() as pipe, supervising(folder, (pipe.write,)) as supervisor:
        do(supervisor, "keeper.start()")
        do(supervisor, f"keeper.keep(b'web', [{pipe.write}])")
        keeper = keeper_of(supervisor)
        kill(supervisor)
        for packet in GARBAGE:
            with connect(folder) as peer, Pipe() as own:
                peer.send(packet)
                socket.send_fds(peer, [packet], [own.read] * 3)
                await_reading(peer)
        with connect(folder) as peer:
            peer.send(b"")
    with supervising(folder) as second:
        do(second, GIVEN)
        assert value(second, "b'web' in given") == "True"
        assert children(second.pid) == []
        assert not ended(facts(keeper))


def await_reading(peer: socket.socket) -> None:
    """Wait until the other side has read all that was sent."""
    wait_until(
        lambda: fcntl.ioctl(peer, termios.TIOCOUTQ, b"\0" * 4) == b"\0" * 4,
        "the packets to be read",
    )


@needs_root
def test_other_users_get_nothing(folder: Path) -> None:
    """Even where they may reach the socket."""
    with Pipe() as pipe, supervising(folder, (pipe.write,)) as supervisor:
        do(supervisor, "keeper.start()")
        do(supervisor, f"keeper.keep(b'web', [{pipe.write}])")
        (folder / "keeper").chmod(0o666)
        folder.chmod(0o755)
        with supervising(folder) as stranger:
            do(stranger, "from supervisor.adoption import keeper as module")
            do(stranger, "os.setgroups([]); os.setuid(65534)")
            do(stranger, "peer = module._connect(b'keeper')")
            assert value(stranger, "peer.recvmsg(100, 100)[:2]") == "(b'', [])"
        assert value(supervisor, "lost") == "[]"
        assert len(pipes_in(keeper_of(supervisor))) == 1
