"""How children are started, where the supervisor's own state gets in the way."""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import harness
from chains import needs_root
from supervisor.service.host import Streams
from supervisor.service.spawner import Spawner

NOBODY = 65534
START = f"""
import os, resource, sys
sys.path.append({str(harness.LAUNCHER.parent.parent)!r})
from supervisor.service.host import Streams
from supervisor.service.spawner import Spawner

there = os.open("../there", os.O_PATH)

def start():
    pid = spawner.start((b"./run", b"there"), there, Streams(), dict(os.environb))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

os.setgroups([])
os.setresgid({NOBODY}, {NOBODY}, {NOBODY})
os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
"""


def run_as_nobody(folder: Path, text: str) -> None:
    """Run a script in a directory of its own, which can start ../there/run."""
    home, there = folder / "home", folder / "there"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    there.mkdir()
    (there / "run").write_text("#!/bin/sh\nexit $(ulimit -n)\n")
    (there / "run").chmod(0o755)
    for path in (folder, *folder.parents):
        if Path(tempfile.gettempdir()) in path.parents:
            path.chmod(0o755)  # pytest's, which only we may enter
    words = [sys.executable, "-I", "-S", "-c", START + text]
    subprocess.run(words, cwd=home, check=True, timeout=harness.DEADLINE_S)


@needs_root
def test_a_child_is_known_when_there_is_no_way_back(tmp_path: Path) -> None:
    """The supervisor goes back as soon as it may again."""
    run_as_nobody(
        tmp_path,
        """
spawner = Spawner(50)
home = os.getcwd()
os.chmod(home, 0)
assert start() == 50
assert os.getcwd() != home
os.chmod(home, 0o755)
spawner.go_home()
assert os.getcwd() == home
""",
    )


@needs_root
def test_a_hard_limit_that_was_lowered_stops_nobody(tmp_path: Path) -> None:
    """A child gets what there is then."""
    run_as_nobody(
        tmp_path,
        """
resource.setrlimit(resource.RLIMIT_NOFILE, (70, 80))
spawner = Spawner(60)
resource.setrlimit(resource.RLIMIT_NOFILE, (50, 50))
assert start() == 50
""",
    )


def test_a_copied_descriptor_is_closed_when_a_start_fails(tmp_path: Path) -> None:
    """Else a pipe would seem to have a writer for ever."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    spawner = Spawner(soft)
    reading, writing = os.pipe()
    directory = os.open(tmp_path, os.O_PATH)
    with pytest.raises(FileNotFoundError):
        spawner.start((b"./run",), directory, Streams(stdin=1, stdout=writing), {})
    os.close(writing)
    assert os.read(reading, 1) == b""
    os.close(reading)
    os.close(directory)
