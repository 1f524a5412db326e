"""with-contenv and printcontenv: the programs, with a /run of their own."""

from pathlib import Path

import pytest

import contained
import harness
from chains import VARIABLES, become, variables
from contained import fill, needs_mounts
from harness import Outcome, Stage

FILES: dict[str | bytes, bytes] = {
    "PATH": b"/usr/local/bin:/usr/bin:/bin",
    "LINES": b"one\ntwo\n",
    "EMPTY": b"\n",
    "GONE": b"",
    "LARGE": b"x" * 100_000 + b"\n",
    b"\xff": b"\xfe",
}


def with_contenv(run: Path, *words: str, **env: str) -> Outcome:
    """Run a program with the container's environment."""
    ours = contained.ours("with-contenv", run)
    return become(ours, words, Stage(run, env=env))


def printed(run: Path, *words: str | bytes, **env: str) -> tuple[int, bytes, bytes]:
    """Run printcontenv; give its exit code and what it says."""
    told = become(contained.ours("printcontenv", run), words, Stage(run, env=env))
    return told.code, told.out, told.err


@needs_mounts
def test_the_program_has_what_is_on_file_and_nothing_else(tmp_path: Path) -> None:
    """But PATH and S6_SERVICE: any bytes, newlines, and 100 kB."""
    fill(tmp_path, FILES)
    told = with_contenv(tmp_path, *VARIABLES, S6_SERVICE="foo", GONE="x", OTHER="x")
    assert (told.code, told.err) == (0, b"")
    assert variables(told.out) - {b""} == {
        b"PATH=/usr/local/bin:/usr/bin:/bin",
        b"LINES=one\ntwo",
        b"EMPTY=",
        b"LARGE=" + b"x" * 100_000,
        b"\xff=\xfe",
        b"S6_SERVICE=foo",
    }


@needs_mounts
def test_a_script_can_begin_with_it(tmp_path: Path) -> None:
    """Of such a line the kernel makes one argument."""
    fill(tmp_path, {"A": b"a"})
    launcher = harness.ours("with-contenv").argv
    if len(launcher) > 1:
        pytest.skip("with-contenv is not installed beside this Python")
    script = tmp_path / "script"
    script.write_text(f'#!{launcher[0]} sh\necho "$A $OTHER. $1 $2"\n')
    script.chmod(0o755)
    program = contained.within(tmp_path, harness.Program("script", (str(script),)))
    told = become(program, ["x y", "z"], Stage(tmp_path, env={"OTHER": "x"}))
    assert (told.code, told.out) == (0, b"a . x y z\n")


@needs_mounts
@pytest.mark.parametrize(("keep", "value"), [("1", b"own"), ("0", b"file")])
def test_it_may_do_nothing(keep: str, value: bytes, tmp_path: Path) -> None:
    """With S6_KEEP_ENV the environment is that of the container already."""
    fill(tmp_path, {"A": b"file"})
    told = with_contenv(tmp_path, "printenv", "A", A="own", S6_KEEP_ENV=keep)
    assert told.out == value + b"\n"
    assert printed(tmp_path, "A", A="own", S6_KEEP_ENV=keep)[1] == value + b"\n"


@needs_mounts
def test_without_a_container_it_says_so(tmp_path: Path) -> None:
    """Exit code 111."""
    told = with_contenv(tmp_path, "true")
    assert (told.code, told.out) == (111, b"")
    assert told.err.splitlines() == [
        b"with-contenv: fatal: unable to read /run/s6/container_environment:"
        b" No such file or directory",
        b"with-contenv: s6-init makes it when it starts a container",
    ]


@needs_mounts
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """The program does not run with a variable less."""
    (fill(tmp_path, {"A": b"a"}) / "B").mkdir()
    told = with_contenv(tmp_path, "true")
    assert told.code == 111
    assert told.err == (
        b"with-contenv: fatal: unable to read /run/s6/container_environment/B:"
        b" Is a directory\n"
    )
    assert printed(tmp_path, "A")[:2] == (0, b"a\n")
    assert printed(tmp_path, "B")[0] == 111


@needs_mounts
@pytest.mark.parametrize(
    ("words", "code"), [([], 100), (["no-such-program"], 127), (["/etc/passwd"], 126)]
)
def test_it_fails_as_others_do(words: list[str], code: int, tmp_path: Path) -> None:
    """As the programs of a chain."""
    fill(tmp_path, {})
    told = with_contenv(tmp_path, *words)
    assert told.code == code
    assert told.err.startswith(b"with-contenv: ")
    assert told.err.count(b"\n") == 1


@needs_mounts
@pytest.mark.parametrize(
    ("name", "code", "out"),
    [
        ("LINES", 0, b"one\ntwo\n"),
        ("EMPTY", 0, b"\n"),
        ("GONE", 1, b""),
        ("NONE", 1, b""),
        ("../container_environment/LINES", 1, b""),
        (b"\xff", 0, b"\xfe\n"),
    ],
)
def test_one_variable_is_printed(
    name: str | bytes, code: int, out: bytes, tmp_path: Path
) -> None:
    """With one newline behind it; or the exit code is 1."""
    fill(tmp_path, FILES)
    assert printed(tmp_path, name) == (code, out, b"")


@needs_mounts
def test_printcontenv_wants_a_name(tmp_path: Path) -> None:
    """And in no container there is no variable."""
    code, out, err = printed(tmp_path)
    assert (code, out) == (100, b"")
    assert err == b"printcontenv: usage: printcontenv variable\n"
    assert printed(tmp_path, "A") == (1, b"", b"")
