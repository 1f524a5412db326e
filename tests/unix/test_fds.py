"""Descriptors that others share: read, written and locked without changing them."""

import fcntl
import os
import pty
import socket
import stat
import subprocess
import tty
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from harness import PYTHON, Pipe
from inside import CHECKOUT, heard, open_descriptors, other_process, tell
from s6log.unix.fds import (
    PIPE_BUF,
    Reader,
    Writer,
    ensure_standard,
    is_open,
    replace_by_null,
    same_stream,
)

NOBODY = 65534

Ends = tuple[int, int]
"""A descriptor to read from and one to write to, of one channel."""


@contextmanager
def pipe(_folder: Path) -> Iterator[Ends]:
    """Open an anonymous pipe of one page."""
    with Pipe(PIPE_BUF) as ends:
        os.set_blocking(ends.write, True)
        yield ends.read, ends.write


@contextmanager
def fifo(folder: Path) -> Iterator[Ends]:
    """Open a named pipe of one page."""
    os.mkfifo(folder / "fifo")
    read = os.open(folder / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    write = os.open(folder / "fifo", os.O_WRONLY)
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, PIPE_BUF)
    os.set_blocking(read, True)
    yield read, write
    os.close(read)
    if is_open(write):
        os.close(write)


@contextmanager
def stream(_folder: Path) -> Iterator[Ends]:
    """Open a pair of stream sockets."""
    one, other = socket.socketpair()
    yield one.fileno(), other.fileno()
    one.close()
    other.close()


@contextmanager
def terminal(_folder: Path) -> Iterator[Ends]:
    """Open a terminal that passes bytes as they are; it is the write end."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    yield master, slave
    os.close(slave)
    os.close(master)


CHANNELS = [pipe, fifo, stream, terminal]


@pytest.fixture
def ends(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ends]:
    """Open the channel that the test is parametrised with."""
    with request.param(tmp_path) as both:
        yield both


on_each_channel = pytest.mark.parametrize(
    "ends", CHANNELS, indirect=True, ids=lambda channel: channel.__name__
)


def is_blocking(fd: int) -> bool:
    """Tell whether the open file description behind a descriptor is blocking."""
    return not fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK


# ---- numbers


@pytest.mark.parametrize(
    ("closed", "null"),
    [
        ("", set()),
        ("<&-", {0}),
        (">&-", {1}),
        ("2>&-", {2}),
        ("<&- 2>&-", {0, 2}),
        ("<&- >&- 2>&-", {0, 1, 2}),
    ],
)
def test_closed_standard_descriptors_are_filled(
    closed: str, null: set[int], tmp_path: Path
) -> None:
    """By /dev/null, which children inherit; the next file gets a higher number."""
    text = (
        "import os, sys; sys.path[:0] = [sys.argv[1]]\n"
        "from s6log.unix.fds import ensure_standard\n"
        "os.closerange(3, 1000)\n"
        "ensure_standard()\n"
        "names = [os.readlink(f'/proc/self/fd/{fd}') for fd in range(3)]\n"
        "heirs = [os.get_inheritable(fd) for fd in range(3)]\n"
        "fd = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)\n"
        "os.write(fd, repr((names, heirs, fd)).encode())\n"
    )
    result = tmp_path / "result"
    command = [*PYTHON, "-c", text, str(CHECKOUT), str(result)]
    shell = ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *command]
    other = tmp_path / "other"
    with other.open("w+") as file:
        subprocess.run(shell, stdin=file, stdout=file, stderr=file, check=True)
    names = ["/dev/null" if fd in null else str(other) for fd in range(3)]
    assert result.read_text() == repr((names, [True] * 3, 3))


def test_standard_descriptors_that_are_open_stay_as_they_are() -> None:
    """And nothing else stays open."""
    before = {fd: os.fstat(fd).st_ino for fd in range(3)}
    count = open_descriptors()
    ensure_standard()
    assert {fd: os.fstat(fd).st_ino for fd in range(3)} == before
    assert open_descriptors() == count


def test_what_is_let_go_keeps_its_number() -> None:
    """The other end sees that nobody reads any more; the number is not reused."""
    with Pipe() as ends:
        replace_by_null(ends.read)
        assert os.read(ends.read, 1) == b""
        assert os.readlink(f"/proc/self/fd/{ends.read}") == "/dev/null"
        with pytest.raises(BrokenPipeError):
            os.write(ends.write, b"x")


def test_an_open_descriptor_is_told_from_a_closed_one() -> None:
    """Numbers that cannot be descriptors are closed ones."""
    read, write = os.pipe()
    os.close(write)
    assert is_open(read)
    assert not is_open(write)
    assert not is_open((1 << 31) - 1)
    os.close(read)


@on_each_channel
def test_duplicates_are_the_same_stream(ends: Ends) -> None:
    """As of a stdout and a stderr that a shell made one."""
    duplicate = os.dup(ends[1])
    assert same_stream(ends[1], duplicate)
    os.close(duplicate)


def test_different_channels_are_not_the_same_stream() -> None:
    """However alike."""
    with Pipe() as one, Pipe() as other:
        assert not same_stream(one.write, other.write)
    null = os.open("/dev/null", os.O_WRONLY)
    with Pipe() as one:
        assert not same_stream(one.write, null)
    os.close(null)


def test_a_regular_file_is_not_one_stream(tmp_path: Path) -> None:
    """Two descriptions of one file have an offset each."""
    one = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT)
    other = os.open(tmp_path / "file", os.O_WRONLY)
    assert not same_stream(one, other)
    os.close(one)
    os.close(other)


# ---- reading


@on_each_channel
def test_what_is_there_is_read(ends: Ends) -> None:
    """As much as fits, in order; the description stays as it was."""
    os.write(ends[1], b"abcdef")
    reader = Reader(ends[0])
    view = memoryview(bytearray(4))
    assert (reader.read(view), bytes(view)) == (4, b"abcd")
    assert (reader.read(view), bytes(view[:2])) == (2, b"ef")
    assert is_blocking(ends[0])


@pytest.mark.parametrize("ends", [pipe, stream], indirect=True, ids=["pipe", "stream"])
def test_nothing_there_does_not_block(ends: Ends) -> None:
    """When another reader of the same channel was faster than we."""
    reader = Reader(ends[0])
    with pytest.raises(BlockingIOError):
        reader.read(memoryview(bytearray(4)))
    assert is_blocking(ends[0])


@pytest.mark.parametrize("ends", [pipe, fifo], indirect=True, ids=["pipe", "fifo"])
def test_the_end_is_an_empty_read(ends: Ends) -> None:
    """After what the writers left."""
    os.write(ends[1], b"ab")
    reader = Reader(ends[0])
    view = memoryview(bytearray(4))
    os.close(os.dup(ends[1]))
    replace_by_null(ends[1])
    assert reader.read(view) == 2
    assert reader.read(view) == 0


def test_a_regular_file_is_read_from_its_offset(tmp_path: Path) -> None:
    """Which moves on, for the next who reads it."""
    (tmp_path / "file").write_bytes(b"0123456789")
    fd = os.open(tmp_path / "file", os.O_RDONLY)
    os.lseek(fd, 5, os.SEEK_SET)
    view = memoryview(bytearray(4))
    reader = Reader(fd)
    assert (reader.read(view), bytes(view)) == (4, b"5678")
    assert os.lseek(fd, 0, os.SEEK_CUR) == 9
    assert (reader.read(view), bytes(view[:1])) == (1, b"9")
    assert reader.read(view) == 0
    os.close(fd)


# ---- writing


def write_all(writer: Writer, data: bytes, read_fd: int) -> bytes:
    """Write everything, reading a little at a time; return what was read."""
    read = b""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[writer.write((rest[:1], b"", rest[1:])) :]
        except BlockingIOError:
            read += os.read(read_fd, 1000)
    while len(read) < len(data):
        read += os.read(read_fd, 1000)
    return read


@on_each_channel
def test_a_full_channel_does_not_block(ends: Ends) -> None:
    """What fits is taken, then nothing; all arrives in order, and nothing changes."""
    write = ends[1]
    flags = fcntl.fcntl(write, fcntl.F_GETFL)
    data = bytes(range(65, 91)) * 20_000
    writer = Writer(write)
    assert write_all(writer, data, ends[0]) == data
    assert fcntl.fcntl(write, fcntl.F_GETFL) == flags
    assert is_blocking(write)
    writer.close()
    assert is_open(write)


@on_each_channel
def test_a_closed_writer_leaves_only_what_it_was_given(ends: Ends) -> None:
    """A description of its own is closed with it; once is enough."""
    before = open_descriptors()
    writer = Writer(ends[1])
    assert writer.write((b"a",)) == 1
    writer.close()
    writer.close()
    assert open_descriptors() == before
    assert is_open(ends[1])


def test_an_empty_first_write_decides_nothing(tmp_path: Path) -> None:
    """Which it would in favour of what a named pipe does not know."""
    with fifo(tmp_path) as (read, write):
        writer = Writer(write)
        assert writer.write((b"",)) == 0
        data = b"x" * (3 * PIPE_BUF)
        assert write_all(writer, data, read) == data
        writer.close()


@on_each_channel
def test_a_reader_that_goes_away_is_an_error(ends: Ends) -> None:
    """Not a reason to wait."""
    writer = Writer(ends[1])
    writer.write((b"a",))
    replace_by_null(ends[0])
    with pytest.raises(OSError, match=r"Broken pipe|Input/output error"):
        writer.write((b"b",))
    writer.close()


@pytest.mark.parametrize("flag", [0, os.O_APPEND], ids=["offset", "append"])
def test_a_regular_file_is_written_where_it_is(flag: int, tmp_path: Path) -> None:
    """Through the description that was given: another would begin at its start."""
    path = tmp_path / "file"
    path.write_bytes(b"before ")
    fd = os.open(path, os.O_WRONLY | flag)
    os.lseek(fd, 0, os.SEEK_END)
    writer = Writer(fd)
    assert writer.write((b"one ", b"two ")) == 8
    os.write(fd, b"three ")
    assert writer.write((b"four",)) == 4
    assert writer.fd == fd
    writer.close()
    os.close(fd)
    assert path.read_bytes() == b"before one two three four"


def test_a_device_takes_everything() -> None:
    """/dev/null, as every service may have it."""
    fd = os.open("/dev/null", os.O_WRONLY)
    writer = Writer(fd)
    assert writer.write((b"a", b"b")) == 2
    assert is_blocking(fd)
    writer.close()
    assert is_open(fd)
    os.close(fd)


CAUTIOUS = """
import os, select
from s6log.unix.fds import Writer
fd = int(sys.argv[1])
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
writer = Writer(fd)
for _ in sys.stdin:
    try:
        print(writer.write((b"", b"x" * 10000, b"y")), writer.fd == fd, flush=True)
    except BlockingIOError:
        print("full", flush=True)
"""


def test_a_named_pipe_after_a_change_of_user(tmp_path: Path) -> None:
    """It cannot be reopened: pieces that fit are written, and none that does not."""
    if os.getuid() != 0:
        pytest.skip("only root can become somebody else")
    with ExitStack() as stack:
        read, write = stack.enter_context(fifo(tmp_path))
        os.chmod(tmp_path / "fifo", stat.S_IRUSR | stat.S_IWUSR)
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 2 * PIPE_BUF)
        process = stack.enter_context(other_process(CAUTIOUS, str(write), fds=(write,)))
        answers = []
        for _ in range(3):
            tell(process)
            answers.append(heard(process))
        assert answers == [f"{PIPE_BUF} True", f"{PIPE_BUF} True", "full"]
        assert os.read(read, 3 * PIPE_BUF) == b"x" * (2 * PIPE_BUF)
        assert is_blocking(write)
