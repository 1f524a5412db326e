"""What the other tests stand on: ways to run containers where there is no podman."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import rootfs
from boxes import FINISH, Boxes
from engines import Unusable
from workshop import opened


@pytest.mark.parametrize("name", ["runc", "namespaces"])
def test_a_poorer_engine_does_the_same(name: str) -> None:
    """It builds an image, runs a command to its end, and a container to its stop."""
    try:
        with opened(name) as workshop:
            assert workshop.engine.name == name
            boxes = Boxes(workshop)
            try:
                a_life(boxes)
            finally:
                boxes.remove()
    except Unusable as reason:
        pytest.skip(f"no containers by {name} here: {reason}")


def a_life(boxes: Boxes) -> None:
    """Use all that there is of an engine."""
    done = boxes.run("command", "cat", data="given\n")
    assert done.returncode == 0
    assert "given" in done.stdout.splitlines()
    box = boxes.start("command", "sh", "-c", "sleep 1000; exit 1")
    box.wait_for("cache: ready")
    assert box.wait_up("cache")
    assert box.running()
    assert box.stop() == 0
    assert box.out[-3:] == list(FINISH)
    box.start()
    box.wait_for("cache: ready", times=2)
    box.kill("KILL")
    assert box.exit_code() == 137


def test_no_root_file_system(tmp_path: Path) -> None:
    """It says what is missing, and leaves nothing."""
    env = {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, rootfs.__file__],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 111
    assert done.stderr.startswith("rootfs: fatal: ")
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []
