"""A supervisor that cannot tell whether a service still runs never starts another.

It says so, once, and looks again; others are not concerned.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
from chains import needs_root
from harness import wait_until
from outliving import Tree, alive, kill, outliving
from scanning import all_up, lines, order
from supervising import make_service, status, wait_up
from supervisor.adoption import processes
from supervisor.adoption.record import Record, encode
from watching import facts

pytestmark = needs_root

NOBODY = 65534
NO_GROUP = 54321
COUNT = "echo begun >> begun; "
AS_NOBODY = f"{COUNT}exec setpriv --reuid={NOBODY} --clear-groups sleep 1000"
UNABLE = "unable to supervise foo: unable to tell whether it still runs: "
DENIED = f"s6-svscan: warning: {UNABLE}Permission denied"

BLIND = ("setpriv", "--bounding-set=-sys_ptrace")
"""Starts a program as a root that may not look into processes of other users."""

HIDDEN = ("unshare", "--mount", "--propagation=private", "sh", "-c")
HIDE = f"""
mount -t proc -o hidepid=invisible,gid={NO_GROUP} proc /proc &&
exec {" ".join(BLIND)} "$@"
"""
"""Starts one that does not even see them in /proc, as that is mounted (proc(5))."""


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    """Give a tree with two services, one of them run by another user."""
    make_service(tmp_path / "scan" / "foo", AS_NOBODY)
    make_service(tmp_path / "scan" / "bar", COUNT + "exec sleep 1000")
    with outliving(harness.ours("s6-svscan"), tmp_path / "scan") as made:
        yield made


def test_a_process_that_cannot_be_seen(tree: Tree) -> None:
    """Its pid is known, and that it exists, but not whether it is the one."""
    if subprocess.call([*HIDDEN, HIDE, "sh", "true"], stderr=subprocess.DEVNULL):
        pytest.skip("/proc cannot be mounted")
    foo, pid = run_as_nobody(tree)
    tree.kill()
    tree.start(*HIDDEN, HIDE, "sh")
    left_alone(tree, foo, pid)
    kill(pid)
    wait_until(lambda: begun_again(tree, foo), "another run")
    assert tree.lines().count(DENIED) == 1


def test_a_process_that_may_be_there(tree: Tree) -> None:
    """It was started, but not recorded yet; where it works is not to be known."""
    foo, pid = run_as_nobody(tree)
    tree.kill()
    record = Record(processes.own_place())
    record.start_ticks = processes.start_time(pid) or 0
    (foo / "supervise" / "process").write_bytes(encode(record))
    tree.start(*BLIND)
    left_alone(tree, foo, pid)


def run_as_nobody(tree: Tree) -> tuple[Path, int]:
    """Wait for the service of another user; give its directory and pid."""
    foo = tree.scandir / "foo"
    all_up(foo, tree.scandir / "bar")
    pid = wait_up(foo)
    wait_until(lambda: facts(pid)["Uid"].split()[0] == str(NOBODY), "its user")
    return foo, pid


def left_alone(tree: Tree, foo: Path, pid: int) -> None:
    """See that nothing happens to a service, and that the other one goes on."""
    bar = tree.scandir / "bar"
    wait_until(lambda: DENIED in tree.lines(), "a warning")
    kill(status(bar).pid)
    wait_until(lambda: lines(bar / "begun") == 2, "the restart of the other one")
    assert lines(foo / "begun") == 1
    assert alive(foo) == pid
    assert tree.lines().count(DENIED) == 1


def begun_again(tree: Tree, foo: Path) -> bool:
    """Have it tried at once, and tell whether it runs for the second time."""
    order(tree.scandir, b"a")
    return lines(foo / "begun") == 2
