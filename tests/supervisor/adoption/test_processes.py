"""What /proc says of processes that somebody else may have started."""

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import inside
from harness import PYTHON, Pipe, wait_until
from supervisor.adoption import processes
from supervisor.adoption.processes import Orphans, Stat

REST = b" S 11 22 22 0 -1 4194560 " + b"1 " * 12 + b"8391234 " + b"2 " * 29 + b"1792\n"

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can give up rights")

FAR = 1 << 40  # ticks: nobody has started then

PLACE = "from supervisor.adoption import processes; print(processes.own_place())"

FIND = """
import os
from supervisor.adoption.processes import Orphans
if sys.argv[3] == "user":
    os.setgroups([])
    os.setuid(64999)  # nobody else has processes under it
try:
    print(Orphans().find((int(sys.argv[1]), int(sys.argv[2])), int(sys.argv[4])))
except PermissionError as error:
    print(error)
"""


def inode_of(folder: Path) -> tuple[int, int]:
    """Give (device, inode) of a directory."""
    found = folder.stat()
    return found.st_dev, found.st_ino


def printed(text: str, *arguments: str, prefix: Sequence[str] = ()) -> str:
    """Run some lines of Python, through another program, and give what they print."""
    path = f"import sys; sys.path[:0] = [{str(inside.CHECKOUT)!r}]\n"
    words = [*prefix, *PYTHON, "-c", path + text, *arguments]
    return subprocess.check_output(words, text=True).strip()


def works_in(pid: int, folder: Path) -> bool:
    """Tell whether a process leads a session and works in a directory."""
    found = processes.stat(pid)
    if found is None or found.session != pid:
        return False
    return Path(f"/proc/{pid}/cwd").readlink() == folder


# ---- one process


@given(st.binary(max_size=15))
def test_a_name_may_hold_anything(name: bytes) -> None:
    """Blanks, parentheses and newlines in it shift no field."""
    stat = Stat(b"1234 (" + name + b")" + REST)
    assert (stat.dead, stat.parent, stat.session) == (False, 11, 22)
    assert (stat.start_ticks, stat.exit_code) == (8391234, 1792)


def test_a_process_with_a_strange_name_is_understood() -> None:
    """The name of a real one, chosen to look like other fields."""
    name = "import os; open('/proc/self/comm', 'w').write(') Z 1 1 (\\n'); "
    with inside.other_process(name + "print('named', flush=True); input()") as process:
        assert inside.heard(process) == "named"
        stat = processes.stat(process.pid)
        assert stat is not None
        assert (stat.dead, stat.parent) == (False, os.getpid())


def test_a_process_that_is_gone_has_no_start_time() -> None:
    """One that has died but is not collected has; it is dead."""
    with subprocess.Popen(["/bin/sh", "-c", "exit 3"]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        stat = processes.stat(process.pid)
        assert stat is not None
        assert stat.dead
        assert os.waitstatus_to_exitcode(stat.exit_code) == 3
        assert processes.may_know(process.pid)
    assert processes.start_time(process.pid) is None


def test_a_process_starts_between_two_looks_at_the_clock() -> None:
    """So a record can be written before the process is started."""
    before = processes.ticks_now()
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as process:
        start = processes.start_time(process.pid)
    assert start is not None
    assert before <= start <= processes.ticks_now()


def test_children_share_our_place() -> None:
    """It names the boot and the PID namespace, and stays the same."""
    with inside.other_process(PLACE) as process:
        assert inside.heard(process) == processes.own_place()


@needs_root
def test_another_pid_namespace_is_another_place() -> None:
    """Its pids mean other processes."""
    unshare = ["unshare", "--pid", "--fork", "--mount-proc"]
    if subprocess.call([*unshare, "true"], stderr=subprocess.DEVNULL):
        pytest.skip("no new PID namespace here")
    theirs = printed(PLACE, prefix=unshare)
    ours = processes.own_place()
    assert theirs != ours
    assert theirs.partition("/")[0] == ours.partition("/")[0]


# ---- orphans


def test_an_orphan_is_found_by_its_directory(
    orphan: Callable[..., int], tmp_path: Path
) -> None:
    """The leader of a session that works there; not its children, nor others."""
    other = tmp_path / "other"
    other.mkdir()
    since = processes.ticks_now()
    with Pipe() as pipe:
        pid = orphan("sleep 1000 & read x", pipe.read, tmp_path, setsid=True)
        elsewhere = orphan("read x", pipe.read, other, setsid=True)
        follower = orphan("read x", pipe.read, tmp_path)
        wait_until(lambda: works_in(pid, tmp_path), "the orphan to lead a session")
        wait_until(lambda: works_in(elsewhere, other), "the other one to lead one")
        assert Path(f"/proc/{follower}/cwd").readlink() == tmp_path
        orphans = Orphans()
        assert orphans.find(inode_of(tmp_path), since) == [pid]
        assert orphans.find(inode_of(other), since) == [elsewhere]
        assert orphans.find(inode_of(tmp_path), processes.ticks_now() + 1) == []


def test_a_child_of_ours_is_no_orphan(tmp_path: Path) -> None:
    """Even when it leads a session in the right directory."""
    with subprocess.Popen(
        ["/bin/cat"], cwd=tmp_path, stdin=subprocess.PIPE, start_new_session=True
    ) as process:
        wait_until(lambda: works_in(process.pid, tmp_path), "the child")
        assert Orphans().find(inode_of(tmp_path), 0) == []


def test_a_dead_orphan_is_none(orphan: Callable[..., int], tmp_path: Path) -> None:
    """Whether it was collected or not."""
    with Pipe() as pipe:
        pid = orphan("read x", pipe.read, tmp_path, setsid=True)
        wait_until(lambda: works_in(pid, tmp_path), "the orphan")
        os.kill(pid, 9)
        wait_until(lambda: gone(pid), "its end")
    assert Orphans().find(inode_of(tmp_path), 0) == []


def gone(pid: int) -> bool:
    """Tell whether a process is dead."""
    found = processes.stat(pid)
    return found is None or found.dead


def find_as(who: str, folder: Path, since: int, *prefix: str) -> str:
    """Look for orphans in another process: as `root`, or as another `user`."""
    device, inode = inode_of(folder)
    return printed(FIND, str(device), str(inode), who, str(since), prefix=prefix)


@needs_root
def test_one_that_cannot_be_looked_at_is_an_error(
    orphan: Callable[..., int], tmp_path: Path
) -> None:
    """Without CAP_SYS_PTRACE root does not see where other users' processes work."""
    blind = ("setpriv", "--bounding-set=-sys_ptrace")
    since = processes.ticks_now()
    assert find_as("root", tmp_path, since + FAR, *blind) == "[]"
    with Pipe() as pipe:
        change = 'exec setpriv --reuid=65534 --clear-groups sh -c "read x"'
        pid = orphan(change, pipe.read, tmp_path, setsid=True)
        wait_until(lambda: works_in(pid, tmp_path), "the orphan")
        wait_until(lambda: Path(f"/proc/{pid}").stat().st_uid == 65534, "its new user")
        assert "Permission denied" in find_as("root", tmp_path, since, *blind)
        assert find_as("root", tmp_path, since) == f"[{pid}]"


@needs_root
def test_processes_of_others_are_not_ours(
    orphan: Callable[..., int], tmp_path: Path
) -> None:
    """Who may not send a signal to it has not started it, and need not see it."""
    with Pipe() as pipe:
        pid = orphan("read x", pipe.read, tmp_path, setsid=True)
        wait_until(lambda: works_in(pid, tmp_path), "the orphan")
        assert find_as("user", tmp_path, 0) == "[]"
