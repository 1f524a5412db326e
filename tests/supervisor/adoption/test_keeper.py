"""What a supervisor has of its keeper, in real processes."""

import os
import signal
from pathlib import Path

from chains import needs_root
from harness import Pipe, wait_until
from keepers import (
    GIVEN,
    await_end,
    await_pipes,
    await_rest,
    closed,
    connect,
    do,
    keeper_of,
    kill,
    name_of,
    pipes_in,
    stopped,
    successor_of,
    supervising,
    value,
)
from watching import children

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
        with stopped(keeper):
            keys = "[b'%d' % i for i in range(2000)]"
            do(supervisor, f"[keeper.keep(key, [{pipe.write}]) for key in {keys}]")
            do(supervisor, f"[keeper.drop(key) for key in {keys}[:1990]]")
            assert int(value(supervisor, "len(keeper._owed)")) > 0
        await_pipes(keeper, 10)
        wait_until(lambda: value(supervisor, "len(keeper._owed)") == "0", "the rest")
        assert value(supervisor, "lost") == "[]"


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
        with stopped(keeper):
            keep = f"keeper.keep(b'%d' % i, [{pipe.write}] * 2)"
            do(supervisor, f"[{keep} for i in range(100)]")
            assert int(value(supervisor, "len(keeper._owed)")) > 50
        await_pipes(keeper, 200)


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
    with supervising(folder) as first, supervising(folder) as second:
        do(first, "keeper.start()")
        keeper = keeper_of(first)
        await_rest(keeper, peers=1)
        with stopped(keeper):
            kill(first)
            do(second, "from supervisor.adoption import keeper as module")
            do(second, "module.ANSWER_S = 0.1")
            assert value(second, "keeper.start()") == "{}"
            assert keeper_of(second) != keeper
        await_end(keeper)


def test_a_left_over_socket_is_replaced(folder: Path) -> None:
    """A killed keeper leaves its name behind."""
    with supervising(folder) as first:
        do(first, "keeper.start(); keeper.keep(b'web', [0])")
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
