"""What those find who look into a running container, and what scripts may be."""

from boxes import SERVICES, Boxes
from engines import Options

LONG = 100_000


def test_the_environment_of_the_container(boxes: Boxes) -> None:
    """On file, and for whoever comes in from outside."""
    value = "two\nlines, and = signs"
    env = {"GREETING": value, "LONG": "x" * LONG}
    box = boxes.start("command", "sleep", "1000", options=Options(env=env))
    box.wait_for(SERVICES[1])
    assert box.do("printcontenv", "GREETING") == f"{value}\n"
    assert len(box.do("printcontenv", "LONG")) == LONG + 1
    assert box.try_("printcontenv", "NONE").returncode == 1
    told = box.do("env", "-i", "/command/with-contenv", "sh", "-c", 'echo "$GREETING"')
    assert told == f"{value}\n"
    folder = "/run/s6/container_environment"
    assert box.do("sh", "-c", f"printf %s new > {folder}/ADDED") == ""
    assert box.do("with-contenv", "sh", "-c", "echo $ADDED") == "new\n"
    service = box.pid("cache")
    inherited = box.do("cat", f"/proc/{service}/environ")
    assert "GREETING" not in inherited
    assert "PATH=" in inherited


def test_what_tools_say_from_outside(boxes: Boxes) -> None:
    """The same as anywhere, by both names of the scan directory."""
    box = boxes.start("command", "sleep", "1000")
    box.wait_for(SERVICES[1])
    for scandir in ("/run/service", "/var/run/s6/services"):
        told = box.do("s6-svstat", "-o", "up,ready", f"{scandir}/cache")
        assert told == "true true\n"
        assert box.try_("s6-svok", f"{scandir}/cache").returncode == 0
    assert box.do("s6-svwait", "-U", "-t", "5000", "/run/service/cache") == ""
    box.do("s6-svc", "-wd", "-d", "/run/service/cache")
    assert box.pid("cache") == 0
    assert box.try_("s6-svwait", "-u", "-t", "1", "/run/service/cache").returncode == 99
    assert box.stop() == 0


def test_scripts_in_execline(boxes: Boxes) -> None:
    """#!/command/execlineb: Debian's execline, with our programs in its chains."""
    box = boxes.start("execline", options=Options(env={"GREETED": "world"}))
    box.wait_up("clock")
    box.wait_until("grep", "hello world", "/var/log/clock/current")
    assert box.do("stat", "-c", "%U", f"/proc/{box.pid('clock')}") == "daemon\n"
    assert box.do("stat", "-c", "%U", "/var/log/clock/current") == "nobody\n"
    assert "prepared" in box.out
    assert box.stop() == 0
    assert box.err == []
