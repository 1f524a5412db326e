"""The boot of a container: stages, lines, order, failures (overlay O1-O4, O6, O9)."""

import re
from pathlib import Path

import pytest

from harness import oracle, wait_until
from inits import POLITE, SLEEP, Image, Start, booted, needs_boxes

pytestmark = needs_boxes

WITH_CONTENV = """\
#!/command/with-contenv sh
echo "service $ADDED"
exec sleep 1000
"""
FAILED = "\n!!!!!\n init-stage2 failed.\n!!!!!\n"
OPENING = """\
[s6-init] making user provided files available at /var/run/s6/etc...exited 0.
[s6-init] ensuring user provided files have correct perms...exited 0.
"""
END = """\
[s6-finish] waiting for services.
[s6-finish] sending all processes the TERM signal.
[s6-finish] sending all processes the KILL signal and exiting.
"""


def test_o1_the_transcript(image: Image, tmp_path: Path) -> None:
    """Every line of the classic s6-overlay, in order, with nothing in between."""
    for folder in ("fix-attrs.d", "cont-init.d", "cont-finish.d"):
        (image.top / "etc" / folder).mkdir(parents=True)
    image.service("web", POLITE)
    with booted(image, tmp_path) as box:
        box.says("hello")
        assert box.stop() == 0
    assert box.err == ""
    assert box.out == (
        OPENING
        + "[fix-attrs.d] applying ownership & permissions fixes...\n"
        + "[fix-attrs.d] done.\n"
        + "[cont-init.d] executing container initialization scripts...\n"
        + "[cont-init.d] done.\n"
        + "[services.d] starting services\n"
        + "[services.d] done.\n"
        + "hello\n"
        + "bye\n"
        + "[cont-finish.d] executing container finish scripts...\n"
        + "[cont-finish.d] done.\n"
        + END
    )


def test_an_image_without_anything_is_silent_about_it(
    image: Image, tmp_path: Path
) -> None:
    """A section without its folder says nothing."""
    with booted(image, tmp_path, "true") as box:
        assert box.ended() == 0
    assert box.out == OPENING + "[cmd] true exited 0\n" + END


@pytest.mark.parametrize("verbosity", ["0", "1"])
def test_stages_can_be_silenced(image: Image, tmp_path: Path, verbosity: str) -> None:
    """What services and the CMD say comes out as ever."""
    image.script("/etc/cont-init.d/01-a", "echo from a script")
    start = Start(env={"S6_VERBOSITY": verbosity})
    with booted(image, tmp_path, "echo", "done", start=start) as box:
        assert box.ended() == 0
    assert box.out == "from a script\ndone\n"


@pytest.mark.parametrize(("behaviour", "code"), [("", 0), ("1", 0), ("2", 3)])
def test_o2_a_script_fails(
    image: Image, tmp_path: Path, behaviour: str, code: int
) -> None:
    """The next one runs all the same, unless the container is to end by it."""
    image.script("/etc/cont-init.d/01-a", "echo first")
    image.script("/etc/cont-init.d/02-b", "exit 3")
    image.script("/etc/cont-init.d/03-c", "echo third")
    image.service("web", "echo up; " + SLEEP)
    start = Start(env={"S6_BEHAVIOUR_IF_STAGE2_FAILS": behaviour})
    with booted(image, tmp_path, "echo", "the command", start=start) as box:
        assert box.ended() == code
    assert "[cont-init.d] 01-a: executing... \nfirst\n" in box.out
    assert "[cont-init.d] 02-b: exited 3.\n" in box.out
    assert ("third" in box.out) == (code == 0)
    assert ("the command" in box.out) == (code == 0)
    assert ("[services.d]" in box.out) == (code == 0)
    assert (FAILED in box.out) == bool(behaviour)


def test_scripts_of_every_kind_of_failure(image: Image, tmp_path: Path) -> None:
    """A directory is none; an interpreter that is not there; killed by a signal."""
    image.file("/etc/cont-init.d/1/run", "#!/bin/sh\n")
    image.file("/etc/cont-init.d/2", "#!/nowhere\n")
    image.script("/etc/cont-init.d/3", "kill -9 $$")
    with booted(image, tmp_path, "true") as box:
        assert box.ended() == 0
    assert re.findall(r"\[cont-init.d\] (\d): exited (\d+)\.", box.out) == [
        ("2", "127"),
        ("3", "137"),
    ]
    assert "unable to spawn /run/s6/etc/cont-init.d/2: No such file" in box.err


def test_without_an_interpreter_it_is_for_sh(image: Image, tmp_path: Path) -> None:
    """As in s6-overlay: scripts, and the command, by its path or by PATH."""
    image.file("/etc/cont-init.d/1", 'echo "script $0"\n')
    image.file("/usr/bin/without", 'echo "command $0 $1"; exit 4\n')
    for word in ("without", "/usr/bin/without"):
        with booted(image, tmp_path, word, "x") as box:
            assert box.ended() == 4
        assert "script /run/s6/etc/cont-init.d/1\n" in box.out
        assert "command /usr/bin/without x\n" in box.out


def test_without_path_there_is_one_all_the_same(image: Image, tmp_path: Path) -> None:
    """As engines may start a container."""
    start = Start(below=("env", "-u", "PATH"))
    with booted(image, tmp_path, "sh", "-c", "echo $PATH", start=start) as box:
        assert box.ended() == 0
    assert "\n/command:/usr/bin:/bin" in box.out


def test_modes_are_set(image: Image, tmp_path: Path) -> None:
    """Files that came into the image without their modes work all the same."""
    image.script("/etc/cont-init.d/1", "echo script").chmod(0o600)
    image.service("web", "echo service; " + SLEEP)
    (image.top / "etc/services.d/web/run").chmod(0o644)
    with booted(image, tmp_path) as box:
        box.says("script")
        box.says("service")
        assert box.path("/etc/cont-init.d/1").stat().st_mode & 0o7777 == 0o755
        assert box.stop() == 0


def test_o3_the_command_and_its_code(image: Image, tmp_path: Path) -> None:
    """It begins when services are up, and they are stopped when it has ended."""
    image.service("web", POLITE)
    with booted(image, tmp_path, "sh", "-c", "sleep 0.2; exit 42") as box:
        assert box.ended() == 42
    said = box.out.splitlines()
    assert said.index("[services.d] done.") < said.index("[cmd] sh exited 42")
    assert said.index("[cmd] sh exited 42") < said.index("bye")


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (("/nowhere",), 127, "unable to exec /nowhere: No such file or directory"),
        (("nowhere",), 127, "unable to exec nowhere: No such file or directory"),
        (("/etc/passwd",), 126, "unable to exec /etc/passwd: Permission denied"),
        (("/bin/sh", "-c", "kill -TERM $$"), 143, ""),
        (("/bin/sh", "-c", "kill -KILL $$"), 137, ""),
    ],
)
def test_commands_that_fail(
    image: Image, tmp_path: Path, words: tuple[str, ...], code: int, complaint: str
) -> None:
    """The code of shells, and one line that says why."""
    with booted(image, tmp_path, *words) as box:
        assert box.ended() == code
    assert f"[cmd] {words[0]} exited {code}\n" in box.out
    assert box.err == (f"s6-init: fatal: {complaint}\n" if complaint else "")


def test_the_command_is_where_the_image_says(image: Image, tmp_path: Path) -> None:
    """In the working directory, with all variables, first words from one of them."""
    start = Start(env={"FOO": "bar", "S6_CMD_ARG0": "sh\n-c"}, workdir="/usr/lib")
    with booted(image, tmp_path, "echo $PWD $FOO", start=start) as box:
        assert box.ended() == 0
    assert "/usr/lib bar\n" in box.out


def test_o6_services_see_path_only(image: Image, tmp_path: Path) -> None:
    """And their own name; with the container environment they see it all."""
    long = "x" * 100_000
    image.service("plain", f"env > /srv/plain; {SLEEP}")
    image.service("full", f"with-contenv env -0 > /srv/full; {SLEEP}")
    values = {"FOO": "bar", "LINES_": "a\n\nb\n\n", "LONG": long, "EMPTY": ""}
    with booted(image, tmp_path, start=Start(env=values)) as box:
        box.says("[services.d] done.")
        full = box.path("/srv/full")
        wait_until(lambda: full.exists() and full.stat().st_size > 100_000, "all")
        plain = box.path("/srv/plain").read_text().splitlines()
        seen = dict(line.split("=", 1) for line in full.read_text().split("\0") if line)
        assert box.stop() == 0
    names = {line.split("=")[0] for line in plain}
    assert names == {"PATH", "PWD", "S6_SERVICE"}
    assert values.items() <= seen.items()
    assert seen["S6_SERVICE"] == "full"


def test_scripts_add_variables(image: Image, tmp_path: Path) -> None:
    """For scripts after them, services and the command."""
    add = "printf %s 'a  b' > /var/run/s6/container_environment/ADDED"
    image.script("/etc/cont-init.d/1", add)
    image.script("/etc/cont-init.d/2", "with-contenv sh -c 'echo \"script $ADDED\"'")
    image.file("/etc/services.d/web/run", WITH_CONTENV)
    image.script("/etc/cont-init.d/0", "s6-init --install")
    words = ("sh", "-c", 'echo "command $ADDED"; sleep 1000')
    with booted(image, tmp_path, *words) as box:
        for who in ("script", "service", "command"):
            box.says(f"{who} a  b\n")
        assert box.run("printcontenv", "ADDED") == "a  b\n"
        assert box.stop() == 0


def test_real_programs_work_on_services(image: Image, tmp_path: Path) -> None:
    """Those of Debian's s6, on a tree that we supervise."""
    svstat, svc = (oracle(name).argv[0] for name in ("s6-svstat", "s6-svc"))
    image.service("web", POLITE, log_run="exec /usr/bin/s6-log 1")
    with booted(image, tmp_path) as box:
        box.says("hello")
        assert box.run(svstat, "-o", "up", "/run/service/web") == "true\n"
        box.run(svc, "-wD", "-d", "/run/service/web")
        box.says("bye")
        assert box.run(svstat, "-o", "up", "/run/service/web") == "false\n"
        assert box.stop() == 0


def test_another_descriptor_is_waited_for(image: Image, tmp_path: Path) -> None:
    """Until whoever has its other end closes it."""
    image.script("/etc/cont-init.d/1", "echo begun")
    held = ("sh", "-c", '(sleep 0.3; echo waited >&2) | { exec 5<&0; exec "$@"; }', "")
    start = Start(below=held, env={"S6_WAIT_FOR_CLOSING_FD": "5"})
    with booted(image, tmp_path, "true", start=start) as box:
        assert box.ended() == 0
    assert "waited" in box.err
    assert "begun" in box.out
