"""Containers of many kinds: read-only, noexec, of other users (O5, O9, O10)."""

import os
from pathlib import Path

import pytest

from inits import POLITE, PTY, SLEEP, Image, Start, booted, needs_boxes

pytestmark = needs_boxes

READ_ONLY = ("sh", "-c", 'mount -o remount,ro / && exec "$@"', "")
USER = "1000:1000"


def test_o9_a_read_only_root(image: Image, tmp_path: Path) -> None:
    """Only /run can be written to; scripts without their modes work as copies."""
    image.script("/etc/cont-init.d/1", "echo script; touch /etc/x || echo cannot")
    (image.top / "etc/cont-init.d/1").chmod(0o644)
    image.service("web", POLITE)
    (image.top / "etc/services.d/web/run").chmod(0o644)
    start = Start(below=READ_ONLY, env={"S6_READ_ONLY_ROOT": "1"})
    with booted(image, tmp_path, start=start) as box:
        box.says("hello")
        assert not box.path("/run/s6/etc/cont-init.d").is_symlink()
        assert box.stop() == 0
    assert "script\ncannot\n" in box.out
    assert "[cont-init.d] 1: exited 0.\n" in box.out


def test_o9_a_read_only_root_that_nobody_told_us_of(
    image: Image, tmp_path: Path
) -> None:
    """It is found out."""
    image.script("/etc/cont-init.d/1", "echo script")
    (image.top / "etc/cont-init.d/1").chmod(0o644)
    with booted(image, tmp_path, "true", start=Start(below=READ_ONLY)) as box:
        assert box.ended() == 0
    assert "script\n[cont-init.d] 1: exited 0.\n" in box.out


def test_o9_run_without_exec(image: Image, tmp_path: Path) -> None:
    """It is said in one line; services run all the same, since they are not there."""
    image.script("/etc/cont-init.d/1", "echo script")
    image.service("web", POLITE, log_run="exec s6-log -b 1")
    with booted(image, tmp_path, start=Start(run="mode=755,noexec")) as box:
        box.says("hello")
        box.run("/run/s6/basedir/bin/halt", "--version")
        assert box.stop() == 0
    assert box.err.count("\n") == 1
    assert "s6-init: warning: /run is mounted noexec" in box.err
    assert "script\n" in box.out
    assert "bye\n" in box.out


def test_o9_without_run(image: Image, tmp_path: Path) -> None:
    """It is made, unless we are told that this cannot be."""
    with booted(image, tmp_path, "true", start=Start(run="none")) as box:
        assert box.ended() == 0
    start = Start(run="none", env={"S6_READ_ONLY_ROOT": "1"})
    with booted(image, tmp_path, "true", start=start) as box:
        assert box.ended() == 100
    assert "s6-init: fatal: unable to use /run: No such file or directory" in box.err
    assert box.out == ""


def test_o9_run_that_is_read_only(image: Image, tmp_path: Path) -> None:
    """A tmpfs is mounted there, where that is allowed."""
    image.service("web", POLITE)
    with booted(image, tmp_path, start=Start(run="mode=755,ro")) as box:
        box.says("hello")
        assert box.stop() == 0


def test_o9_run_that_is_read_only_for_good(image: Image, tmp_path: Path) -> None:
    """The user is told what to do."""
    drop = ("setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin")
    start = Start(run="mode=755,ro", below=drop)
    with booted(image, tmp_path, start=start) as box:
        assert box.ended() == 100
    assert "s6-init: fatal: unable to write to /run: Read-only file system\n" in box.err
    assert "s6-init: mount a tmpfs there" in box.err


def test_o10_another_user(image: Image, tmp_path: Path) -> None:
    """Who owns /run: services and their loggers run as that user."""
    log = "exec logutil-service /run/log"
    image.service("web", "id -u; " + POLITE, log_run=log)
    image.script("/etc/cont-init.d/1", "id -u")
    start = Start(user=USER, run="mode=755,uid=1000,gid=1000")
    with booted(image, tmp_path, "id", "-u", start=start) as box:
        assert box.ended() == 0
    assert "executing... \n1000\n" in box.out
    assert "1000\n[cmd] id exited 0\n" in box.out
    assert box.err == ""


LET_IN = "S6_YES_I_WANT_A_WORLD_WRITABLE_RUN_BECAUSE_KUBERNETES"


@pytest.mark.parametrize(
    ("start", "code"),
    [
        (Start(user=USER), 100),
        (Start(user=USER, run="mode=777"), 100),
        (Start(user=USER, run="mode=1777"), 0),
        (Start(user=USER, run="mode=777", env={LET_IN: "1"}), 0),
        (Start(user=USER, run="mode=775", env={LET_IN: "1"}), 100),
        (Start(user="12345:0", run="mode=775"), 0),
        (Start(user="12345:0", run="mode=777"), 100),
    ],
    ids=lambda value: f"{value.user}-{value.run}" if isinstance(value, Start) else "",
)
def test_o10_whose_run_it_is(
    image: Image, tmp_path: Path, start: Start, code: int
) -> None:
    """Users without an entry in /etc/passwd, and groups, as orchestrators choose."""
    with booted(image, tmp_path, "true", start=start) as box:
        assert box.ended() == code
    if code:
        assert "s6-init: fatal: " in box.err
        assert "/run" in box.err
    else:
        warned = start.run == "mode=1777" or bool(start.env)
        assert ("can be written to by others" in box.err) == warned


def test_only_root_may_write_to_run(image: Image, tmp_path: Path) -> None:
    """If we are root: `--tmpfs /run` alone makes one that is for all."""
    with booted(image, tmp_path, start=Start(run="mode=1777")) as box:
        box.says("[s6-init] ensuring")
        assert box.path("/run").stat().st_mode & 0o7777 == 0o755
        assert box.stop() == 0


def test_a_profile_takes_the_place_of_etc(image: Image, tmp_path: Path) -> None:
    """With all that is in it."""
    image.script("/etc/cont-init.d/1", "echo not this")
    image.script("/etc/cont-profile.d/dev/cont-init.d/1", "echo but this")
    start = Start(env={"S6_RUNTIME_PROFILE": "dev"})
    with booted(image, tmp_path, "true", start=start) as box:
        assert box.ended() == 0
    assert "not this" not in box.out
    assert "but this" in box.out


def test_the_environment_can_be_kept(image: Image, tmp_path: Path) -> None:
    """Then with-contenv changes nothing."""
    image.service("web", f"echo $FOO; with-contenv env | grep FOO; {SLEEP}")
    start = Start(env={"S6_KEEP_ENV": "1", "FOO": "bar"})
    with booted(image, tmp_path, start=start) as box:
        box.says("bar\nFOO=bar\n")
        assert box.stop() == 0


def test_a_hook_comes_first(image: Image, tmp_path: Path) -> None:
    """It may make the very files that come next."""
    hook = "mkdir -p /etc/cont-init.d; printf '#!/bin/sh\\necho made $FOO' > "
    hook += "/etc/cont-init.d/1"
    start = Start(env={"S6_STAGE2_HOOK": hook, "FOO": "bar"})
    with booted(image, tmp_path, "true", start=start) as box:
        assert box.ended() == 0
    assert "made" in box.out


@pytest.mark.parametrize(("behaviour", "code"), [("0", 0), ("1", 0), ("2", 6)])
def test_a_hook_that_fails(
    image: Image, tmp_path: Path, behaviour: str, code: int
) -> None:
    """It counts as the failure of a stage."""
    variables = {"S6_STAGE2_HOOK": "exit 6", "S6_BEHAVIOUR_IF_STAGE2_FAILS": behaviour}
    with booted(image, tmp_path, "true", start=Start(env=variables)) as box:
        assert box.ended() == code
    assert "s6-init: warning: S6_STAGE2_HOOK exited 6\n" in box.err


def test_services_that_are_not_ready(image: Image, tmp_path: Path) -> None:
    """They are named, and the command begins all the same; or not, with 2."""
    image.service("never", SLEEP, notification_fd="3\n")
    image.service("soon", "sleep 0.1; echo >&3; " + SLEEP, notification_fd="3\n")
    image.service("down", SLEEP, down="")
    image.service("up", SLEEP)
    variables = {
        "S6_CMD_WAIT_FOR_SERVICES": "1",
        "S6_CMD_WAIT_FOR_SERVICES_MAXTIME": "700",
    }
    late = "services.d: not there: never (after 700 ms, "
    with booted(image, tmp_path, "echo", "go", start=Start(env=variables)) as box:
        assert box.ended() == 0
    assert late in box.err
    assert "[services.d] done.\ngo\n" in box.out
    variables["S6_BEHAVIOUR_IF_STAGE2_FAILS"] = "2"
    with booted(image, tmp_path, "echo", "go", start=Start(env=variables)) as box:
        assert box.ended() == 1
    assert "go\n" not in box.out


def test_services_that_have_failed_for_good(image: Image, tmp_path: Path) -> None:
    """They will not be there, so that nobody waits for them; it is a failure."""
    ready = {"notification_fd": "3\n"}  # which they never are
    image.service("bad", "exit 1", finish="exit 125", **ready)
    image.service("worse", "exit 1", give_up="2/1m\n", backoff="10ms\n", **ready)
    image.service("good", SLEEP)
    variables = {"S6_CMD_WAIT_FOR_SERVICES": "1", "S6_BEHAVIOUR_IF_STAGE2_FAILS": "2"}
    with booted(image, tmp_path, "echo", "go", start=Start(env=variables)) as box:
        assert box.ended() == 1
    assert "services.d: failed for good: bad, worse\n" in box.err
    assert "go\n" not in box.out


def test_scripts_take_the_time_they_need(image: Image, tmp_path: Path) -> None:
    """The limit is for services: half a migration would be worse than none."""
    image.script("/etc/cont-init.d/1", "sleep 0.3; echo migrated")
    image.script("/etc/cont-init.d/2", "echo second")
    image.service("web", "sleep 0.2; echo >&3; " + SLEEP, notification_fd="3\n")
    variables = {
        "S6_CMD_WAIT_FOR_SERVICES": "1",
        "S6_CMD_WAIT_FOR_SERVICES_MAXTIME": "100",
    }
    with booted(image, tmp_path, "echo", "go", start=Start(env=variables)) as box:
        assert box.ended() == 0
    assert "migrated\n" in box.out
    assert "second\n" in box.out
    assert "go\n" in box.out
    assert "services.d: not there: web" in box.err


def test_the_command_waits_for_services(image: Image, tmp_path: Path) -> None:
    """Where it is asked to: until they say that they are ready."""
    run = "sleep 0.3; echo ready; echo >&3; " + SLEEP
    image.service("web", run, notification_fd="3\n")
    start = Start(env={"S6_CMD_WAIT_FOR_SERVICES": "1"})
    with booted(image, tmp_path, "echo", "go", start=start) as box:
        assert box.ended() == 0
    assert "ready\n[services.d] done.\ngo\n" in box.out


def test_o5_standard_input_is_the_commands(image: Image, tmp_path: Path) -> None:
    """Neither scripts nor services take anything of it."""
    image.script("/etc/cont-init.d/1", "cat")
    image.service("web", "cat; " + SLEEP)
    reading, writing = os.pipe()
    os.write(writing, b"from outside\n")
    os.close(writing)
    start = Start(stdin=reading)
    with booted(image, tmp_path, "cat", start=start) as box:
        os.close(reading)
        assert box.ended() == 0
    assert "[services.d] done.\nfrom outside\n[cmd] cat exited 0\n" in box.out


def test_o5_the_command_has_the_terminal(image: Image, tmp_path: Path) -> None:
    """As its own, with job control; a shell says so if it cannot have it."""
    image.service("web", SLEEP)
    words = ("bash", "-ic", "set -m; tty; sleep 0 & fg; echo over")
    start = Start(below=("python3", "-c", PTY))
    with booted(image, tmp_path, *words, start=start) as box:
        assert box.ended() == 0
    assert "/dev/pts/" in box.out
    assert "over" in box.out
    assert "no job control" not in box.out
