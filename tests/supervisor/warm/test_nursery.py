"""The process that loggers are copies of: what it holds, and how it ends."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
import watching
from nurseries import (
    Installation,
    Nursery,
    Service,
    nursery,
    open_to_all,
    service,
    words_of,
)
from s6log.unix.fds import is_open
from supervisor.warm.folder import PARENTS
from supervisor.warm.order import Order

PLAIN = "n3 s4096 ./main"
SCRIPTS = [
    PLAIN,
    "-b t n3 s4096 pX: ./main",
    "T - +l.*e ./main",
    "- +line ./main",
    "-- -nothing t ./main",
]
"""What loggers usually do: with other scripts one has to load what it needs."""


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """Install the checkout."""
    return Installation(tmp_path / "prefix", Path(os.path.realpath("/proc/self/exe")))


@pytest.fixture
def made_by(installation: Installation) -> Iterator[Nursery]:
    """Run a nursery."""
    with nursery(installation) as made:
        yield made


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Service]:
    """Make a service directory."""
    with service(tmp_path / "one") as made:
        yield made


KERNEL = b"s6log.stream._scan"


def order(script: str) -> Order:
    """Order a logger for this process's user."""
    return Order(words_of(script), None, {}, ())


def test_its_loggers_are_our_children(made_by: Nursery, one: Service) -> None:
    """Not its own: it has none, and we hear when one dies."""
    one.grow(made_by, order(PLAIN))
    one.log()
    assert int(watching.facts(one.pid)["PPid"]) == os.getpid()
    assert watching.children(made_by.pid) == []
    one.pipe.end()
    assert one.wait() == 0


def test_its_loggers_outlive_it(installation: Installation, one: Service) -> None:
    """It ends when the supervisor has closed its end, also by dying."""
    with nursery(installation) as made_by:
        one.grow(made_by, order(PLAIN))
    one.log()
    one.pipe.end()
    assert one.wait() == 0


def test_it_holds_nothing(made_by: Nursery) -> None:
    """But the channel, and what a service has: no folder, no signal of its own."""
    ours = (fd for fd in range(1024) if is_open(fd))
    inherited = {fd for fd in ours if os.get_inheritable(fd)}
    fds = watching.descriptors(made_by.pid)
    assert set(fds) == inherited | {0, 1, 2, 3}
    assert fds[0] == fds[1] == "/dev/null"
    assert fds[3].startswith("socket:")
    facts = watching.facts(made_by.pid)
    assert int(facts["SigCgt"], 16) == int(facts["SigBlk"], 16) == 0
    assert facts["Name"] == "s6-log-nursery"
    assert os.readlink(f"/proc/{made_by.pid}/cwd") == "/"


def test_its_rehearsal_leaves_nothing(made_by: Nursery) -> None:
    """In none of the folders that it may have used."""
    for parent in PARENTS:
        assert not list(Path(parent).glob(f"s6-log-nursery.{made_by.pid}*"))


def test_what_was_read_in_between_goes_to_nobody_else(
    made_by: Nursery, tmp_path: Path
) -> None:
    """It keeps no descriptor of a logger: the end of its input is seen."""
    with service(tmp_path / "a") as one, service(tmp_path / "b") as other:
        for made in (one, other):
            made.grow(made_by, order(PLAIN))
            made.log()
        one.pipe.end()
        assert one.wait() == 0
        other.log(b"again\n")


def test_a_logger_of_which_nobody_knows_ends_unseen(
    made_by: Nursery, one: Service
) -> None:
    """It waits for the supervisor to learn its pid before it begins."""
    gate, key = os.pipe()
    wish = Order(words_of(PLAIN), None, {}, tuple(one.descriptors))
    fds = (gate, one.directory, *one.descriptors.values())
    pid = made_by.answer(wish, fds)
    os.close(gate)
    assert os.waitpid(pid, os.WNOHANG) == (0, 0)
    os.close(key)
    assert os.waitpid(pid, 0) == (pid, 0)
    assert (one.logged(), one.err.read_bytes()) == (b"", b"")


def test_a_logger_can_be_killed_before_it_begins(
    made_by: Nursery, one: Service
) -> None:
    """As a program can be between fork and exec."""
    gate, key = os.pipe()
    wish = Order(words_of(PLAIN), None, {}, tuple(one.descriptors))
    pid = made_by.answer(wish, (gate, one.directory, *one.descriptors.values()))
    os.kill(pid, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGTERM
    os.close(gate)
    os.close(key)


LOADING = [order(script) for script in SCRIPTS]
LOADING.append(Order((b"logutil-service", b"./main"), None, {}, ()))


@pytest.mark.parametrize("wish", LOADING, ids=lambda wish: b" ".join(wish.words))
def test_usual_loggers_load_nothing(
    wish: Order, installation: Installation, one: Service
) -> None:
    """What they load would be in each one's memory instead of the nursery's."""
    lines = b"".join(b"line %d\n" % number for number in range(2000))
    log = one.folder / "nursery"
    stderr = os.open(log, os.O_WRONLY | os.O_CREAT)
    open_to_all(one.folder)
    with nursery(installation, ("-X", "importtime"), stderr) as made_by:
        one.grow(made_by, wish)
        one.pipe.feed(lines)
        one.pipe.end()
        assert one.wait() == 0
    os.close(stderr)
    assert b"supervisor.warm.siblings" in log.read_bytes()
    # A kernel that was not built is looked for by each logger.
    loaded = [line for line in one.err.read_bytes().splitlines() if KERNEL not in line]
    assert loaded == []


def test_a_logger_with_other_needs_loads_what_it_needs(
    made_by: Nursery, one: Service
) -> None:
    """A processor, say."""
    one.grow(made_by, order("!cat s4096 ./main"))
    one.pipe.feed(b"line\n" * 2000)
    one.pipe.end()
    assert one.wait() == 0
    harness.wait_until(lambda: bool(list(one.folder.glob("main/@*.s"))), "archives")


def test_a_logger_that_cannot_begin_ends(
    made_by: Nursery, one: Service, tmp_path: Path
) -> None:
    """With the code that the system has refused something; the next one is made."""
    no_directory = one.pipe.read
    fds = (no_directory, *one.descriptors.values())
    pid = made_by.obey(Order(words_of(PLAIN), None, {}, (0, 1, 2)), fds)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 111
    with service(tmp_path / "next") as following:
        following.grow(made_by, order(PLAIN))
        following.log()


def test_a_message_that_is_no_order_harms_nobody(
    made_by: Nursery, one: Service, tmp_path: Path
) -> None:
    """The copy ends, with the code of a bug; the nursery goes on."""
    gate, key = os.pipe()
    os.write(key, b"!")
    socket.send_fds(made_by.channel, [b"?"], [gate, one.directory])
    pid = int(made_by.channel.recv(64))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 101
    os.close(gate)
    os.close(key)
    with service(tmp_path / "next") as following:
        following.grow(made_by, order(PLAIN))
        following.log()
