"""From a command's name to its main(): the launchers, and the door behind them.

The launcher text runs here in small prefixes made for the purpose, with a probe
in the place of s6log/launch.py that tells what it was given.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
from s6log.__main__ import PROGRAMS, main

CHECKOUT = Path(__file__).parent.parent.parent
LAUNCHERS = CHECKOUT / "s6log" / "bin"
PYTHON = f"python3.{sys.version_info.minor}"
SHELL_ADDS = {"PWD", "OLDPWD", "SHLVL", "_"}
"""Variables that one shell or another puts into the environment by itself."""

PROBE = """
import json, os, sys
report = {
    "argv": [os.fsencode(word).hex() for word in sys.argv],
    "fds": [fd for fd in range(100) if os.path.exists(f"/proc/self/fd/{fd}")],
    "pid": os.getpid(),
    "isolated": sys.flags.isolated,
    "no_site": sys.flags.no_site,
    "environ": open("/proc/self/environ", "rb").read().hex(),
}
with open(os.environ["REPORT"], "w") as file:
    json.dump(report, file)
"""
STAND_IN = '#!/bin/sh\nprintf "%s\\n" "$0" "$@"\n'
"""A python3 that says how it was called."""


class Prefix:
    """A prefix with a launcher in bin/, and how to run it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bin = path / "bin"
        self.bin.mkdir(parents=True)
        shutil.copy(LAUNCHERS / "s6-log", self.bin / "s6-log")
        self.command: list[str | bytes] = [str(self.bin / "s6-log")]
        self.report = path / "report"

    def add_library(self, version: str, folder: str = "site-packages") -> None:
        """Install the probe for a version of Python."""
        package = self.path / "lib" / version / folder / "s6log"
        package.mkdir(parents=True)
        (package / "launch.py").write_text(PROBE)

    def add_python(self) -> None:
        """Put the Python of this test beside the launcher."""
        real = Path(sys.executable).resolve()
        for name in ("python3", PYTHON):
            (self.bin / name).symlink_to(real)

    def add_stand_in(self, name: str) -> None:
        """Put a program that prints its arguments in a Python's place."""
        (self.bin / name).write_text(STAND_IN)
        (self.bin / name).chmod(0o755)

    def run(
        self, *arguments: str | bytes, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run the launcher in the prefix; nothing is inherited but PATH."""
        return subprocess.run(
            [*self.command, *arguments],
            cwd=self.path,
            env={"PATH": "/usr/bin:/bin", "REPORT": str(self.report), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )

    def probe(self, *arguments: str | bytes, **environment: str) -> dict[str, object]:
        """Run the launcher and give what the probe saw."""
        self.run(*arguments, **environment)
        seen: dict[str, object] = json.loads(self.report.read_text())
        return seen


@pytest.fixture
def prefix(tmp_path: Path) -> Prefix:
    """Make a prefix as `pip install` leaves it in a virtual environment."""
    made = Prefix(tmp_path / "pre fix")
    made.add_library(PYTHON)
    made.add_python()
    return made


def words(seen: dict[str, object]) -> list[bytes]:
    """Give the probe's arguments: the program's name, then what it was told."""
    argv = seen["argv"]
    assert isinstance(argv, list)
    return [bytes.fromhex(word) for word in argv[1:]]


def test_arguments_arrive_as_the_bytes_they_were(prefix: Prefix) -> None:
    """Every byte but NUL, empty words, words like options; in the C locale too."""
    every = bytes(range(1, 256))
    given = [every, b"", b"-c", b"--", b"two words", b"a\n", b"*", b"\xc3\xa9\xe9"]
    assert words(prefix.probe(*given)) == [b"s6-log", *given]
    assert words(prefix.probe(*given, LC_ALL="C")) == [b"s6-log", *given]


def test_the_environment_arrives_unchanged(prefix: Prefix) -> None:
    """Nothing is lost, changed or added but by the shell itself."""
    given = {"program": "x", "bin": "y", "PYTHONPATH": "/nowhere", "LC_CTYPE": "C"}
    seen = prefix.probe(**given)["environ"]
    assert isinstance(seen, str)
    pairs = bytes.fromhex(seen).decode().rstrip("\0").split("\0")
    arrived = dict(pair.split("=", 1) for pair in pairs)
    given |= {"PATH": "/usr/bin:/bin", "REPORT": str(prefix.report)}
    assert {k: v for k, v in arrived.items() if k not in SHELL_ADDS} == given


def test_the_program_is_the_process_that_was_started(prefix: Prefix) -> None:
    """Every way ends in exec, so the pid that a supervisor knows is the program's."""
    environment = {"PATH": "/usr/bin:/bin", "REPORT": str(prefix.report)}
    with subprocess.Popen(prefix.command, env=environment) as process:
        process.wait(harness.DEADLINE_S)
    seen = json.loads(prefix.report.read_text())
    assert seen["pid"] == process.pid
    assert seen["isolated"]
    assert seen["no_site"]


@pytest.mark.parametrize("closed", [(), (0,), (1,), (2,), (0, 1), (0, 1, 2)])
def test_descriptors_arrive_as_they_were(
    prefix: Prefix, closed: tuple[int, ...]
) -> None:
    """No descriptor is added; closed ones are closed; others are inherited."""
    closing = " ".join(f"{fd}<&-" for fd in closed)
    prefix.command = [
        "sh",
        "-c",
        f'exec "$0" "$@" {closing} 7</dev/null',
        *prefix.command,
    ]
    assert prefix.probe()["fds"] == [fd for fd in (0, 1, 2, 7) if fd not in closed]


def test_a_directory_as_stdin_is_closed(prefix: Prefix) -> None:
    """Python would not even start; every program can say that stdin is closed."""
    prefix.command = ["sh", "-c", 'exec "$0" "$@" </', *prefix.command]
    assert prefix.probe()["fds"] == [1, 2]


def test_it_is_found_on_the_path(prefix: Prefix) -> None:
    """As any command, also from a directory that is named relatively."""
    prefix.command = ["sh", "-c", 'exec s6-log "$@"', "sh"]
    for path in (str(prefix.bin), "bin", "./bin"):
        assert words(prefix.probe("x", PATH=f"{path}:/usr/bin:/bin")) == [
            b"s6-log",
            b"x",
        ]


def test_a_directory_on_the_path_may_be_the_current_one(prefix: Prefix) -> None:
    """Then the shell gets a name without any slash."""
    prefix.command = ["sh", "-c", 'cd bin && PATH=":$PATH" && exec s6-log "$@"', "sh"]
    assert words(prefix.probe("x")) == [b"s6-log", b"x"]


def test_links_to_it_work_under_any_name(prefix: Prefix, tmp_path: Path) -> None:
    """The program is the one at the end of the chain of links."""
    (tmp_path / "first").symlink_to(prefix.bin / "s6-log")
    (tmp_path / "second").symlink_to("first")
    (tmp_path / "folder").symlink_to(prefix.bin)
    for command in ("first", "second", "folder/s6-log"):
        prefix.command = [str(tmp_path / command)]
        assert words(prefix.probe("x")) == [b"s6-log", b"x"]


@pytest.mark.parametrize("folder", ["site-packages", "dist-packages"])
def test_python_may_be_elsewhere_on_the_path(tmp_path: Path, folder: str) -> None:
    """As with `pip install --user` and `--prefix`: the one that the path names."""
    prefix = Prefix(tmp_path / "user")
    prefix.add_library(PYTHON, folder)
    pythons = Prefix(tmp_path / "usr")
    pythons.add_python()
    seen = prefix.probe("x", PATH=f"{pythons.bin}:/usr/bin:/bin")
    assert words(seen) == [b"s6-log", b"x"]


def test_a_library_without_its_python_is_passed_over(prefix: Prefix) -> None:
    """A python3.98 that is gone leaves its directory behind."""
    prefix.add_library("python3.98")
    prefix.add_library("python3.0")
    assert words(prefix.probe("x")) == [b"s6-log", b"x"]


def test_an_editable_installation_is_searched_by_python(tmp_path: Path) -> None:
    """Where there is no library beside it, `-m s6log` of the Python beside it."""
    prefix = Prefix(tmp_path / "editable")
    prefix.add_stand_in("python3")
    called = prefix.run("a", "b c").stdout.splitlines()
    assert called == [
        str(prefix.bin / "python3"),
        *("-I", "-X", "utf8", "-m", "s6log", "s6-log", "a", "b c"),
    ]


def test_the_last_resort_is_the_python_on_the_path(tmp_path: Path) -> None:
    """Where there is no Python beside it either."""
    prefix = Prefix(tmp_path / "bare")
    pythons = Prefix(tmp_path / "usr")
    pythons.add_stand_in("python3")
    called = prefix.run("a", PATH=f"{pythons.bin}:/usr/bin:/bin").stdout.splitlines()
    assert called[0] == str(pythons.bin / "python3")
    assert called[-2:] == ["s6-log", "a"]


def test_there_is_one_launcher_for_each_program() -> None:
    """The table, the files and the list of what is installed name the same."""
    with (CHECKOUT / "pyproject.toml").open("rb") as file:
        installed = tomllib.load(file)["tool"]["setuptools"]["script-files"]
    assert {Path(path).name for path in installed} == set(PROGRAMS)
    assert {path.name for path in LAUNCHERS.iterdir()} == set(PROGRAMS)


@pytest.mark.parametrize("program", PROGRAMS)
def test_all_launchers_are_one_text(program: str) -> None:
    """In the checkout, and beside this Python when they are installed there."""
    text = (LAUNCHERS / "s6-log").read_text()
    assert (LAUNCHERS / program).read_text() == text
    assert os.access(LAUNCHERS / program, os.X_OK)
    beside = Path(sys.executable).with_name(program)
    if not beside.exists():
        pytest.skip("not installed beside this Python (make test does that)")
    assert beside.read_text() == text


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_answers_for_its_version(program: str, tmp_path: Path) -> None:
    """Through its launcher, into a pipe, with an exit code of 0."""
    outcome = harness.run(
        harness.ours(program), ["--version"], b"", harness.Stage(cwd=tmp_path)
    )
    assert (outcome.code, outcome.err) == (0, b"")
    assert outcome.out.startswith(program.encode())


@pytest.mark.parametrize("argv", [[], ["s6-nothing", "x"], [""], ["S6-LOG"]])
def test_an_unknown_program_is_the_users_mistake(
    argv: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """One line that names the programs there are, and exit code 100."""
    assert main(argv) == 100
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith("s6log: usage: ")
    assert said.err.endswith(" ".join(PROGRAMS) + "\n")


def test_a_programs_name_may_be_any_bytes(tmp_path: Path) -> None:
    """It is the user's mistake like any other unknown name."""
    door = harness.Program("ours", (*harness.PYTHON, str(harness.LAUNCHER)))
    outcome = harness.run(door, [b"\xff"], b"", harness.Stage(cwd=tmp_path))
    assert outcome.code == 100
    assert outcome.err.startswith(b"s6log: usage: ")


def add_program(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Add a program `probe` with the given body of main(arguments)."""
    header = "from s6log.unix.messages import Fatal\ndef main(arguments):\n    "
    (tmp_path / "s6log_probe.py").write_text(header + source)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "s6log_probe", raising=False)
    monkeypatch.setitem(PROGRAMS, "probe", "s6log_probe")


def test_a_program_gets_bytes_and_gives_a_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arguments go in as bytes, whatever they are; the exit code comes out."""
    add_program("return len(arguments[1])", tmp_path, monkeypatch)
    assert main(["probe", "x", os.fsdecode(b"\xff\xfe\x80")]) == 3


def test_a_fatal_failure_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """With the code that it carries and the system's reason."""
    source = "raise Fatal(111, b'unable to x', OSError(2, ''))"
    add_program(source, tmp_path, monkeypatch)
    assert main(["probe"]) == 111
    reason = "probe: fatal: unable to x: No such file or directory\n"
    assert capfd.readouterr().err == reason


def test_a_bug_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Exit code 101 and no traceback, whatever the exception holds."""
    add_program("raise ValueError('two\\nlines \\udcff')", tmp_path, monkeypatch)
    monkeypatch.delenv("S6LOG_TRACEBACK", raising=False)
    assert main(["probe"]) == 101
    line = "probe: fatal: internal error: ValueError: two lines \\udcff\n"
    assert capfd.readouterr().err == line


def test_a_traceback_is_shown_to_who_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """With S6LOG_TRACEBACK in the environment, before that same line."""
    add_program("raise ValueError('x')", tmp_path, monkeypatch)
    monkeypatch.setenv("S6LOG_TRACEBACK", "1")
    assert main(["probe"]) == 101
    said = capfd.readouterr().err
    assert said.startswith("Traceback ")
    assert said.endswith("probe: fatal: internal error: ValueError: x\n")


GIVEN = [
    {},
    {"LC_CTYPE": "C"},
    {"LC_CTYPE": ""},
    {"LC_CTYPE": "C.UTF-8"},
    {"LANG": "C"},
]


@pytest.mark.parametrize("given", GIVEN)
def test_commands_get_the_locale_that_the_program_got(given: dict[str, str]) -> None:
    """Not the LC_CTYPE that Python sets for itself in the C locale."""
    start = f"import sys; sys.path.append({str(CHECKOUT)!r})"
    become_env = "import os; os.execv('/usr/bin/env', ['env'])"
    restore = "from s6log.__main__ import restore_environment; restore_environment()"
    shown = subprocess.run(
        [*harness.PYTHON, "-c", f"{start}; {restore}; {become_env}"],
        env=given,
        capture_output=True,
        text=True,
        check=True,
    )
    assert dict(line.split("=", 1) for line in shown.stdout.splitlines()) == given


@contextlib.contextmanager
def waiting(
    source: harness.Pipe, cwd: Path, program: harness.Program | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run s6-tai64n until it has stamped a line and waits for the next one."""
    program = program or harness.ours("s6-tai64n")
    with harness.Pipe() as sink:
        stage = harness.Stage(cwd=cwd, stdin=source.read, stdout=sink.write)
        with harness.running(program, [], stage) as process:
            source.feed(b"\n")
            assert os.read(sink.read, 64).endswith(b" \n")
            yield process


def test_the_process_has_the_name_of_the_program(tmp_path: Path) -> None:
    """So that `pgrep -x` and `killall` find it as they find the C program."""
    with harness.Pipe() as source, waiting(source, tmp_path) as process:
        name = Path(f"/proc/{process.pid}/comm").read_text()
        assert name == "s6-tai64n\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ])
def test_signals_have_their_default_action(
    number: signal.Signals, tmp_path: Path
) -> None:
    """Those that Python keeps for itself end a program that does not handle them."""
    with harness.Pipe() as source, waiting(source, tmp_path) as process:
        process.send_signal(number)
        assert process.wait(harness.DEADLINE_S) == -number


def test_an_ignored_interrupt_stays_ignored(tmp_path: Path) -> None:
    """As a shell sets it for its background jobs."""
    program = harness.ours("s6-tai64n")
    deaf = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
    program = harness.Program("ours", (*deaf, *program.argv))
    with harness.Pipe() as source, waiting(source, tmp_path, program) as process:
        process.send_signal(signal.SIGINT)
        source.end()
        assert process.wait(harness.DEADLINE_S) == 0
