"""A fork whose child is the child of somebody else: our own parent."""

import os

import pytest

import harness
from inside import heard, other_process, tell

MAKE = """
import os
from supervisor.warm.siblings import Siblings
siblings = Siblings()
pid = siblings.fork()
if pid == 0:
    print("made", os.getpid(), os.getppid(), flush=True)
    sys.stdin.readline()
    os._exit(7)
print("making", os.getpid(), pid, flush=True)
try:
    os.waitpid(pid, 0)
except ChildProcessError:
    os._exit(0)
"""

MAKE_NONE = """
import os, resource
from supervisor.warm.siblings import Siblings
siblings = Siblings()
resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
os.setuid(65534)
for _ in range(2):
    try:
        siblings.fork()
    except BlockingIOError as error:
        print(error, flush=True)
"""


def test_a_sibling_is_the_child_of_our_parent() -> None:
    """That one hears how it ends, and its maker has no child."""
    with other_process(MAKE) as maker:
        said = dict(heard(maker).split(" ", 1) for _ in range(2))
        pid, parent = map(int, said["made"].split())
        assert said["making"].split() == [str(maker.pid), str(pid)]
        assert parent == os.getpid()
        assert maker.wait(harness.DEADLINE_S) == 0
        tell(maker)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become somebody else")
def test_it_may_be_that_there_is_none() -> None:
    """The error of the system call, and the maker goes on."""
    with other_process(MAKE_NONE) as maker:
        said = "[Errno 11] Resource temporarily unavailable"
        assert [heard(maker) for _ in range(2)] == [said, said]
        assert maker.wait(harness.DEADLINE_S) == 0


START = """
import os, subprocess
from supervisor.warm.siblings import Siblings
pid = Siblings().fork()
if pid == 0:
    code = subprocess.run(["sh", "-c", "exit 5"]).returncode
    os._exit(code)
print(pid, flush=True)
"""


def test_a_sibling_can_start_programs() -> None:
    """As any Python process can: no lock of the interpreter is held."""
    with other_process(START) as maker:
        pid = int(heard(maker))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5
