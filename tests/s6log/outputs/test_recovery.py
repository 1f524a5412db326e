"""Opening a log directory: locked, and whatever was left behind settled."""

import fcntl
import itertools
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from inside import Desk, heard, open_descriptors, other_process
from s6log.outputs.archive_names import is_archive
from s6log.outputs.recovery import Found, lock_again, open_logdir
from s6log.outputs.retention import Keep
from s6log.script.model import Rules
from s6log.unix.durable import Place
from s6log.unix.loop import Loop
from s6log.unix.messages import MISTAKE, REFUSED, Fatal

MODE = 0o640
CLEAN = 0o744
UNCLEAN = 0o644
NOW_NS = 1_700_000_000_000_000_000

File = tuple[int, bytes] | None
"""A file's mode and content, or that there is none."""

CURRENTS: dict[str, File] = {
    "none": None,
    "empty": (UNCLEAN, b""),
    "unclean": (UNCLEAN, b"3 of current\n"),
    "executable by others": (0o655, b"3 of current\n"),
}
PREVIOUSES: dict[str, File] = {
    "none": None,
    "empty": (CLEAN, b""),
    "unfinished": (UNCLEAN, b"1 of previous\n"),
    "finished": (CLEAN, b"1 of previous\n"),
}
PROCESSEDS: dict[str, File] = {
    "none": None,
    "unfinished": (UNCLEAN, b"2 of pro"),
    "finished": (CLEAN, b"2 of processed\n"),
    "finished, empty": (CLEAN, b""),
}
STATES: dict[str, File] = {"none": None, "some": (UNCLEAN, b"state\n")}
OLD = "@400000005000000000000000.s"


@pytest.fixture
def desk(loop: Loop, tmp_path: Path) -> Iterator[Desk]:
    """Prepare a folder for a log directory."""
    with Desk(loop, tmp_path) as made:
        yield made


def stopped_clock() -> int:
    """Tell always the same time, as two steps within one nanosecond see it."""
    return NOW_NS


def opened(desk: Desk, path: bytes = b"d", keep: int = 10) -> Found:
    """Open a log directory and close its descriptors."""
    context = desk.context
    found = open_logdir(
        Place(context.base_fd, path),
        MODE,
        Keep(Rules(keep=keep), context.messages),
        stopped_clock,
        context.locked,
    )
    os.close(found.current_fd)
    os.close(found.lock_fd)
    context.locked.clear()
    return found


def lay(folder: Path, files: dict[str, File]) -> None:
    """Put files into a directory."""
    for name, file in files.items():
        if file is not None:
            mode, content = file
            (folder / name).write_bytes(content)
            (folder / name).chmod(mode)


def archived(folder: Path) -> list[tuple[str, bytes]]:
    """List the endings and contents of the archives, oldest first."""
    names = sorted(filter(is_archive, os.listdir(folder)))
    return [(name[-2:], (folder / name).read_bytes()) for name in names]


def expected_archives(current: File, previous: File, processed: File) -> list[object]:
    """Say what an unclean end becomes, by the words of s6-log's manual."""
    made = []
    if processed is not None and processed[0] & stat.S_IXUSR:
        made.append((".s", processed[1]))
    elif previous is not None:
        made.append((".u", previous[1]))
    if current is not None:
        made.append((".u", current[1]))
    return [(suffix, content) for suffix, content in made if content]


COMBINATIONS = list(itertools.product(CURRENTS, PREVIOUSES, PROCESSEDS))


@pytest.mark.parametrize(("current", "previous", "processed"), COMBINATIONS)
def test_every_unclean_end_is_settled_alike(
    desk: Desk, current: str, previous: str, processed: str
) -> None:
    """No leftovers, an empty state, a fresh current; every line in one archive."""
    folder = desk.folder / "d"
    for state, newstate in itertools.product(STATES, STATES):
        folder.mkdir()
        files = {
            "current": CURRENTS[current],
            "previous": PREVIOUSES[previous],
            "processed": PROCESSEDS[processed],
            "state": STATES[state],
            "newstate": STATES[newstate],
            OLD: (CLEAN, b"0 of before\n"),
        }
        lay(folder, files)
        assert opened(desk).size == 0
        made = expected_archives(
            files["current"], files["previous"], files["processed"]
        )
        assert archived(folder) == [(".s", b"0 of before\n"), *made]
        rest = {name for name in os.listdir(folder) if not is_archive(name)}
        assert rest == {"lock", "state", "current"}
        assert (folder / "state").read_bytes() == b""
        assert (folder / "current").read_bytes() == b""
        assert stat.S_IMODE((folder / "current").stat().st_mode) == MODE
        for name in os.listdir(folder):
            (folder / name).unlink()
        folder.rmdir()
    assert desk.said() == []


def test_a_recovered_archive_keeps_its_mode(desk: Desk) -> None:
    """That it is not executable tells that it may end in the middle of a line."""
    (desk.folder / "d").mkdir()
    lay(desk.folder / "d", {"current": (0o604, b"line\n")})
    opened(desk)
    (name,) = filter(is_archive, os.listdir(desk.folder / "d"))
    assert stat.S_IMODE((desk.folder / "d" / name).stat().st_mode) == 0o604


def test_a_clean_end_is_continued(desk: Desk) -> None:
    """And nothing else is looked at (s6-log)."""
    (desk.folder / "d").mkdir()
    files: dict[str, File] = {
        "current": (CLEAN, b"line\n"),
        "previous": (CLEAN, b"p"),
        "processed": (CLEAN, b"q"),
        "state": (UNCLEAN, b"r"),
        "newstate": (UNCLEAN, b"s"),
        OLD: (CLEAN, b"old\n"),
    }
    lay(desk.folder / "d", files)
    assert opened(desk, keep=0).size == len(b"line\n")
    names = {*files, "lock"}
    assert set(os.listdir(desk.folder / "d")) == names
    for name, file in files.items():
        assert file is not None
        mode, content = file
        assert (desk.folder / "d" / name).read_bytes() == content
        expected = MODE if name == "current" else mode
        assert stat.S_IMODE((desk.folder / "d" / name).stat().st_mode) == expected


def test_lines_go_behind_those_of_a_clean_end(desk: Desk) -> None:
    """The file is appended to."""
    (desk.folder / "d").mkdir()
    lay(desk.folder / "d", {"current": (CLEAN, b"one\n")})
    context = desk.context
    found = open_logdir(
        Place(context.base_fd, b"d"),
        MODE,
        Keep(Rules(), context.messages),
        time.time_ns,
        context.locked,
    )
    os.write(found.current_fd, b"two\n")
    for fd in (found.current_fd, found.lock_fd):
        assert fcntl.fcntl(fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC
        os.close(fd)
    assert (desk.folder / "d" / "current").read_bytes() == b"one\ntwo\n"


def test_recovery_trims(desk: Desk) -> None:
    """What becomes an archive at start-up counts as any other."""
    (desk.folder / "d").mkdir()
    files: dict[str, File] = {
        "current": (UNCLEAN, b"3\n"),
        "previous": (CLEAN, b"2\n"),
        OLD: (CLEAN, b"1\n"),
    }
    lay(desk.folder / "d", files)
    opened(desk, keep=2)
    assert archived(desk.folder / "d") == [(".u", b"2\n"), (".u", b"3\n")]


def test_a_new_directory_is_for_its_owner_alone(desk: Desk) -> None:
    """An existing one keeps its mode."""
    opened(desk)
    assert stat.S_IMODE((desk.folder / "d").stat().st_mode) == 0o700
    (desk.folder / "d").chmod(0o755)
    opened(desk)
    assert stat.S_IMODE((desk.folder / "d").stat().st_mode) == 0o755


# ---- the lock


@pytest.mark.parametrize("path", [b"d", b"./d", b"./x/../d", b"link"])
def test_a_directory_is_opened_once_in_a_process(desk: Desk, path: bytes) -> None:
    """Whatever it is called the second time: the user's mistake, not a conflict."""
    (desk.folder / "x").mkdir()
    (desk.folder / "link").symlink_to("d")
    context = desk.context
    keep = Keep(Rules(), context.messages)
    place = Place(context.base_fd, b"d")
    found = open_logdir(place, MODE, keep, time.time_ns, context.locked)
    with pytest.raises(Fatal) as caught:
        open_logdir(
            Place(context.base_fd, path), MODE, keep, time.time_ns, context.locked
        )
    assert caught.value.code == MISTAKE
    assert caught.value.text == b"log directory " + path + b" is used twice"
    os.close(found.current_fd)
    os.close(found.lock_fd)


HOLDER = """
import fcntl, os
from s6log.unix.locks import lock_whole_file
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
print(lock_whole_file(fd, int(sys.argv[2])), flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize(
    "command", [fcntl.F_SETLK, fcntl.F_OFD_SETLK], ids=["s6-log", "ours"]
)
def test_a_directory_that_another_process_has_is_refused(
    desk: Desk, command: int
) -> None:
    """Whichever logger it is; nothing in the directory is touched."""
    folder = desk.folder / "d"
    folder.mkdir()
    lay(folder, {"current": (UNCLEAN, b"theirs\n"), "state": (UNCLEAN, b"state\n")})
    with other_process(HOLDER, str(folder / "lock"), str(command)) as process:
        assert heard(process) == "True"
        with pytest.raises(Fatal) as caught:
            opened(desk)
    assert (caught.value.code, caught.value.text) == (REFUSED, b"unable to lock d/lock")
    desk.context.messages.fatal(caught.value)
    assert desk.said() == ["fatal: unable to lock d/lock: Device or resource busy"]
    assert set(os.listdir(folder)) == {"lock", "current", "state"}
    assert (folder / "current").read_bytes() == b"theirs\n"


def test_the_lock_is_held(desk: Desk) -> None:
    """Until its descriptor is closed, whatever else closes the file."""
    context = desk.context
    keep = Keep(Rules(), context.messages)
    place = Place(context.base_fd, b"d")
    found = open_logdir(place, MODE, keep, time.time_ns, context.locked)
    os.close(os.open(desk.folder / "d" / "lock", os.O_WRONLY))
    arguments = str(desk.folder / "d" / "lock"), str(fcntl.F_SETLK)
    with other_process(HOLDER, *arguments) as process:
        assert heard(process) == "False"
    os.close(found.current_fd)
    os.close(found.lock_fd)
    with other_process(HOLDER, *arguments) as process:
        assert heard(process) == "True"


def test_a_directory_made_anew_is_locked_anew(desk: Desk) -> None:
    """Unless another logger was faster: then the old lock is kept."""
    context = desk.context
    keep = Keep(Rules(), context.messages)
    place = Place(context.base_fd, b"d")
    found = open_logdir(place, MODE, keep, time.time_ns, context.locked)
    folder = desk.folder / "d"
    arguments = str(folder / "lock"), str(fcntl.F_SETLK)
    before = open_descriptors()
    assert lock_again(place, found.lock_fd) == found.lock_fd
    folder.rename(desk.folder / "removed")
    folder.mkdir()
    with other_process(HOLDER, *arguments) as process:
        assert heard(process) == "True"
        inside = open_descriptors()
        with pytest.raises(OSError, match="Device or resource busy"):
            lock_again(place, found.lock_fd)
        assert open_descriptors() == inside
    lock_fd = lock_again(place, found.lock_fd)
    with other_process(HOLDER, *arguments) as process:
        assert heard(process) == "False"
    assert open_descriptors() == before
    os.close(lock_fd)
    os.close(found.current_fd)


# ---- what cannot be used


def refused(desk: Desk, path: bytes = b"d") -> str:
    """Open a log directory that cannot be used; give what the user is told."""
    with pytest.raises(Fatal) as caught:
        opened(desk, path)
    assert caught.value.code == REFUSED
    desk.context.messages.fatal(caught.value)
    (line,) = desk.said()
    return line


def test_a_directory_in_nowhere_is_refused(desk: Desk) -> None:
    """Parents are not made."""
    assert refused(desk, b"no/such") == (
        "fatal: unable to mkdir no/such: No such file or directory"
    )


def test_a_file_in_the_place_of_the_directory_is_refused(desk: Desk) -> None:
    """It is not taken for one."""
    (desk.folder / "d").touch()
    assert refused(desk) == "fatal: unable to open d/lock: Not a directory"


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ("lock", "open d/lock: Is a directory"),
        ("state", "unlink d/state: Is a directory"),
        ("newstate", "unlink d/newstate: Is a directory"),
        ("current", "open_append d/current: Is a directory"),
    ],
)
def test_a_directory_in_the_place_of_a_file_is_refused(
    desk: Desk, entry: str, complaint: str
) -> None:
    """By the name of what could not be done."""
    (desk.folder / "d" / entry).mkdir(parents=True)
    assert refused(desk) == f"fatal: unable to {complaint}"
