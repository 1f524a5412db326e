"""Figures of an output: selected = written + dropped + pending, at any moment."""

import os
import re
import select
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import Pipe
from inside import (
    Desk,
    batch_of,
    drive,
    files_up_to,
    logdir_of,
    looping,
    script_of,
    settle,
    status_of,
    stream_of,
)
from s6log.outputs.account import (
    AT_END,
    CLOSED,
    FAILED,
    FULL,
    RATE,
    SUPERSEDED,
    Account,
)
from s6log.outputs.shared import Shared
from s6log.script.model import BLOCK, DROP_NEWEST, DROP_OLDEST, USUAL_LIMIT, Limit
from s6log.unix.fds import PIPE_BUF
from s6log.unix.loop import Loop

FIGURES = "@metrics=figures"
"""What makes a logger count."""


class Rig:
    """Ports of one descriptor, a pipe of one page, each with an account."""

    def __init__(self, desk: Desk, pipe: Pipe, *limits: Limit) -> None:
        self.loop = desk.loop
        self.pipe = pipe
        self.errors: list[OSError] = []
        self.shared = Shared(desk.context, pipe.write, self.errors.append)
        self.accounts = [Account(counting=True) for _ in limits]
        self.ports = [
            self.shared.port(limit, account)
            for limit, account in zip(limits, self.accounts, strict=True)
        ]
        self.received = b""

    def put(self, number: int, head: bytes, block: bytes, atomic: bool = False) -> None:
        """Put a block of lines into a port, as its output would."""
        self.accounts[number].selected += block.count(b"\n")
        port = self.ports[number]
        port.outbox.careful = atomic
        port.put(head, bytearray(block + b"behind\n"), len(block))
        self.look()

    def read(self, size_bytes: int) -> None:
        """Let the reader take something, and the loop notice."""
        if select.select([self.pipe.read], [], [], 0)[0]:
            self.received += os.read(self.pipe.read, size_bytes)
        settle(self.loop)
        self.look()

    def read_all(self) -> None:
        """Read until nothing waits."""
        while self.pipe.waiting() or any(port.outbox.size for port in self.ports):
            self.read(PIPE_BUF)

    def look(self) -> None:
        """Check what always holds."""
        for port in self.ports:
            check(port.account, port.outbox.lines)
        written = sum(account.written_bytes for account in self.accounts)
        if not self.shared.closed:
            assert written == len(self.received) + self.pipe.waiting()


def check(account: Account, pending: int) -> None:
    """Check that no line is unaccounted for."""
    dropped = sum(account.dropped.values())
    assert account.selected == account.written + dropped + pending


@pytest.fixture
def desk(loop: Loop, tmp_path: Path) -> Iterator[Desk]:
    """Give what outputs share."""
    with Desk(loop, tmp_path) as made:
        yield made


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """Open a pipe of one page."""
    with Pipe(PIPE_BUF) as made:
        os.set_blocking(made.write, True)
        yield made


# ---- the account itself


def test_drops_are_kept_by_reason() -> None:
    """No reason without lines; the names are those that figures are given."""
    account = Account(counting=False)
    account.drop(0, CLOSED)
    assert account.dropped == {}
    account.drop(2, FULL)
    account.drop(1, RATE)
    account.drop(3, FULL)
    assert account.dropped == {b"buffer": 5, b"rate": 1}
    names = {CLOSED, FULL, AT_END, RATE, SUPERSEDED, FAILED}
    assert names == {b"closed", b"buffer", b"exit", b"rate", b"newer", b"failed"}
    account.wrote(2, 10)
    account.wrote(1, 5)
    assert (account.written, account.written_bytes) == (3, 15)


# ---- a descriptor that others write to, too


def test_a_line_counts_as_written_with_its_last_byte(desk: Desk, pipe: Pipe) -> None:
    """A write that goes half way counts whole lines, and all bytes."""
    rig = Rig(desk, pipe, USUAL_LIMIT)
    (account,) = rig.accounts
    rig.put(0, b"head ", b"a\nb\n" + b"x" * PIPE_BUF + b"\nc\n")
    assert (account.written, account.written_bytes) == (2, PIPE_BUF)
    assert rig.ports[0].outbox.lines == 2
    rig.read_all()
    assert (account.written, account.dropped) == (4, {})
    assert (
        account.written_bytes == len(rig.received) == PIPE_BUF + len("head a\nb\n\nc\n")
    )


BLOCKS = st.lists(
    st.one_of(st.integers(0, 40), st.integers(3000, 5000)), min_size=1, max_size=5
).map(lambda sizes: b"".join(b"x" * size + b"\n" for size in sizes))
PUT = st.tuples(st.sampled_from([b"", b"head "]), BLOCKS, st.booleans())
STEPS = st.lists(st.one_of(PUT, st.integers(1, PIPE_BUF)), max_size=12)


@settings(max_examples=60)
@given(STEPS)
def test_what_has_left_is_counted_at_every_moment(
    steps: list[tuple[bytes, bytes, bool] | int],
) -> None:
    """However slowly it is read: whole lines of what was put, and its bytes."""
    with looping() as loop, Desk(loop, Path("/")) as desk, Pipe(PIPE_BUF) as pipe:
        rig = Rig(desk, pipe, USUAL_LIMIT)
        (account,) = rig.accounts
        sent = b""
        for step in steps:
            if isinstance(step, int):
                rig.read(step)
            else:
                head, block, atomic = step
                sent += head + block
                rig.put(0, head, block, atomic)
            assert account.written == sent.count(b"\n", 0, account.written_bytes)
        rig.read_all()
        assert rig.received == sent
        assert account.written == sent.count(b"\n")
        rig.shared.close()


LIMITS = st.builds(
    Limit, st.integers(1, 20_000), st.sampled_from([BLOCK, DROP_NEWEST, DROP_OLDEST])
)


@settings(max_examples=100)
@given(LIMITS, LIMITS, STEPS, st.booleans())
def test_no_line_of_any_port_is_unaccounted_for(
    one: Limit,
    other: Limit,
    steps: list[tuple[bytes, bytes, bool] | int],
    breaks: bool,
) -> None:
    """Whatever is dropped, and also when the reader goes away in the middle."""
    with looping() as loop, Desk(loop, Path("/")) as desk, Pipe(PIPE_BUF) as pipe:
        rig = Rig(desk, pipe, one, other)
        for number, step in enumerate(steps):
            if isinstance(step, int):
                rig.read(step)
            else:
                rig.put(number % 2, *step)
        if breaks:
            pipe.drop_read()
            rig.put(0, b"", b"last\n")
            settle(loop)
            rig.put(1, b"", b"last\n")
            assert rig.shared.closed
        else:
            rig.read_all()
        rig.look()
        assert [port.outbox.lines for port in rig.ports] == [0, 0]
        for account, limit in zip(rig.accounts, (one, other), strict=True):
            reasons = {CLOSED} if breaks else set()
            if limit.full != BLOCK:
                reasons.add(FULL)
            assert set(account.dropped) <= reasons
        rig.shared.close()


def test_a_stream_that_is_lost_loses_all_that_follows(desk: Desk, pipe: Pipe) -> None:
    """What had been written counts as written, what waited as dropped."""
    rig = Rig(desk, pipe, USUAL_LIMIT)
    (account,) = rig.accounts
    rig.put(0, b"", b"a\n" + b"x" * PIPE_BUF + b"\nc\n")
    pipe.drop_read()
    drive(desk.loop, lambda: rig.shared.closed, "the loss to be noticed")
    assert (account.written, account.dropped) == (1, {CLOSED: 2})
    rig.put(0, b"head ", b"d\ne\n")
    rig.put(0, b"head ", b"f\n", atomic=True)
    assert (account.written, account.dropped) == (1, {CLOSED: 5})
    assert account.written_bytes == PIPE_BUF


def test_a_stream_that_is_lost_at_once_loses_the_block(desk: Desk, pipe: Pipe) -> None:
    """In whatever way its lines are put."""
    pipe.drop_read()
    rig = Rig(desk, pipe, USUAL_LIMIT, USUAL_LIMIT)
    rig.put(0, b"", b"a\nb\n" * 2000, atomic=True)
    rig.put(1, b"", b"a\nb\n")
    assert [account.dropped for account in rig.accounts] == [
        {CLOSED: 4000},
        {CLOSED: 2},
    ]


def test_what_comes_first_does_not_wait_for_the_rest(desk: Desk, pipe: Pipe) -> None:
    """Alerts go before other lines that wait, but never into one of them."""
    rig = Rig(desk, pipe, USUAL_LIMIT, USUAL_LIMIT)
    long = b"x" * 5000 + b"\n"
    rig.put(1, b"", long + b"2\n3\n")
    rig.put(0, b"", b"alert\n", atomic=True)
    assert [port.outbox.size for port in rig.ports] == [6, 5001 - PIPE_BUF + 4]
    rig.read_all()
    assert rig.received == long + b"alert\n2\n3\n"
    assert [account.written for account in rig.accounts] == [1, 3]
    assert rig.accounts[0].written_bytes == 6


def test_each_port_has_its_own_limit(desk: Desk, pipe: Pipe) -> None:
    """What one has to drop is not taken from the other."""
    newest, block = Limit(20, DROP_NEWEST), Limit(20, BLOCK)
    rig = Rig(desk, pipe, block, newest)
    rig.put(0, b"", b"x" * (PIPE_BUF - 1) + b"\n")
    for _ in range(10):
        rig.put(0, b"", b"mine\n")
        rig.put(1, b"", b"other\n")
    assert [port.outbox.size for port in rig.ports] == [50, 18]
    assert [account.dropped for account in rig.accounts] == [{}, {FULL: 7}]
    rig.read_all()
    lines = rig.received.splitlines()
    assert lines[1:-1] == [b"mine"] * 10 + [b"other"] * 3
    assert lines[-1].startswith(b"s6-log: 7 lines dropped (buffer full for ")


# ---- outputs


@pytest.mark.parametrize("words", ["1", "1 1", "2", "2 E1 2", "- +b 1", "- +b 2 f 2"])
def test_lines_of_streams_are_counted(desk: Desk, words: str) -> None:
    """Selected, and then written."""
    script = script_of(*words.split(), FIGURES)
    path = desk.folder / "stream"
    with path.open("wb") as file:
        shared = Shared(desk.context, file.fileno(), lambda _: None)
        output = stream_of(shared, script, counting=True)
        output.deliver(batch_of(b"alpha\nbeta\n"))
        account = output.account
        check(account, output.outbox.lines)
    written = path.read_bytes()
    assert account.written == written.count(b"\n") > 0
    assert account.written_bytes == len(written)


def test_lines_of_a_directory_are_counted(desk: Desk) -> None:
    """Also those that a full disk kept waiting; the bytes are those of the files."""
    logdir = logdir_of(desk, FIGURES, "pweb", "r1", "./d")
    with files_up_to(6):
        logdir.deliver(batch_of(b"one\ntwo\n"))
        account = logdir.account
        assert (account.selected, account.written, account.written_bytes) == (2, 0, 6)
        assert logdir.outbox.lines == 2
        logdir.deliver(batch_of(b"three\n"))
        check(account, logdir.outbox.lines)
    drive(desk.loop, lambda: not logdir.busy, "the directory to rest")
    content = (desk.folder / "d" / "current").read_bytes()
    assert content == b"web one\nweb two\nweb three\n"
    assert (account.written, account.written_bytes) == (3, len(content))
    logdir.deliver(batch_of(b"four\nfive\n"))
    assert account.written == 5
    check(account, 0)


@pytest.mark.parametrize("full", ["drop-newest", "drop-oldest"])
def test_a_directory_may_drop_lines(desk: Desk, full: str) -> None:
    """While its disk is full: none is torn, and what is missing is told in the log."""
    logdir = logdir_of(
        desk, FIGURES, "@buffer=60", f"@full={full}", "pweb", "r1", "./d"
    )
    with files_up_to(6):
        for number in range(20):
            logdir.deliver(batch_of(b"line %02d\n" % number))
            check(logdir.account, logdir.outbox.lines)
            assert logdir.outbox.size <= 60
    drive(desk.loop, lambda: not logdir.busy, "the directory to rest")
    lines = [f"web line {number:02}" for number in range(20)]
    mark = "web s6-log: 15 lines dropped"
    kept = (
        [*lines[:5], mark] if full == "drop-newest" else [lines[0], mark, *lines[16:]]
    )
    written = (desk.folder / "d" / "current").read_text()
    assert re.sub(r" \(buffer full for \d+ s\)", "", written).splitlines() == kept
    account = logdir.account
    assert (account.selected, account.written, account.dropped) == (20, 5, {FULL: 15})


def test_a_status_file_shows_one_line_of_many(desk: Desk) -> None:
    """Those before it count as dropped; so does it, when it cannot be shown."""
    status = status_of(desk, FIGURES, "^0", "pweb", "=status")
    account = status.account
    status.deliver(batch_of(b"one\ntwo\nthree\n"))
    assert (account.selected, account.written, account.dropped) == (
        3,
        1,
        {SUPERSEDED: 2},
    )
    assert account.written_bytes == len("web three\n")
    assert (desk.folder / "status").read_bytes() == b"web three\n"
    (desk.folder / "status.new").mkdir()
    status.deliver(batch_of(b"four\nfive\n"))
    assert account.dropped == {SUPERSEDED: 3, FAILED: 1}
    check(account, 0)
