"""Where lines go: S6_LOGGING, S6_CONSOLE, loggers of services (O8)."""

import fcntl
import json
import os
import re
from functools import partial
from pathlib import Path

import pytest

from harness import wait_until
from inits import POLITE, PTY, SLEEP, Image, Start, booted, needs_boxes

pytestmark = needs_boxes

STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9}  "
BOTH = "trap 'echo bye; exit' TERM; echo out; echo err >&2\n" + POLITE


@pytest.mark.parametrize("logging", ["1", "2"])
def test_o8_everything_is_logged(image: Image, tmp_path: Path, logging: str) -> None:
    """Stages, services and the command; with 1 it comes out as well, unstamped."""
    image.service("web", BOTH, finish="echo finished")
    image.script("/etc/cont-init.d/1", "echo script")
    image.script("/etc/cont-finish.d/1", "echo finish script")
    variables = {"S6_LOGGING": logging, "S6_LOGGING_SCRIPT": "n3 s100000 T"}
    words = ("sh", "-c", "echo command; sleep 0.3; echo more >&2")
    with booted(image, tmp_path, *words, start=Start(env=variables)) as box:
        current = box.path("/run/uncaught-logs/current")
        wait_until(partial(contains, current, ("command",)), "a log")
        mode = current.parent.stat().st_mode & 0o7777
        with current.open() as log:
            assert box.ended() == 0
            lines = log.read().splitlines()
    assert mode == 0o2700
    assert all(re.match(STAMP, line) for line in lines)
    said = [re.sub(STAMP, "", line) for line in lines]
    spoken = {"script", "out", "err", "hello", "command", "more", "bye", "finished"}
    assert spoken | {"finish script", "[services.d] done."} <= set(said)
    assert said[-1] == "[s6-finish] sending all processes the KILL signal and exiting."
    assert box.out.splitlines() == (said if logging == "1" else [])
    assert box.err == ""


def test_o8_the_command_can_keep_the_terminal(image: Image, tmp_path: Path) -> None:
    """Unlogged."""
    variables = {"S6_LOGGING": "2", "S6_CMD_USE_TERMINAL": "1"}
    start = Start(env=variables, below=("python3", "-c", PTY))
    with booted(image, tmp_path, "echo", "cmd", start=start) as box:
        assert box.ended() == 0
    assert "cmd\n" in box.out
    with booted(image, tmp_path, "echo", "cmd", start=Start(env=variables)) as box:
        assert box.ended() == 0
    assert box.out == ""


def test_o8_the_catch_all_logger_has_an_account(image: Image, tmp_path: Path) -> None:
    """Which owns what it writes; both names of its directory lead there."""
    variables = {"S6_LOGGING": "2", "S6_CATCHALL_USER": "nobody"}
    with booted(image, tmp_path, start=Start(env=variables)) as box:
        current = box.path("/run/uncaught-logs/current")
        wait_until(lambda: current.exists() and current.stat().st_size > 0, "a log")
        assert current.owner() == "nobody"
        old = box.run("cat", "/var/log/s6-uncaught-logs/current")
        assert "[s6-init]" in old
        assert box.stop() == 0


def test_o8_an_unknown_account(image: Image, tmp_path: Path) -> None:
    """One line says so; nothing is lost."""
    variables = {"S6_LOGGING": "1", "S6_CATCHALL_USER": "no one"}
    with booted(image, tmp_path, "echo", "hi", start=Start(env=variables)) as box:
        assert box.ended() == 0
    assert box.err == "s6-init: warning: S6_CATCHALL_USER is no user here: no one\n"
    assert "hi\n" in box.out


def test_the_catch_all_logger_can_be_killed(image: Image, tmp_path: Path) -> None:
    """Its pipe is held: the next one goes on."""
    count = "i=0; while [ $i -lt 150 ]; do i=$((i+1)); echo line $i; sleep 0.01; done"
    variables = {"S6_LOGGING": "1"}
    words = ("sh", "-c", count)
    with booted(image, tmp_path, *words, start=Start(env=variables)) as box:
        box.says("line 50\n")
        box.run("s6-svc", "-k", "/run/service/s6-svscan-log")
        assert box.ended() == 0
    numbers = [int(n) for n in re.findall(r"^line (\d+)$", box.out, re.MULTILINE)]
    assert sorted(set(numbers)) == list(range(1, 151))


# ---- S6_CONSOLE


def contains(path: Path, texts: tuple[str, ...]) -> bool:
    """Tell whether a file, which may be missing, has all of some texts."""
    return path.exists() and all(text in path.read_text() for text in texts)


def tagged(image: Image) -> None:
    """Have services without a logger and with one, which may pass lines on."""
    image.service("web", BOTH)
    image.service("worker", "trap 'echo end; exit' TERM; echo work; sleep 1000 & wait")
    image.service("logged", BOTH, log_run="exec s6-log -b /srv/logged")
    image.service("passing", BOTH, log_run="exec s6-log -b /srv/passing 1")


def test_lines_are_tagged(image: Image, tmp_path: Path) -> None:
    """Of services without a logger, and ours; the command's are as they are."""
    tagged(image)
    image.script("/etc/cont-init.d/1", "echo script")
    start = Start(env={"S6_CONSOLE": "tag"})
    with booted(
        image, tmp_path, "sh", "-c", "echo command; " + SLEEP, start=start
    ) as b:
        b.says("work")
        b.says("command\n")
        b.says("hello")
        assert b.stop() == 0
    lines = b.out.splitlines()
    assert "command" in lines
    lines.remove("command")
    parts = [re.fullmatch(r"(\S+) +\| (.*)", line) for line in lines]
    assert all(parts), lines
    said = [(part[1], part[2]) for part in parts if part]
    for pair in (
        ("s6-init", "script"),
        ("s6-init", "[services.d] done."),
        ("web", "out"),
        ("web", "err"),
        ("web", "bye"),
        ("worker", "end"),
        ("logged", "err"),
    ):
        assert pair in said
    assert ("logged", "out") not in said
    assert ("passing", "out") in said
    assert [text for name, text in said if name == "s6-init"][-1].endswith("exiting.")
    assert b.err == ""


def test_lines_are_objects(image: Image, tmp_path: Path) -> None:
    """Which know the stream; a line that is an object stays one."""
    tagged(image)
    image.service("app", """echo '{"msg":"hi","level":"info"}'; """ + SLEEP)
    start = Start(env={"S6_CONSOLE": "json"})
    with booted(image, tmp_path, start=start) as box:
        for text in ('"work"', '"hello"', '"level"'):
            box.says(text)
        assert box.stop() == 0
    objects = [json.loads(line) for line in box.out.splitlines()]
    said = {(o["service"], o["stream"], o["msg"]) for o in objects}
    assert ("web", "stdout", "out") in said
    assert ("web", "stderr", "err") in said
    assert ("app", "stdout", "hi") in said
    assert ("logged", "stderr", "err") in said
    assert ("logged", "stdout", "out") not in said
    assert ("passing", "stdout", "out") in said
    assert ("s6-init", "stdout", "[services.d] done.") in said
    assert box.err == ""


@pytest.mark.parametrize("logging", ["1", "2"])
def test_tagged_lines_are_logged_too(
    image: Image, tmp_path: Path, logging: str
) -> None:
    """The catch-all logger gets the same lines."""
    tagged(image)
    variables = {"S6_CONSOLE": "tag", "S6_LOGGING": logging}
    with booted(image, tmp_path, start=Start(env=variables)) as box:
        current = box.path("/run/uncaught-logs/current")
        logged = partial(contains, current, ("work", "hello"))
        wait_until(logged, "what services say")
        with current.open() as log:
            assert box.stop() == 0
            lines = [re.sub(STAMP, "", line) for line in log.read().splitlines()]
    assert any(re.fullmatch(r"web +\| bye", line) for line in lines)
    assert all(" | " in line for line in lines)
    assert box.out.splitlines() == (lines if logging == "1" else [])


def test_the_console_can_be_killed(image: Image, tmp_path: Path) -> None:
    """Its pipes are held: the next one goes on, and may repeat lines."""
    count = "i=0; while [ $i -lt 150 ]; do i=$((i+1)); echo line $i; sleep 0.01; done"
    image.service("web", f"{count}; {SLEEP}")
    with booted(image, tmp_path, start=Start(env={"S6_CONSOLE": "tag"})) as box:
        box.says("line 50\n")
        box.run("pkill", "-KILL", "-x", "s6-init-console")
        box.says("line 150\n")
        box.says("s6-init-console has died; another takes over")
        assert box.stop() == 0
    numbers = [int(n) for n in re.findall(r"line (\d+)$", box.out, re.MULTILINE)]
    assert sorted(set(numbers)) == list(range(1, 151))


def test_services_of_other_users_can_open_stdout(image: Image, tmp_path: Path) -> None:
    """By its name: what is captured here may be written to by anybody."""
    run = f"exec s6-setuidgid nobody sh -c 'echo opened > /dev/stdout; {SLEEP}'"
    image.service("web", run)
    with booted(image, tmp_path, start=Start(env={"S6_CONSOLE": "tag"})) as box:
        box.says("| opened\n")
        assert box.stop() == 0


# ---- essential services


@pytest.mark.parametrize(
    ("log_run", "shown"),
    [
        ("exec s6-log -b n3 s100000 /srv/web", True),
        ("umask 022; exec s6-setuidgid root s6-log t ../../../../../srv/web", True),
        ("cat >/dev/null", False),
        ("", False),
    ],
)
def test_the_last_words_of_an_essential_service(
    image: Image, tmp_path: Path, log_run: str, shown: bool
) -> None:
    """Twenty lines of its log, after everything has been logged."""
    count = "i=0; while [ $i -lt 30 ]; do i=$((i+1)); echo line $i; done; exit 9"
    logger = {"log_run": log_run} if log_run else {}
    image.service("web", count, essential="", finish="echo finish $1", **logger)
    image.service("other", POLITE)
    with booted(image, tmp_path) as box:
        assert box.ended() == 9
    assert "essential service web exited 9" in box.err
    numbers = [int(n) for n in re.findall(r"line (\d+)$", box.err, re.MULTILINE)]
    assert numbers == (list(range(12, 31)) if shown else [])
    assert ("finish 9\n" in box.err) == shown


@pytest.mark.parametrize("variable", ["S6_LOGGING=2", "S6_CONSOLE=json"])
def test_last_words_are_for_the_outside(
    image: Image, tmp_path: Path, variable: str
) -> None:
    """Whatever becomes of all that is said otherwise."""
    log = "exec s6-log -b /srv/web"
    image.service("web", "echo last; exit 3", essential="", log_run=log)
    start = Start(env=dict([variable.split("=")]))
    with booted(image, tmp_path, start=start) as box:
        assert box.ended() == 3
    text = "s6-init: essential service web exited 3; the end of its log:\nlast\n"
    assert box.err == text


def test_an_essential_service_that_is_killed(image: Image, tmp_path: Path) -> None:
    """As in the shell: 128 and the signal. The first one has the say."""
    image.service("one", "sleep 0.2; kill -9 $$", essential="")
    image.service("two", "trap 'exit 3' TERM; sleep 1000 & wait", essential="")
    with booted(image, tmp_path) as box:
        assert box.ended() == 137
    assert "two" not in box.err


def test_a_stop_is_no_death(image: Image, tmp_path: Path) -> None:
    """Nor is what s6-svc has ordered."""
    image.service("one", "trap 'exit 3' TERM; echo up; sleep 1000 & wait", essential="")
    with booted(image, tmp_path) as box:
        box.says("up\n")
        box.run("s6-svc", "-wr", "-r", "/run/service/one")
        box.run("s6-svc", "-wd", "-d", "/run/service/one")
        assert box.stop() == 0
    assert box.err == ""


# ---- who writes for others is killed while a container stops

COUNTING = "trap 'i=0; while [ $i -lt 100 ]; do i=$((i+1)); echo line $i; sleep 0.01; "
COUNTING += "done; exit' TERM; echo begun; while :; do sleep 1000 & wait; done"


@pytest.mark.parametrize(
    ("variables", "victim"),
    [
        ({"S6_CONSOLE": "tag"}, "s6-init-console"),
        ({"S6_LOGGING": "1"}, "s6-log"),
        ({"S6_CONSOLE": "tag", "S6_LOGGING": "1"}, "s6-init-console"),
    ],
    ids=["console", "catch-all", "both"],
)
def test_nothing_is_lost_at_the_end(
    image: Image, tmp_path: Path, variables: dict[str, str], victim: str
) -> None:
    """Another one reads what is left, up to the last line of ours."""
    image.service("web", COUNTING)
    with booted(image, tmp_path, start=Start(env=variables)) as box:
        box.says("begun\n")
        box.kill()
        box.says("line 50\n")
        box.run("pkill", "-KILL", "-x", victim)
        assert box.ended() == 0
    numbers = [int(n) for n in re.findall(r"line (\d+)$", box.out, re.MULTILINE)]
    assert sorted(set(numbers)) == list(range(1, 101))
    assert "KILL signal and exiting." in box.out


def test_the_console_dies_right_before_a_stop(image: Image, tmp_path: Path) -> None:
    """Another one is started at once, and not after the usual pause."""
    image.service("web", POLITE)
    with booted(image, tmp_path, start=Start(env={"S6_CONSOLE": "tag"})) as box:
        box.says("hello")
        box.run("pkill", "-KILL", "-x", "s6-init-console")
        assert box.stop() == 0
    assert "bye\n" in box.out
    assert "KILL signal and exiting." in box.out


def test_nobody_reads_what_is_logged(image: Image, tmp_path: Path) -> None:
    """The exit code is the command's, however much has not come out."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    words = ("sh", "-c", "head -c 30000 /dev/zero | tr '\\0' x; exit 7")
    env = {"S6_LOGGING": "1", "S6_KILL_GRACETIME": "300"}
    start = Start(env=env, stdout=writing)
    with booted(image, tmp_path, *words, start=start) as box:
        assert box.ended() == 7
    os.close(reading)
    os.close(writing)
    assert "internal error" not in box.err


def test_a_service_that_is_gone_takes_its_streams_along(
    image: Image, tmp_path: Path
) -> None:
    """When its logger has ended too, and not before; none are left open."""
    finish = "echo log finished >&2"
    start = Start(env={"S6_CONSOLE": "tag"})
    image.service("stays", SLEEP)
    with booted(image, tmp_path, start=start) as box:
        box.says("[services.d] done.")
        opened = Path(f"/proc/{box.pid}/fd")
        before = len(list(opened.iterdir()))  # and the way to the nursery then
        script = "printf '#!/bin/sh\\n%s\\n'"
        for number in range(5):
            place = f"/run/service/s{number}"
            make = f"mkdir -p {place}/log; {script} 'exec sleep 1000' > {place}/run; "
            make += f"{script} 'exec s6-log 1' > {place}/log/run; "
            make += f"{script} '{finish}' > {place}/log/finish"
            box.run("sh", "-c", f"{make}; chmod +x {place}/* {place}/log/*")
        box.run("s6-svscanctl", "-a", "/run/service")
        for number in range(5):
            box.run("s6-svwait", "-u", "-t", "10000", f"/run/service/s{number}/log")
        box.run("sh", "-c", "rm -r /run/service/s?")
        box.run("s6-svscanctl", "-an", "/run/service")
        wait_until(
            lambda: len(list(opened.iterdir())) <= before + 1, "all to be closed"
        )
        assert box.stop() == 0
    assert "Bad file descriptor" not in box.out


def test_an_older_log_directory_may_be_of_no_use(image: Image, tmp_path: Path) -> None:
    """Read-only, or with files of somebody else: that is no reason not to log."""
    old = "/var/log/s6-uncaught-logs"
    image.file(f"{old}/current", "before\n", 0o600)
    image.file(f"{old}/lock", "", 0o600)
    env = {"S6_LOGGING": "1", "S6_CATCHALL_USER": "nobody"}
    with booted(image, tmp_path, "echo", "hi", start=Start(env=env)) as box:
        assert box.ended() == 0
    assert "hi\n" in box.out
    assert box.err == ""
    read_only = (
        "sh",
        "-c",
        f'mount --bind {old} {old} && mount -o remount,ro,bind {old} && exec "$@"',
        "",
    )
    start = Start(env=env, below=read_only)
    with booted(image, tmp_path, "echo", "hi", start=start) as box:
        assert box.ended() == 0
    assert "hi\n" in box.out
    assert f"unable to write to {old}: logging to /run/uncaught-logs" in box.err
