"""Containers that may do little: read-only, without root, behind another init."""

import os
from pathlib import Path

import pytest

from boxes import BOOT, FINISH, SERVICES, Boxes, services, stages
from engines import Options

RUN = "/run:rw,exec,mode=755"
TELL = 'echo "uid $(id -u), gid $(id -g)"; exec sleep 1000'


@pytest.mark.parametrize("copies", ["0", "1"], ids=["links", "copies"])
def test_read_only_root(boxes: Boxes, copies: str) -> None:
    """Only /run can be written to; everything works."""
    env = {"S6_READ_ONLY_ROOT": copies}
    options = Options(env=env, read_only=True, tmpfs=[RUN])
    done = boxes.run("command", "sh", "-c", "touch /srv/x || exit 6", options=options)
    assert done.returncode == 6
    assert "cache: has stopped" in done.stdout
    assert "clearing up after 6" in done.stdout
    assert "Read-only file system" in done.stderr


def test_read_only_root_without_run(boxes: Boxes) -> None:
    """It says what is missing, and ends as for a mistake."""
    done = boxes.run("command", options=Options(read_only=True))
    assert done.returncode == 100
    assert done.stdout == ""
    assert "s6-init: fatal: " in done.stderr
    assert "/run" in done.stderr


def test_run_without_programs(boxes: Boxes) -> None:
    """Noexec is said once; services in the image run all the same."""
    options = Options(tmpfs=["/run:rw,noexec,mode=755"])
    done = boxes.run("command", options=options)
    assert done.returncode == 42
    assert done.stderr.startswith("s6-init: warning: /run is mounted noexec")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("user", ["", "4711:0"], ids=["1000", "arbitrary"])
def test_a_user_in_group_0(boxes: Boxes, user: str) -> None:
    """The image's user, and one without a name; the logger is theirs too."""
    uid = user.partition(":")[0] or "1000"
    box = boxes.start("rootless", options=Options(user=user))
    box.wait_up("worker")
    box.wait_until("grep", f"user {uid}, group 0", "/run/logs/current")
    assert box.do("stat", "-c", "%u", "/run/logs/current").strip() == uid
    assert box.stop() == 0
    assert box.err == []
    assert stages(box.out) == [*BOOT, *SERVICES, *FINISH]


def test_a_user_with_a_run_of_its_own(boxes: Boxes, tmp_path: Path) -> None:
    """Nothing else is needed."""
    run = tmp_path / "run"
    run.mkdir()
    run.chmod(0o755)
    os.chown(run, 12345, 12345)
    volumes = {**services(tmp_path, foo=TELL), run: "/run"}
    options = Options(user="12345:12345", volumes=volumes)
    box = boxes.start("bare", options=options)
    box.wait_for("uid 12345, gid 12345")
    assert box.stop() == 0
    assert box.err == []


def test_a_user_for_whom_run_is_closed(boxes: Boxes) -> None:
    """It says whose /run is, and ends as for a mistake."""
    done = boxes.run("bare", options=Options(user="12345:12345"))
    assert done.returncode == 100
    assert done.stdout == ""
    assert "s6-init: fatal: /run belongs to uid 0 instead of 12345" in done.stderr


def test_behind_another_init(boxes: Boxes) -> None:
    """It is not process 1, says so, and does all the same, zombies included."""
    options = Options(init=True)
    done = boxes.run("command", options=options)
    assert done.returncode == 42
    assert "cache: has stopped" in done.stdout
    assert done.stderr.startswith("s6-init: warning: not process 1")
    assert done.stderr.count("\n") == 1


def test_a_stop_behind_another_init(boxes: Boxes, tmp_path: Path) -> None:
    """TERM arrives by way of process 1; orphans come to us, and are reaped."""
    volumes = services(tmp_path, foo="sleep 0.1 & exec sleep 1000")
    box = boxes.start("bare", options=Options(init=True, volumes=volumes))
    box.wait_for(SERVICES[1])
    assert not box.do("cat", "/proc/1/comm").startswith("s6-init")
    box.wait_up("foo")
    assert box.stop() == 0
    assert stages(box.out) == [*BOOT, *SERVICES, *FINISH]
