"""logutil-service: who logs, with which words, from where and to where."""

import os
import pwd
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

import contained
import harness
import watching
from chains import WITHOUT_PRIVILEGES, become, behind, needs_root, without_launcher
from contained import fill, needs_mounts
from harness import Outcome, Program, Stage, running, wait_until
from nurseries import Installation, open_to_all, python
from supervisor.container.logutil_service import DEFAULT_SCRIPT, command

NOBODY = pwd.getpwnam("nobody")
TELL = """#!/bin/sh
for word; do echo "word $word"; done
env | sed 's/^/env /'
echo "id $(id -u):$(id -g):$(id -G)"
sed 's/^/in /'
"""
DEFAULT = [f"word {word}" for word in ["-b", "--", *DEFAULT_SCRIPT.decode().split()]]


class Place:
    """A /run, a stand-in for s6-log that tells what it was given, and a directory."""

    def __init__(self, folder: Path) -> None:
        open_to_all(folder)
        self.folder = folder
        self.run = folder / "run"
        self.run.mkdir()
        self.bin = folder / "bin"
        self.bin.mkdir()
        (self.bin / "s6-log").write_text(TELL)
        (self.bin / "s6-log").chmod(0o755)
        self.logdir = folder / "logs" / "of" / "foo"
        self.path = f"{self.bin}:/usr/bin:/bin"

    def log(self, *words: str, **env: str) -> Outcome:
        """Run logutil-service on a line of input."""
        program = contained.ours("logutil-service", self.run)
        stage = Stage(self.folder, env={"PATH": self.path, **env})
        return harness.run(program, words or [str(self.logdir)], b"line\n", stage)

    def told(self, *words: str, **env: str) -> list[str]:
        """Give what the stand-in tells."""
        outcome = self.log(*words, **env)
        assert (outcome.code, outcome.err) == (0, b"")
        return outcome.out.decode().splitlines()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Make one."""
    return Place(tmp_path)


def of(kind: str, told: Sequence[str]) -> list[str]:
    """Pick some lines."""
    return [line for line in told if line.startswith(kind + " ")]


@needs_mounts
def test_nobody_logs_with_the_default_script(place: Place) -> None:
    """In an environment without anything but PATH and S6_SERVICE."""
    told = place.told(S6_SERVICE="foo", HOME="/root", UID="0", A="a")
    assert of("word", told) == [*DEFAULT, f"word {place.logdir}"]
    assert of("in", told) == ["in line"]
    ids = f"{NOBODY.pw_uid}:{NOBODY.pw_gid}:{NOBODY.pw_gid}"
    assert of("id", told) == [f"id {ids}"]
    own = {"env PWD", "env _", "env SHLVL"}  # which the shells add
    variables = {line for line in of("env", told) if line.split("=")[0] not in own}
    assert variables == {f"env PATH={place.path}", "env S6_SERVICE=foo"}


@needs_mounts
@pytest.mark.parametrize(
    ("container", "own", "script"),
    [
        (b"n5  s9999\tt\n", None, "n5 s9999 t"),
        (b"1 n20 T", "", "1 n20 T"),
        (b"n5 t", "n7", "n7"),
        (b"", None, "n20 s1000000 T"),
        (b"\n", None, "n20 s1000000 T"),
    ],
)
def test_the_script_is_a_variable(
    container: bytes, own: str | None, script: str, place: Place
) -> None:
    """Of the container, or of the process when somebody has set it for that."""
    fill(place.run, {"S6_LOGGING_SCRIPT": container, "A": b"a"})
    env = {} if own is None else {"S6_LOGGING_SCRIPT": own}
    words = [line.split()[1] for line in of("word", place.told(**env))]
    assert words == ["-b", "--", *script.split(), str(place.logdir)]


@needs_mounts
def test_a_kept_environment_has_the_script(place: Place) -> None:
    """With S6_KEEP_ENV; and the logger does without the rest all the same."""
    fill(place.run, {"S6_LOGGING_SCRIPT": b"n5"})
    told = place.told(S6_KEEP_ENV="1", A="a")
    assert "word n5" not in told
    assert "env A=a" not in told
    assert "word n9" in place.told(S6_KEEP_ENV="1", S6_LOGGING_SCRIPT="n9")


def test_a_script_that_cannot_be_read_is_no_script(tmp_path: Path) -> None:
    """It is an error, which names the variable."""
    (tmp_path / "S6_LOGGING_SCRIPT").mkdir()
    with pytest.raises(Exception, match="unable to read variable S6_LOGGING_SCRIPT"):
        command({}, b"x", os.fsencode(tmp_path))


@needs_mounts
@pytest.mark.parametrize("umask", [0o022, 0o077, 0])
def test_root_makes_the_directory(umask: int, place: Place) -> None:
    """For the one who logs; those above it are root's, and open to all."""
    program = contained.ours("logutil-service", place.run)
    stage = Stage(place.folder, umask=umask, env={"PATH": place.path})
    told = harness.run(program, [f"{place.logdir}/"], b"", stage)
    assert (told.code, told.err) == (0, b"")
    made, parent = place.logdir.stat(), place.logdir.parent.stat()
    assert stat.S_IMODE(made.st_mode) == 0o2755
    assert (made.st_uid, made.st_gid) == (NOBODY.pw_uid, NOBODY.pw_gid)
    assert (parent.st_uid, stat.S_IMODE(parent.st_mode)) == (0, 0o755)


@needs_mounts
def test_others_log_as_who_they_are(place: Place) -> None:
    """Already changed, or in a container of a user: nothing is made or changed."""
    if python().is_relative_to("/root"):
        pytest.skip("there is no Python in /usr/bin that another user can execute")
    start = ("setpriv", "--reuid=1234", "--regid=2345", "--clear-groups")
    flags = (*harness.PYTHON[1:], str(harness.LAUNCHER))
    words = (*start, str(python()), *flags, "logutil-service")
    program = contained.within(place.run, Program("ours", words))
    stage = Stage(place.folder, env={"PATH": place.path})
    told = harness.run(program, [str(place.logdir)], b"", stage)
    assert (told.code, told.err) == (0, b"")
    assert "id 1234:2345:2345" in told.out.decode().splitlines()
    assert not place.logdir.parent.exists()


@needs_root
@pytest.mark.parametrize("own_words", [(), ("-f", "fifo")])
def test_the_logger_logs(own_words: Sequence[str], place: Place) -> None:
    """Ours, from a pipe or from a FIFO, until it is told to end."""
    installation = Installation(place.folder / "prefix", python())
    os.mkfifo(place.folder / "fifo")
    program = Program("ours", (str(installation.bin / "logutil-service"),))
    env = {"PATH": installation.environment[b"PATH"].decode()}
    with harness.Pipe() as pipe:
        stage = Stage(place.folder, stdin=pipe.read, env=env)
        with running(program, [*own_words, str(place.logdir)], stage) as process:
            for line in (b"one", b"two"):
                feed(pipe, place.folder / "fifo" if own_words else None, line)
                wait_until(lambda: line in logged(place), "a line")  # noqa: B023
            assert watching.facts(process.pid)["Uid"].split()[0] == str(NOBODY.pw_uid)
            process.terminate()
            assert process.wait(harness.DEADLINE_S) == 0
    assert (place.logdir / "current").stat().st_uid == NOBODY.pw_uid


def feed(pipe: harness.Pipe, fifo: Path | None, line: bytes) -> None:
    """Write a line: to a FIFO as a writer that leaves at once, as a shell does."""
    if fifo is None:
        pipe.feed(line + b"\n")
    else:
        fifo.write_bytes(line + b"\n")


def logged(place: Place) -> bytes:
    """Read what has been logged."""
    current = place.logdir / "current"
    return current.read_bytes() if current.exists() else b""


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 100, "usage: logutil-service [ -f fifo ] dir"),
        (["a", "b"], 100, "usage: logutil-service [ -f fifo ] dir"),
        ([""], 100, "usage: logutil-service [ -f fifo ] dir"),
        (["-f"], 100, "usage: logutil-service [ -f fifo ] dir"),
        (["-x", "a"], 100, "usage: logutil-service [ -f fifo ] dir"),
        (["-f", "/etc/passwd", "a"], 100, "fatal: not a FIFO: /etc/passwd"),
        (
            ["-f", "/no/fifo", "a"],
            111,
            "fatal: unable to open /no/fifo: No such file or directory",
        ),
    ],
)
def test_mistakes_are_told(
    words: list[str], code: int, message: str, tmp_path: Path
) -> None:
    """In one line."""
    told = become(harness.ours("logutil-service"), words, Stage(tmp_path))
    assert told.code == code
    assert told.err == f"logutil-service: {message}\n".encode()
    assert list(tmp_path.iterdir()) == []


@needs_mounts
def test_what_the_system_refuses_is_told(place: Place) -> None:
    """To make the directory, to change the user, or to find s6-log."""
    (place.folder / "file").write_text("")
    told = place.log(str(place.folder / "file" / "log"))
    assert told.code == 111
    text = f"logutil-service: fatal: unable to prepare {place.folder}/file/log: "
    assert told.err == text.encode() + b"Not a directory\n"
    (place.bin / "s6-log").unlink()
    changed = behind(("env", f"PATH={place.bin}"), without_launcher("logutil-service"))
    told = become(changed, [str(place.logdir)], Stage(place.folder))
    assert told.code == 127
    assert told.err.startswith(b"logutil-service: fatal: unable to exec s6-log: ")


@needs_root
def test_who_may_not_change_users_cannot_log(place: Place) -> None:
    """As root without that privilege: s6-log as root is not what is wanted."""
    program = behind(WITHOUT_PRIVILEGES, harness.ours("logutil-service"))
    stage = Stage(place.folder, env={"PATH": place.path})
    told = become(program, [str(place.logdir)], stage)
    assert told.code == 111
    text = b"logutil-service: fatal: unable to set supplementary group list: "
    assert told.err == text + b"Operation not permitted\n"
