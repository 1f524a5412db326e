"""The keeper, in real processes: supervisors that die and descriptors that do not.

A supervisor here is another process that does what the test tells it, line by line.
"""

import contextlib
import fcntl
import os
import resource
import signal
import socket
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chains import needs_root
from harness import Pipe, Process, wait_until
from inside import heard, other_process, tell
from watching import children, descriptors, ended, facts, switches

OBSERVED_S = 2.0
"""Long enough to see any wake-up that comes at least twice in a while."""

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

GIVEN = "given = keeper.start()"


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


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Give a directory for the socket; a keeper that is left there is ended."""
    yield tmp_path
    gone = (FileNotFoundError, ConnectionRefusedError)
    with contextlib.suppress(*gone), connect(tmp_path) as peer:
        peer.send(b"end")


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


# ---- what it is for


def test_pipes_survive_the_supervisor_and_all_who_use_them(folder: Path) -> None:
    """The next supervisor gets the same ends of the same pipe, with what is in it."""
    with Pipe() as pipe:
        ends = (pipe.read, pipe.write)
        name = name_of(pipe.read)
        with supervising(folder, ends) as first:
            assert value(first, "keeper.start()") == "{}"
            do(first, f"keeper.keep(b'web', {ends})")
            pipe.feed(b"not lost")
            kill(first)
    with supervising(folder) as second:
        do(second, GIVEN)
        assert value(second, "list(given)") == "[b'web']"
        assert value(second, "len(given[b'web'])") == "2"
        for end in (0, 1):
            link = f"os.readlink(f'/proc/self/fd/{{given[b\"web\"][{end}]}}')"
            assert value(second, link) == name
        assert value(second, "os.get_inheritable(given[b'web'][1])") == "False"
        do(second, "os.write(given[b'web'][1], b', not at all')")
        text = value(second, "os.read(given[b'web'][0], 100)")
        assert text == "b'not lost, not at all'"
        do(second, "keeper.end()")


def test_what_was_taken_back_is_still_kept(folder: Path) -> None:
    """A supervisor may die right after it has taken over, again and again."""
    with Pipe() as pipe:
        with supervising(folder, (pipe.write,)) as first:
            do(first, "keeper.start()")
            do(first, f"keeper.keep(b'a key with blanks', [{pipe.write}])")
            keeper = keeper_of(first)
        for _ in range(3):
            with supervising(folder) as next_one:
                do(next_one, GIVEN)
                assert value(next_one, "list(given)") == "[b'a key with blanks']"
                assert children(next_one.pid) == []
                kill(next_one)
        assert pipes_in(keeper) == [name_of(pipe.write)]


def test_a_key_is_dropped(folder: Path) -> None:
    """Then the last writer is gone; other keys stay."""
    with (
        Pipe() as pipe,
        Pipe() as other,
        supervising(folder, (pipe.write, other.write)) as supervisor,
    ):
        os.set_blocking(pipe.read, False)
        do(supervisor, "keeper.start()")
        do(supervisor, f"keeper.keep(b'web', [{pipe.write}])")
        do(supervisor, f"keeper.keep(b'mail', [{other.write}])")
        do(supervisor, f"os.close({pipe.write})")
        pipe.end()
        keeper = keeper_of(supervisor)
        await_pipes(keeper, 2)
        assert not closed(pipe)
        do(supervisor, "keeper.drop(b'web'); keeper.drop(b'unknown')")
        wait_until(lambda: closed(pipe), "the end of the pipe")
        assert pipes_in(keeper) == [name_of(other.read)]


def test_a_key_kept_anew_is_replaced(folder: Path) -> None:
    """What was under it before is closed."""
    with (
        Pipe() as old,
        Pipe() as new,
        supervising(folder, (old.write, new.write)) as supervisor,
    ):
        do(supervisor, "keeper.start()")
        do(supervisor, f"keeper.keep(b'web', [{old.write}, {old.write}])")
        do(supervisor, f"keeper.keep(b'web', [{new.write}])")
        keeper = keeper_of(supervisor)
        expected = [name_of(new.read)]
        wait_until(lambda: pipes_in(keeper) == expected, "the new pipe only")


def test_an_orderly_end_ends_the_keeper(folder: Path) -> None:
    """It closes everything; whoever comes next finds nobody, and has a new one."""
    with Pipe() as pipe, supervising(folder, (pipe.write,)) as supervisor:
        os.set_blocking(pipe.read, False)
        do(supervisor, "keeper.start()")
        do(supervisor, f"keeper.keep(b'web', [{pipe.write}])")
        keeper = keeper_of(supervisor)
        do(supervisor, f"keeper.end(); os.close({pipe.write})")
        pipe.end()
        wait_until(lambda: closed(pipe), "the end of the pipe")
        await_end(keeper)
        assert value(supervisor, "keeper.start()") == "{}"
        assert successor_of(keeper, supervisor)
        assert value(supervisor, "lost") == "[]"


def test_without_start_nothing_is_kept(folder: Path) -> None:
    """PID 1 has no keeper, and need not ask; what was noted is told at the start."""
    with Pipe() as pipe, supervising(folder, (pipe.write,)) as supervisor:
        do(supervisor, f"keeper.keep(b'web', [{pipe.write}]); keeper.drop(b'mail')")
        assert children(supervisor.pid) == []
        do(supervisor, "keeper.start()")
        keeper = keeper_of(supervisor)
        await_pipes(keeper, 1)
        do(supervisor, "keeper.end(); keeper.keep(b'web', [99]); keeper.end()")


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
        wait_until(lambda: blocks(keeper, signal.SIGTERM), "its signals")
        harmless = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
        for signum in harmless:
            os.kill(keeper, signum)
        kill(supervisor)
    with supervising(folder) as second:
        assert value(second, "keeper.start()") == "{}"
        assert children(second.pid) == []
        assert not ended(facts(keeper))


def blocks(pid: int, signum: int) -> bool:
    """Tell whether a process blocks a signal."""
    return bool(int(facts(pid)["SigBlk"], 16) >> (signum - 1) & 1)


def test_an_idle_keeper_never_wakes(folder: Path) -> None:
    """With a supervisor that does nothing, and without one."""
    with supervising(folder) as supervisor:
        do(supervisor, "keeper.start()")
        keeper = keeper_of(supervisor)
        await_rest(keeper, peers=1)
        assert wakes(keeper) == 0
        wait_until(lambda: asleep(supervisor.pid), "the supervisor to sleep")
        assert wakes(supervisor.pid) == 0
        kill(supervisor)
    await_rest(keeper, peers=0)
    assert wakes(keeper) == 0


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
    with Pipe() as pipe:
        with supervising(folder, (pipe.write,)) as first:
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


def test_a_keeper_that_dies_is_replaced(folder: Path) -> None:
    """The supervisor hears of it; the next one holds all that the first did."""
    with Pipe() as pipe, supervising(folder, (pipe.write,)) as supervisor:
        do(supervisor, "keeper.start()")
        do(supervisor, f"keeper.keep(b'web', [{pipe.write}])")
        keeper = keeper_of(supervisor)
        for times in (1, 2):
            await_pipes(keeper, 1)
            os.kill(keeper, signal.SIGKILL)
            keeper = successor_of(keeper, supervisor)
            assert value(supervisor, "len(lost)") == str(times)
        await_pipes(keeper, 1)
        kill(supervisor)
    with supervising(folder) as second:
        assert value(second, "list(keeper.start())") == "[b'web']"


def test_a_stopped_keeper_stops_nobody(folder: Path) -> None:
    """What it is owed waits, and takes no more memory than what is to be kept."""
    with Pipe() as pipe, supervising(folder, (pipe.write,)) as supervisor:
        do(supervisor, "keeper.start()")
        keeper = keeper_of(supervisor)
        await_rest(keeper, peers=1)
        os.kill(keeper, signal.SIGSTOP)
        keys = "[b'%d' % i for i in range(2000)]"
        do(supervisor, f"[keeper.keep(key, [{pipe.write}]) for key in {keys}]")
        do(supervisor, f"[keeper.drop(key) for key in {keys}[:1990]]")
        assert int(value(supervisor, "len(keeper._owed)")) > 0
        os.kill(keeper, signal.SIGCONT)
        await_pipes(keeper, 10)
        wait_until(lambda: value(supervisor, "len(keeper._owed)") == "0", "the rest")
        assert value(supervisor, "lost") == "[]"


def test_what_was_under_way_reaches_the_keeper(folder: Path) -> None:
    """The supervisor dies before the keeper has come to read what it was told."""
    with Pipe() as pipe:
        with supervising(folder, (pipe.write,)) as supervisor:
            do(supervisor, "keeper.start()")
            keeper = keeper_of(supervisor)
            await_rest(keeper, peers=1)
            os.kill(keeper, signal.SIGSTOP)
            do(supervisor, f"keeper.keep(b'web', [{pipe.write}])")
            kill(supervisor)
        os.kill(keeper, signal.SIGCONT)
        await_pipes(keeper, 1)


def test_what_was_under_way_reaches_the_next_supervisor(folder: Path) -> None:
    """Also when that comes before the keeper has read the last words of the first."""
    with Pipe() as pipe, supervising(folder) as second:
        with supervising(folder, (pipe.write,)) as first:
            do(first, "keeper.start()")
            keeper = keeper_of(first)
            await_rest(keeper, peers=1)
            os.kill(keeper, signal.SIGSTOP)
            keep = f"keeper.keep(b'%d' % i, [{pipe.write}])"
            do(first, f"[{keep} for i in range(20)]")
            kill(first)
        tell(second, GIVEN)
        wait_until(lambda: "socket" in str(held(second.pid)), "it to have connected")
        os.kill(keeper, signal.SIGCONT)
        assert heard(second) == "done"
        assert value(second, "len(given)") == "20"


@needs_root
def test_too_many_descriptors_under_way_wait(folder: Path) -> None:
    """A user has a limit for those, whatever the room in the socket (ETOOMANYREFS)."""
    os.chown(folder, 65534, 65534)
    with Pipe() as pipe, supervising(folder, (pipe.write,)) as supervisor:
        do(supervisor, "import resource; n = resource.RLIMIT_NOFILE")
        do(supervisor, "os.setgroups([]); os.setuid(65534)")
        do(supervisor, "keeper.start()")
        (keeper,) = children(supervisor.pid)
        await_rest(keeper, peers=1)
        do(supervisor, "resource.setrlimit(n, (64, 64))")
        os.kill(keeper, signal.SIGSTOP)
        keep = f"keeper.keep(b'%d' % i, [{pipe.write}] * 2)"
        do(supervisor, f"[{keep} for i in range(100)]")
        assert int(value(supervisor, "len(keeper._owed)")) > 50
        os.kill(keeper, signal.SIGCONT)
        await_pipes(keeper, 200)


GARBAGE = [
    b"x",
    b"keep",
    b"keep ",
    b"drop ",
    b"give me",
    b"\0" * 100,
    b"end " + b"x" * 5000,
]


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


def test_a_supervisor_whose_place_was_taken_has_another_keeper(folder: Path) -> None:
    """And the first one ends, or it would hold everything for ever."""
    with Pipe() as pipe, supervising(folder, (pipe.write,)) as supervisor:
        do(supervisor, "keeper.start()")
        do(supervisor, f"keeper.keep(b'web', [{pipe.write}])")
        first = keeper_of(supervisor)
        with connect(folder):
            another = successor_of(first, supervisor)
        assert value(supervisor, "len(lost)") == "1"
        await_pipes(another, 1)


def test_a_keeper_that_does_not_answer_is_given_up(folder: Path) -> None:
    """A supervisor that starts waits for it a few seconds, not for ever."""
    with supervising(folder) as first:
        do(first, "keeper.start()")
        stopped = keeper_of(first)
        await_rest(stopped, peers=1)
        os.kill(stopped, signal.SIGSTOP)
        kill(first)
    with supervising(folder) as second:
        do(second, "from supervisor.adoption import keeper as module")
        do(second, "module.ANSWER_S = 0.1")
        assert value(second, "keeper.start()") == "{}"
        assert keeper_of(second) != stopped
        os.kill(stopped, signal.SIGCONT)
        await_end(stopped)


def test_a_left_over_socket_is_replaced(folder: Path) -> None:
    """A killed keeper leaves its name behind."""
    with supervising(folder) as first:
        do(first, "keeper.start()")
        keeper = keeper_of(first)
        kill(first)
    os.kill(keeper, signal.SIGKILL)
    await_end(keeper)
    assert (folder / "keeper").is_socket()
    with supervising(folder) as second:
        assert value(second, "keeper.start()") == "{}"
        assert keeper_of(second)


def test_no_keeper_where_no_socket_can_be_made(folder: Path) -> None:
    """It is said, and what is kept is only noted."""
    (folder / "keeper").mkdir()
    with supervising(folder) as supervisor:
        do(supervisor, "failed = None")
        start = "try: keeper.start()\\nexcept OSError as error: failed = error"
        do(supervisor, f"exec('{start}', globals())")
        assert "directory" in value(supervisor, "failed")
        do(supervisor, "keeper.keep(b'web', [0]); keeper.drop(b'web'); keeper.end()")
        assert children(supervisor.pid) == []


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
