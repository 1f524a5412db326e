"""How a container stops: who is told when, who is spared, which code it ends with."""

import signal
from pathlib import Path

import pytest

from harness import wait_until
from inits import POLITE, SLEEP, Image, Start, booted, needs_boxes

pytestmark = needs_boxes

DEAF = "trap '' TERM\necho deaf\nwhile :; do sleep 1000; done"
TERM, KILL = (
    f"[s6-finish] sending all processes the {name}" for name in ("TERM", "KILL")
)
FAST = {"S6_SERVICES_GRACETIME": "200", "S6_KILL_GRACETIME": "200"}
SCANDIR = "/run/service"
EXITCODE = "/run/s6-linux-init-container-results/exitcode"


@pytest.mark.parametrize("name", ["TERM", "INT", "USR1", "USR2", "PWR"])
def test_signals_that_stop(image: Image, tmp_path: Path, name: str) -> None:
    """With code 0, since nobody has said anything else."""
    image.service("web", POLITE, finish="echo finish $1")
    with booted(image, tmp_path) as box:
        box.says("hello")
        assert box.stop(getattr(signal, f"SIG{name}")) == 0
    assert "bye\nfinish 0\n[s6-finish] waiting" in box.out


@pytest.mark.parametrize("name", ["QUIT", "WINCH", "HUP"])
def test_signals_that_do_not(image: Image, tmp_path: Path, name: str) -> None:
    """As in s6-overlay 3; for QUIT there is a hint, as images have it as STOPSIGNAL."""
    image.service("web", POLITE)
    with booted(image, tmp_path) as box:
        box.says("hello")
        box.kill(getattr(signal, f"SIG{name}"))
        if name == "QUIT":
            box.complains("s6-init: warning: SIGQUIT means nothing here")
        assert box.run("s6-svstat", "-o", "up", f"{SCANDIR}/web") == "true\n"
        assert box.stop() == 0
    assert "bye" in box.out


@pytest.mark.parametrize(
    "words",
    [
        ("/run/s6/basedir/bin/halt",),
        ("/run/s6/basedir/bin/shutdown", "-h", "now"),
        ("s6-svscanctl", "-t", "/var/run/s6/services"),
        ("s6-svscanctl", "-t", SCANDIR),
    ],
)
def test_commands_that_stop(
    image: Image, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Those of s6-overlay 3, and of 1 and 2."""
    image.service("web", POLITE)
    with booted(image, tmp_path) as box:
        box.says("hello")
        box.order(*words)
        assert box.ended() == 0
    assert "bye" in box.out


def test_a_stop_while_booting(image: Image, tmp_path: Path) -> None:
    """The script that runs is told, the next ones do not run; all ends in order."""
    image.script(
        "/etc/cont-init.d/1", "trap 'echo told; exit' TERM; echo on\n" + POLITE
    )
    image.script("/etc/cont-init.d/2", "echo second")
    image.script("/etc/cont-finish.d/1", "echo finished")
    image.service("web", "echo web")
    with booted(image, tmp_path, "echo", "command") as box:
        box.says("hello")
        assert box.stop() == 0
    assert "bye" in box.out
    assert "finished" in box.out
    for text in ("second", "web", "command\n"):
        assert text not in box.out


def test_a_stop_before_anything(image: Image, tmp_path: Path) -> None:
    """It is held until there is somebody to hear it."""
    image.service("web", POLITE)
    with booted(image, tmp_path) as box:
        box.says("[s6-init]")
        box.kill()
        box.kill()
        assert box.ended() == 0


def test_a_second_stop_changes_nothing(image: Image, tmp_path: Path) -> None:
    """A service that shuts down for some time is told once."""
    slow = "trap 'echo told; sleep 0.5; echo clean; exit' TERM\necho hello\n"
    image.service("db", slow + "while :; do sleep 1000 & wait; done")
    with booted(image, tmp_path) as box:
        box.says("hello")
        box.kill()
        box.says("told")
        box.kill()
        box.kill(signal.SIGINT)
        assert box.ended() == 0
    assert box.out.count("told") == box.out.count("clean") == 1


def test_c4_a_database_has_the_time_it_needs(image: Image, tmp_path: Path) -> None:
    """Two seconds here; the default is three."""
    slow = "trap 'sleep 2; echo clean shutdown; exit' TERM\necho hello\n"
    image.service("db", slow + "while :; do sleep 1000 & wait; done")
    with booted(image, tmp_path) as box:
        box.says("hello")
        assert box.stop() == 0
    assert box.out.index("clean shutdown") < box.out.index(TERM)


def test_a_service_that_does_not_hear(image: Image, tmp_path: Path) -> None:
    """It is killed after all its time; its finish script runs, its log is whole."""
    image.service(
        "deaf",
        DEAF + "",
        finish="echo killed by $2",
        log_run="exec s6-log -b n2 1 /srv/log",
    )
    with booted(image, tmp_path, start=Start(env=FAST)) as box:
        box.says("deaf")
        assert box.stop() == 0
    assert box.out.index(KILL) < box.out.index("killed by 9")
    assert "s6-init: warning: services are not down after 200 ms: deaf\n" in box.err


def test_the_command_is_told_last(image: Image, tmp_path: Path) -> None:
    """When services are down: docker stop is for process 1."""
    image.service("web", POLITE)
    words = ("sh", "-c", "trap 'echo told; exit 5' TERM; echo begun; sleep 1000 & wait")
    with booted(image, tmp_path, *words) as box:
        box.says("begun\n")
        box.says("hello")
        assert box.stop() == 0
    assert box.out.index("bye") < box.out.index(TERM) < box.out.index("told")


def test_the_command_can_get_signals(image: Image, tmp_path: Path) -> None:
    """Then its end is that of the container, and its code."""
    words = ("sh", "-c", "trap 'echo told; exit 5' TERM; echo begun; sleep 1000 & wait")
    start = Start(env={"S6_CMD_RECEIVE_SIGNALS": "1"})
    image.service("web", POLITE)
    with booted(image, tmp_path, *words, start=start) as box:
        box.says("begun\n")
        wait_until(box.path("/run/s6/cmdpid").exists, "its pid")
        pid = box.path("/run/s6/cmdpid").read_text()
        assert box.run("cat", f"/proc/{pid.strip()}/comm") == "sh\n"
        assert box.stop() == 5
    assert box.out.index("told") < box.out.index("bye")


def test_finish_scripts_are_cut_short(image: Image, tmp_path: Path) -> None:
    """With all that they have started; the next one has its own time."""
    image.script("/etc/cont-finish.d/1", "sleep 1000 & sleep 1000")
    image.script("/etc/cont-finish.d/2", "echo second $S6_STAGE2_EXITED")
    start = Start(env={"S6_KILL_FINISH_MAXTIME": "100"})
    with booted(image, tmp_path, "sh", "-c", "exit 4", start=start) as box:
        assert box.ended() == 4
    assert "[cont-finish.d] 1: exited 137.\n" in box.out
    assert "second 4\n" in box.out


@pytest.mark.parametrize(
    ("path", "text", "code"),
    [
        (EXITCODE, "7", 7),
        (EXITCODE, "300\n", 300 & 0xFF),
        (EXITCODE, "seven", 0),
        ("/var/run/s6/env-stage3/S6_STAGE2_EXITED", "9\n", 9),
    ],
)
def test_o7_a_finish_script_chooses_the_code(
    image: Image, tmp_path: Path, path: str, text: str, code: int
) -> None:
    """Where s6-overlay 3 has it, or 2 had it."""
    image.service("key", "exit 1", finish=f"printf '{text}' > {path}; halt")
    with booted(image, tmp_path) as box:
        assert box.ended() == code
    assert ("no exit code in" in box.err) == (text == "seven")


def test_o7_the_code_that_a_command_has_left_can_be_changed(
    image: Image, tmp_path: Path
) -> None:
    """By the last scripts there are."""
    image.script("/etc/cont-finish.d/1", f"cat {EXITCODE}; echo 3 > {EXITCODE}")
    with booted(image, tmp_path, "sh", "-c", "exit 8") as box:
        assert box.ended() == 3
    assert "executing... \n8[cont" in box.out


def test_everybody_is_told_also_orphans(image: Image, tmp_path: Path) -> None:
    """And who came in with docker exec; nobody is left when the container ends."""
    orphan = "(trap 'echo orphan; exit' TERM; echo begun; sleep 1000 & wait) & "
    with booted(image, tmp_path, "sh", "-c", orphan + SLEEP) as box:
        box.says("begun\n")
        assert box.stop() == 0
    assert "orphan" in box.out


def test_c14_zombies_are_reaped(image: Image, tmp_path: Path) -> None:
    """Orphans that end are not left to lie about."""
    orphans = "for i in 1 2 3; do (sleep 0.0$i & exec true) & done; wait; echo done; "
    with booted(image, tmp_path, "sh", "-c", orphans + SLEEP) as box:
        box.says("done")
        wait_until(lambda: box.processes() == ["sleep"], "only the command")
        assert box.stop() == 0


def test_loggers_are_spared_to_the_end(image: Image, tmp_path: Path) -> None:
    """Also with a daemon in the background that only KILL ends."""
    daemon = "(trap '' TERM; while :; do echo line; sleep 0.01; done) & "
    image.service("web", daemon + POLITE, log_run="exec s6-log -b n9 s999999 /log")
    image.service("other", POLITE, log_run="exec s6-setuidgid nobody s6-log -b 1")
    image.script("/etc/cont-init.d/1", "mkdir /log /keep; mount --bind /keep /log")
    with booted(image, tmp_path, start=Start(env=FAST)) as box:
        log = box.path("/log/current")
        wait_until(lambda: log.exists() and "line" in log.read_text(), "a log")
        with log.open() as current:
            assert box.stop() == 0
            lines = current.read().splitlines()
    assert "bye" in lines
    assert lines[-1] == "line"
    assert "bye" in box.out


def test_o13_a_restart_finds_an_old_run(image: Image, tmp_path: Path) -> None:
    """As after a KILL, in an engine that keeps /run."""
    image.service("web", POLITE)
    old = (
        "mkdir -p /run/service/web/supervise /run/s6/etc /run/s6/container_environment"
    )
    again = f"{old}; ln -s /nowhere /run/service/old; exec s6-init true"
    with booted(image, tmp_path, start=Start(below=("sh", "-c", again))) as box:
        assert box.ended() == 0
    assert "hello\n" in box.out
    assert box.err == ""


def test_a_second_init_is_refused(image: Image, tmp_path: Path) -> None:
    """It would take everything away from the first."""
    with booted(image, tmp_path) as box:
        box.says("[s6-init] ensuring")
        said = box.run("s6-init", "true", code=100)
        assert "another s6-init or s6-svscan is running on /run/service" in said
        assert box.stop() == 0


def test_it_works_below_another_init(image: Image, tmp_path: Path) -> None:
    """With docker --init: as a subreaper, which says so, and touches nobody else."""
    image.service("web", POLITE)
    other = 'sleep 1000 & "$@"; echo code $?; kill -0 $! && echo alive'
    wrapper = ("sh", "-c", other, "")
    orphan = "(sleep 1000 &) ; echo begun; exec sleep 1000"
    start = Start(below=wrapper, env=FAST)
    with booted(image, tmp_path, "sh", "-c", orphan, start=start) as box:
        box.says("begun\n")
        box.order("/run/s6/basedir/bin/halt")
        assert box.ended() == 0
    assert "s6-init: warning: not process 1 but" in box.err
    assert box.out.endswith("and exiting.\ncode 0\nalive\n")
    assert "bye" in box.out


def test_a_signal_right_after_the_start_is_the_commands(
    image: Image, tmp_path: Path
) -> None:
    """Or ours; but it is never nobody's."""
    start = Start(env={"S6_CMD_RECEIVE_SIGNALS": "1", "S6_VERBOSITY": "1"})
    for _ in range(10):
        with booted(image, tmp_path, "sleep", "1000", start=start) as box:
            wait_until(box.path("/run/s6/cmdpid").exists, "the command")
            assert box.stop() == 143


def test_a_finish_script_leaves_somebody_behind(image: Image, tmp_path: Path) -> None:
    """After everybody was killed: who has the pipe of the logger is killed, too."""
    left = "(trap '' TERM; exec sleep 1000) & "
    start = Start(env={"S6_SERVICES_GRACETIME": "100", "S6_KILL_GRACETIME": "100"})
    image.service("web", DEAF, finish=left, log_run="exec s6-log 1")
    with booted(image, tmp_path, start=start) as box:
        box.says("deaf")
        assert box.stop() == 0
    assert "services are not down after 100 ms: web" in box.err
    assert "at their end" not in box.err


def test_files_that_would_make_us_wait(image: Image, tmp_path: Path) -> None:
    """A FIFO in the place of a file: nobody writes, and nobody waits."""
    image.service(
        "web", "exit 3", essential="", finish=f"rm {EXITCODE}; mkfifo {EXITCODE}"
    )
    image.script("/etc/cont-finish.d/1", f"rm -f {EXITCODE}; mkfifo {EXITCODE}")
    with booted(image, tmp_path) as box:
        assert box.ended() == 3


def test_a_working_directory_that_is_not_ours(image: Image, tmp_path: Path) -> None:
    """It is told, and everything is done elsewhere."""
    enter = ("sh", "-c", 'cd /srv/shut && exec setpriv --reuid 65534 "$@"', "")
    (image.top / "srv/shut").mkdir(parents=True, mode=0o700)
    start = Start(below=enter, run="mode=755,uid=65534")
    with booted(image, tmp_path, "pwd", start=start) as box:
        assert box.ended() == 0
    assert "unable to use the working directory: Permission denied" in box.err
    assert "\n/\n" in box.out


def test_a_key_cannot_stop_the_command_for_good(image: Image, tmp_path: Path) -> None:
    """There is no shell that could continue it."""
    say = "trap 'echo again' CONT; echo begun; kill -TSTP $$; echo over; exit 6"
    with booted(image, tmp_path, "sh", "-c", say) as box:
        assert box.ended() == 6
    assert "over" in box.out
