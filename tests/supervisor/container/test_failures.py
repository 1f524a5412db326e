"""What goes wrong in containers: one clear line each, and everything else goes on."""

import os
from functools import partial
from pathlib import Path

import pytest

from harness import wait_until
from inits import POLITE, SLEEP, Image, Start, booted, needs_boxes

pytestmark = needs_boxes


def has_lines(path: Path) -> bool:
    """Tell whether something is in a file, which may be missing."""
    return path.exists() and path.stat().st_size > 0


NOBODY = Start(user="65534:65534", run="mode=755,uid=65534,gid=65534")


def test_attributes_are_fixed(image: Image, tmp_path: Path) -> None:
    """Owners and modes, file by file; a mistake names its line, and is a failure."""
    image.file("/srv/data/file", "", 0o600)
    image.file("/etc/fix-attrs.d/01-data", "/srv/data true nobody 0640 0750\n", 0o644)
    image.file("/etc/fix-attrs.d/02-bad", "\n/srv/data perhaps nobody\n", 0o644)
    with booted(image, tmp_path) as box:
        box.says("[fix-attrs.d] done.\n")
        seen = box.run("stat", "-c", "%U %a", "/srv/data", "/srv/data/file")
        assert box.stop() == 0
    assert seen == "nobody 750\nnobody 640\n"
    assert (
        "[fix-attrs.d] 01-data: applying... \n[fix-attrs.d] 01-data: exited 0.\n"
        in box.out
    )
    assert "[fix-attrs.d] 02-bad: exited 1.\n" in box.out
    assert "02-bad" in box.err
    assert box.err.count("\n") == 1


def test_files_that_cannot_be_read(image: Image, tmp_path: Path) -> None:
    """By a user who is not root: each is named, the others work."""
    image.script("/etc/cont-init.d/1", "echo never").chmod(0)
    image.script("/etc/cont-init.d/2", "echo second")
    image.service("shut", SLEEP)
    image.service("open", POLITE)
    (image.top / "etc/services.d/shut").chmod(0o700)
    with booted(image, tmp_path, start=NOBODY) as box:
        box.says("hello")
        assert box.stop() == 0
    assert "unable to set the mode of /run/s6/etc/cont-init.d/1: " in box.err
    assert "unable to spawn /run/s6/etc/cont-init.d/1: Permission denied" in box.err
    assert "[cont-init.d] 1: exited 126.\n" in box.out
    assert "second\n" in box.out
    assert "unable to copy service shut: Permission denied\n" in box.err


@pytest.mark.parametrize(("behaviour", "code"), [("0", 0), ("2", 1)])
def test_a_service_that_cannot_be_copied_is_a_failure(
    image: Image, tmp_path: Path, behaviour: str, code: int
) -> None:
    """As one of any other stage."""
    image.service("shut", SLEEP)
    (image.top / "etc/services.d/shut").chmod(0o700)
    env = {"S6_BEHAVIOUR_IF_STAGE2_FAILS": behaviour}
    start = Start(user=NOBODY.user, run=NOBODY.run, env=env)
    with booted(image, tmp_path, "true", start=start) as box:
        assert box.ended() == code


def test_services_that_cannot_be_executed(image: Image, tmp_path: Path) -> None:
    """They are tried again later, and the command begins."""
    image.service("web", SLEEP)
    image.file("/etc/services.d/odd/run", "#!/nowhere\n")
    image.file("/etc/services.d/file", "not a directory\n")
    image.service(".hidden", "echo never")
    with booted(image, tmp_path, "echo", "go") as box:
        assert box.ended() == 0
    assert (
        "s6-init: warning: odd: unable to spawn ./run (waiting 60 seconds)" in box.err
    )
    assert "go\n" in box.out
    assert "never" not in box.out


def test_a_logger_whose_directory_cannot_be_made(image: Image, tmp_path: Path) -> None:
    """It says so itself, and the service goes on."""
    image.service("web", POLITE, log_run="exec logutil-service /proc/log")
    with booted(image, tmp_path) as box:
        box.complains("/proc/log")
        assert box.run("s6-svstat", "-o", "up", "/run/service/web") == "true\n"
        assert box.stop() == 0
    assert "Traceback" not in box.err


def test_a_logger_gets_a_directory_of_its_own(image: Image, tmp_path: Path) -> None:
    """Made, or given, to the user that logs; what is in use stays as it is."""
    (image.top / "srv/empty").mkdir(parents=True)
    for name in ("new/deep", "empty"):
        service = name.replace("/", "-")
        image.service(service, POLITE, log_run=f"exec logutil-service /srv/{name}")
    with booted(image, tmp_path) as box:
        for name in ("new/deep", "empty"):
            current = box.path(f"/srv/{name}/current")
            wait_until(partial(has_lines, current), name)
        seen = box.run("stat", "-c", "%U", "/srv/new", "/srv/new/deep", "/srv/empty")
        assert box.stop() == 0
    assert seen == "root\nnobody\nnobody\n"
    assert box.err == ""


def test_nobody_reads_standard_output(image: Image, tmp_path: Path) -> None:
    """The boot goes on, and so does the stop; nothing that was said is lost."""
    image.script("/etc/cont-init.d/1", "head -c 300000 /dev/zero | tr '\\0' x & wait")
    image.service("web", "touch /srv/up; " + SLEEP)
    for number in range(2, 40):
        image.script(f"/etc/cont-init.d/{number:02}", "true")
    reading, writing = os.pipe()
    start = Start(stdout=writing)
    with booted(image, tmp_path, start=start) as box:
        os.close(writing)
        data = b""
        while len(data) < 300_000:
            data += os.read(reading, 4096)
        wait_until(box.path("/srv/up").exists, "a service")
        box.kill()
        while chunk := os.read(reading, 4096):
            data += chunk
        assert box.ended() == 0
    os.close(reading)
    said = data.decode().replace("x", "")
    assert said.count("eecuting... \n") == 39
    assert said.endswith("KILL signal and eiting.\n")


def test_standard_output_is_closed(image: Image, tmp_path: Path) -> None:
    """Or its reader is gone: services do not care, and s6-init neither."""
    image.service("web", "touch /srv/up; " + SLEEP)
    reading, writing = os.pipe()
    os.close(reading)
    with booted(image, tmp_path, start=Start(stdout=writing)) as box:
        wait_until(box.path("/srv/up").exists, "a service")
        assert box.stop() == 0
    os.close(writing)
    closed = Start(below=("sh", "-c", 'exec "$@" <&- >&- 2>&-', ""))
    with booted(image, tmp_path, start=closed) as box:
        wait_until(box.path("/srv/up").exists, "a service")
        assert box.stop() == 0


def test_odd_variables(image: Image, tmp_path: Path) -> None:
    """A name that is no file's is told; numbers that are none are the default."""
    image.service("web", f"with-contenv env | grep ODD; {SLEEP}")
    env = {"X" * 300: "1", "S6_KILL_GRACETIME": "soon", "ODD": "é\\"}
    with booted(image, tmp_path, start=Start(env=env)) as box:
        box.says("ODD=é\\\n")
        assert box.stop() == 0
    told = f"s6-init: warning: unable to keep variable {'X' * 80}: "
    assert box.err == told + "its name is no file's\n"


def test_definitions_of_s6_rc_are_not_passed_over_in_silence(
    image: Image, tmp_path: Path
) -> None:
    """They are not supported yet."""
    image.file("/etc/s6-overlay/s6-rc.d/web/type", "longrun\n")
    image.file("/etc/s6-overlay/s6-rc.d/user/contents.d/web", "")
    with booted(image, tmp_path, "true") as box:
        assert box.ended() == 0
    assert box.err == (
        "s6-init: warning: s6-rc is not supported: services in "
        "/etc/s6-overlay/s6-rc.d are not started: web\n"
    )


def test_a_stop_that_takes_longer_than_engines_wait(
    image: Image, tmp_path: Path
) -> None:
    """Is told of at boot, where somebody has chosen it."""
    env = {"S6_SERVICES_GRACETIME": "20000"}
    with booted(image, tmp_path, "true", start=Start(env=env)) as box:
        assert box.ended() == 0
    assert "a stop may take 26000 ms; docker stop waits for 10000" in box.err


def test_a_service_that_cannot_be_supervised(image: Image, tmp_path: Path) -> None:
    """It is told, tried again, and keeps nobody from going on."""
    image.service("web", SLEEP)
    image.file("/etc/services.d/web/event", "in the way of a directory")
    image.script("/etc/cont-init.d/1", "ln -s /etc/passwd /run/service/odd")
    image.script("/etc/cont-init.d/2", "mkdir -p /run/service/bad/supervise/control")
    with booted(image, tmp_path, "echo", "go") as box:
        assert box.ended() == 0
    assert "go\n" in box.out
    assert "s6-init: warning: unable to supervise bad: " in box.err
