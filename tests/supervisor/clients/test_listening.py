"""FIFOs in fifodirs: as other programs know them, and gone when we are."""

import contextlib
import os
import re
import resource
import select
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
from harness import Stage, wait_until
from supervising import record, subscribers
from supervisor.clients.listening import (
    DEADLY,
    Listening,
    Subscription,
    TimedOut,
    make_fifodir,
)
from supervisor.service.status import READY, Status

NAME = re.compile(r"ftrig1:@40[0-9a-f]{22}:[A-Za-z0-9_-]{6}")
UP = Status(pid=1, stamp_ns=0, ready_ns=0, wait_status=0, flags=READY)


@contextlib.contextmanager
def listening(timeout_ms: int = 0) -> Iterator[Listening]:
    """Listen in this process, whose signals are as before afterwards."""
    before = {signum: signal.getsignal(signum) for signum in DEADLY}
    with Listening(timeout_ms) as made:
        yield made
    for signum, handler in before.items():
        signal.signal(signum, handler)


@contextlib.contextmanager
def subscribed(fifodir: Path) -> Iterator[Subscription]:
    """Subscribe for the length of a block."""
    subscription = Subscription(bytes(fifodir))
    yield subscription
    subscription.close()


def test_the_fifo_is_named_as_s6_names_it(tmp_path: Path) -> None:
    """39 characters, which supervisors look for."""
    with subscribed(tmp_path):
        (name,) = os.listdir(tmp_path)
        assert NAME.fullmatch(name)
        assert len(name) == 39


@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_any_user_may_write_to_it(tmp_path: Path, umask: int) -> None:
    """Its mode is 0622 whatever the umask, which stays what it was."""
    before = os.umask(umask)
    try:
        with subscribed(tmp_path):
            found = next(tmp_path.iterdir()).stat()
    finally:
        assert os.umask(before) == umask
    assert stat.S_ISFIFO(found.st_mode)
    assert stat.S_IMODE(found.st_mode) == 0o622


def test_two_of_them_have_two_names(tmp_path: Path) -> None:
    """A program may listen twice to one service."""
    with subscribed(tmp_path), subscribed(tmp_path):
        assert len(os.listdir(tmp_path)) == 2


def test_a_writer_that_leaves_is_no_end(tmp_path: Path) -> None:
    """Between events there is nothing to read, and poll does not spin."""
    with subscribed(tmp_path) as subscription:
        fifo = next(tmp_path.iterdir())
        assert subscription.read() == b""
        for event in (b"u", b"dD"):
            with open(fifo, "wb", buffering=0) as writer:
                writer.write(event)
        assert subscription.read() == b"udD"
        assert select.select([subscription.fd], [], [], 0)[0] == []


def test_it_is_not_inherited(tmp_path: Path) -> None:
    """Else a command that is started would keep it open for ever."""
    with subscribed(tmp_path) as subscription:
        assert not os.get_inheritable(subscription.fd)


@contextlib.contextmanager
def no_descriptors() -> Iterator[None]:
    """Make this process unable to open anything."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_nothing_is_left_of_one_that_cannot_be_opened(tmp_path: Path) -> None:
    """The FIFO is there by then, under its hidden name."""
    with no_descriptors(), pytest.raises(OSError, match="Too many open files"):
        Subscription(bytes(tmp_path))
    assert os.listdir(tmp_path) == []


def test_events_come_with_the_number_of_their_fifodir(tmp_path: Path) -> None:
    """And all that came at once in one piece."""
    places = [tmp_path / name for name in "abc"]
    with listening() as ears:
        for number, place in enumerate(places):
            place.mkdir()
            assert ears.subscribe(bytes(place)) == number
        next(places[1].iterdir()).write_bytes(b"du")
        assert ears.hear() == (1, b"du")
        next(places[0].iterdir()).write_bytes(b"x")
        assert ears.hear() == (0, b"x")
    assert [os.listdir(place) for place in places] == [[], [], []]


def listen_forever(ears: Listening) -> None:
    """Hear whatever there is to be heard."""
    while True:
        ears.hear()


def test_the_time_is_over_once_for_all(tmp_path: Path) -> None:
    """Events that are heard do not make it longer."""
    with listening(timeout_ms=1) as ears:
        ears.subscribe(bytes(tmp_path))
        next(tmp_path.iterdir()).write_bytes(b"u")
        with pytest.raises(TimedOut):
            listen_forever(ears)


def test_a_fifodir_that_goes_away_is_no_error(tmp_path: Path) -> None:
    """There is nothing to unlink then."""
    place = tmp_path / "event"
    place.mkdir()
    with listening() as ears:
        ears.subscribe(bytes(place))
        next(place.iterdir()).unlink()
        place.rmdir()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("signum", DEADLY)
def test_a_program_that_is_ended_leaves_nothing_behind(
    tmp_path: Path, signum: int
) -> None:
    """And dies by the very signal, as its parent sees."""
    record(tmp_path, UP)
    stage = Stage(tmp_path)
    with harness.running(harness.ours("s6-svwait"), ["-d", "."], stage) as process:
        wait_until(lambda: len(subscribers(tmp_path)) == 1, "a subscription")
        process.send_signal(signum)
        outcome = harness.finish(process)
    assert (outcome.code, outcome.out, outcome.err) == (-signum, b"", b"")
    assert os.listdir(tmp_path / "event") == []


def test_signals_that_are_ignored_stay_so(tmp_path: Path) -> None:
    """Under nohup(1) a hangup ends no wait."""
    record(tmp_path, UP)
    words = ["-c", 'trap "" HUP; exec "$@"', "sh", *harness.ours("s6-svwait").argv]
    shell = harness.Program("sh", ("/bin/sh",))
    with harness.running(shell, [*words, "-d", "."], Stage(tmp_path)) as process:
        wait_until(lambda: len(subscribers(tmp_path)) == 1, "a subscription")
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        assert harness.finish(process).code == -signal.SIGTERM


def mode(path: Path) -> int:
    """Give the permission bits of a path."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("group", "expected"), [(os.getegid(), 0o3730), (None, 0o1733)]
)
def test_a_fifodir_is_for_a_group_or_for_all(
    tmp_path: Path, group: int | None, expected: int
) -> None:
    """Modes as s6 has them, whatever the umask."""
    before = os.umask(0o027)
    make_fifodir(bytes(tmp_path / "event"), group)
    os.umask(before)
    assert mode(tmp_path / "event") == expected


def test_a_fifodir_that_exists_is_changed_by_force_only(tmp_path: Path) -> None:
    """Somebody may have chosen its permissions."""
    place = tmp_path / "event"
    place.mkdir(0o700)
    make_fifodir(bytes(place), None)
    assert mode(place) == 0o700
    make_fifodir(bytes(place), None, force=True)
    assert mode(place) == 0o1733


def test_something_else_in_its_place_is_an_error(tmp_path: Path) -> None:
    """A file is no fifodir."""
    (tmp_path / "event").touch()
    with pytest.raises(NotADirectoryError):
        make_fifodir(bytes(tmp_path / "event"), None)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_the_fifodir_of_another_user_is_an_error(tmp_path: Path) -> None:
    """We could not trust it."""
    (tmp_path / "event").mkdir()
    os.chown(tmp_path / "event", 65534, -1)
    with pytest.raises(PermissionError):
        make_fifodir(bytes(tmp_path / "event"), None)
