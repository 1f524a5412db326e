"""How a container ends: by an engine's word, from inside, or because it must."""

from pathlib import Path

import pytest

from boxes import BOOT, FINISH, SERVICES, Boxes, services, stages
from engines import Options
from harness import wait_until

ORDERLY = [*BOOT, *SERVICES, *FINISH]
DEAF = "trap : TERM; echo deaf; while :; do sleep 0.1; done"
LISTENS = "trap 'echo heard; exit 0' TERM; echo listens; while :; do sleep 0.1; done"
HALT = "/run/s6/basedir/bin/halt"
EXIT_CODE = "/run/s6-linux-init-container-results/exitcode"


def test_a_database_has_the_time_that_it_needs(boxes: Boxes) -> None:
    """Two seconds here; nothing is killed before its last word."""
    box = boxes.start("database")
    box.wait_for("ready for connections")
    assert box.stop() == 0
    farewell = box.out[box.out.index("shutting down") :]
    assert farewell == ["shutting down", "clean shutdown", *FINISH]


def test_impatience_changes_nothing(boxes: Boxes) -> None:
    """More of the same signal during a stop: the first one is being obeyed."""
    box = boxes.start("database")
    box.wait_for("ready for connections")
    box.wait_for(SERVICES[1])
    box.kill("TERM")
    box.wait_for("shutting down")
    box.kill("TERM")
    box.kill("INT")
    assert box.exit_code() == 0
    assert box.out[-5:] == ["shutting down", "clean shutdown", *FINISH]


def test_a_service_that_ignores_term_is_killed_in_the_end(
    boxes: Boxes, tmp_path: Path
) -> None:
    """By us, not by the engine: the code is the container's own; others can end."""
    options = Options(
        env={"S6_SERVICES_GRACETIME": "1000", "S6_KILL_GRACETIME": "500"},
        volumes=services(tmp_path, deaf=DEAF, other=LISTENS),
    )
    box = boxes.start("bare", options=options)
    box.wait_for("deaf")
    box.wait_for("listens")
    assert box.stop() == 0
    assert stages(box.out) == ORDERLY
    assert "heard" in box.out


def test_without_time_the_engine_kills(boxes: Boxes, tmp_path: Path) -> None:
    """As any container: 137, and the next start is clean."""
    box = boxes.start("bare", options=Options(volumes=services(tmp_path, deaf=DEAF)))
    box.wait_for("deaf")
    box.kill("KILL")
    assert box.exit_code() == 137
    box.start()
    box.wait_for("deaf", times=2)
    box.wait_for(SERVICES[1], times=2)
    assert box.wait_up("deaf")
    box.do("s6-svc", "-k", "/run/service/deaf")
    box.wait_for("deaf", times=3)
    assert box.err == []


@pytest.mark.parametrize("name", ["TERM", "INT", "USR1", "USR2", "PWR"])
def test_signals_that_stop(boxes: Boxes, tmp_path: Path, name: str) -> None:
    """With a plain exit code, whatever it is that an engine sends."""
    box = boxes.start("bare", options=Options(volumes=services(tmp_path, foo=LISTENS)))
    box.wait_for("listens")
    box.wait_for(SERVICES[1])
    box.kill(name)
    assert box.exit_code() == 0
    assert stages(box.out) == ORDERLY
    assert "heard" in box.out


def test_signals_that_do_not_stop(boxes: Boxes, tmp_path: Path) -> None:
    """HUP looks for services, QUIT says what would stop; then there is a stop."""
    box = boxes.start("bare", options=Options(volumes=services(tmp_path, foo=LISTENS)))
    box.wait_for("listens")
    box.wait_for(SERVICES[1])
    box.do("cp", "-r", "/etc/services.d/foo", "/run/service/another")
    box.kill("WINCH")
    box.kill("QUIT")
    box.kill("HUP")
    box.wait_for("listens", times=2)
    box.wait_for("SIGQUIT means nothing here")
    assert box.stop() == 0
    assert box.out.count("heard") == 2


@pytest.mark.parametrize(
    "words",
    [
        ["s6-svscanctl", "-t", "/var/run/s6/services"],
        ["s6-svscanctl", "-t", "/run/service"],
        [HALT],
        ["/run/s6/basedir/bin/poweroff"],
    ],
    ids=["as-in-v2", "svscanctl", "halt", "poweroff"],
)
def test_a_stop_from_inside(boxes: Boxes, tmp_path: Path, words: list[str]) -> None:
    """By the commands of every version of s6-overlay."""
    box = boxes.start("bare", options=Options(volumes=services(tmp_path, foo=LISTENS)))
    box.wait_for("listens")
    box.wait_for(SERVICES[1])
    box.try_(*words)  # the stop may come before podman's answer
    assert box.exit_code() == 0
    assert stages(box.out) == ORDERLY
    assert "heard" in box.out


def test_a_finish_script_chooses_the_exit_code(boxes: Boxes, tmp_path: Path) -> None:
    """By the file; a second container without it has 0 after the same stop."""
    volumes = services(tmp_path, foo="echo up; exec sleep 1000")
    (folder,) = volumes
    finish = folder / "foo" / "finish"
    finish.write_text(f"#!/bin/sh\necho 7 > {EXIT_CODE}\n{HALT}\n")
    finish.chmod(0o755)
    box = boxes.start("bare", options=Options(volumes=volumes))
    box.wait_for("up")
    box.wait_for(SERVICES[1])
    box.do("s6-svc", "-k", "/run/service/foo")
    assert box.exit_code() == 7
    finish.unlink()
    box.start()
    box.wait_for(SERVICES[1], times=2)
    assert box.stop() == 0


def test_again_after_a_stop(boxes: Boxes, tmp_path: Path) -> None:
    """What the last life has left in /run does not matter."""
    box = boxes.start("bare", options=Options(volumes=services(tmp_path, foo=LISTENS)))
    for times in range(1, 4):
        box.wait_for("listens", times=times)
        box.wait_for(SERVICES[1], times=times)
        assert box.stop() == 0
        box.start()
    assert stages(box.out)[: 3 * len(ORDERLY)] == 3 * ORDERLY


def test_the_end_of_an_essential_service(boxes: Boxes, tmp_path: Path) -> None:
    """Its code is the container's; the others are stopped in good order."""
    volumes = services(tmp_path, foo="sleep 0.1; exit 9", bar=LISTENS)
    (folder,) = volumes
    (folder / "foo" / "essential").touch()
    done = boxes.run("bare", options=Options(volumes=volumes))
    assert done.returncode == 9
    assert stages(done.stdout.splitlines()) == ORDERLY


def test_orphans_are_reaped(boxes: Boxes) -> None:
    """By process 1, whose children they become, while it boots or waits."""
    box = boxes.start("bare")
    box.wait_for(BOOT[1])
    box.do("sh", "-c", "(sleep 0.01 & echo $! > /orphan)")
    orphan = box.do("cat", "/orphan").strip()
    wait_until(
        lambda: box.try_("test", "-e", f"/proc/{orphan}").returncode != 0, orphan
    )
    assert box.running()
    assert box.stop() == 0
