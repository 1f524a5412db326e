"""Becoming another program: the search in PATH, errors, what is passed on."""

import os
import sys
from pathlib import Path

import pytest

import harness
from chains import Words, agree, become, variables
from harness import Stage
from s6log.unix.messages import Fatal
from supervisor.chain.execute import environment_with, execute

THROUGH = "s6-applyuidgid"
"""Without options this program changes nothing."""

PRINT_ENVIRONMENT = "tr '\\0' '\\n' < /proc/self/environ"
EXECVE = """
import ctypes, sys
words = [word.encode() for word in sys.argv[1:]]
variables = [b"PATH=/usr/bin:/bin", b"A=1", b"A=2", b"odd", b"=", b"\\xff=\\xfe"]
def array(texts):
    return (ctypes.c_char_p * (len(texts) + 1))(*texts, None)
ctypes.CDLL(None).execve(words[0], array(words), array(variables))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make folders for PATH with files that can and cannot be executed."""
    for name, mode, text in [
        ("good/tool", 0o755, "#!/bin/sh\necho good $0\n"),
        ("plain/tool", 0o644, "#!/bin/sh\n"),
        ("formless/tool", 0o755, "echo formless\n"),
        ("lost/tool", 0o755, "#!/no/such/interpreter\n"),
        ("here", 0o755, "#!/bin/sh\necho here\n"),
    ]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
    (tmp_path / "folder/tool").mkdir(parents=True)
    (tmp_path / "endless").mkdir()
    (tmp_path / "endless/tool").symlink_to("tool")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "name", "code"),
    [
        ("good", "tool", 0),
        ("nowhere:good", "tool", 0),
        ("plain:good", "tool", 0),
        ("folder:good", "tool", 0),
        ("here:good", "tool", 0),
        ("lost:good", "tool", 0),
        (":good:", "tool", 0),
        ("plain", "tool", 126),
        ("plain:nowhere", "tool", 126),
        ("here:plain:nowhere", "tool", 126),
        ("plain:here", "tool", 126),
        ("here", "tool", 126),
        ("folder", "tool", 126),
        ("formless:good", "tool", 126),
        ("endless:good", "tool", 126),
        ("plain:endless:good", "tool", 126),
        ("lost", "tool", 127),
        ("nowhere", "tool", 127),
        ("good:", "here", 127),
        (":good", "bin", 127),
        ("/usr/bin", "", 126),
        ("nowhere", "./here", 0),
        ("nowhere", "good/tool", 0),
        ("good", "./tool", 127),
        ("good", "/", 126),
        ("good", "plain/tool", 126),
        ("good", "formless/tool", 126),
        ("good", "here/tool", 126),
        ("x" * 300 + ":good", "tool", 126),
    ],
)
def test_a_program_is_found_as_s6_finds_it(
    path: str, name: str, code: int, folder: Path
) -> None:
    """Or it is said why not, with the exit code of the shell."""
    assert agree(THROUGH, [name], Stage(folder, env={"PATH": path})).code == code


@pytest.mark.parametrize("path", ["", ":"])
def test_a_path_that_names_no_folder_finds_nothing(path: str, folder: Path) -> None:
    """Where s6 2.11, which tries nothing, reports success as the error."""
    stage = Stage(folder, env={"PATH": path})
    told = become(harness.ours(THROUGH), ["here"], stage)
    assert told.code == 127
    expected = (
        b"s6-applyuidgid: fatal: unable to exec here: No such file or directory\n"
    )
    assert told.err == expected


def test_without_path_the_usual_folders_are_searched(folder: Path) -> None:
    """Those that hold the system's programs; and PATH stays unset."""
    start = ("/usr/bin/env", "-u", "PATH")
    told = agree(THROUGH, ["env"], Stage(folder), variables, start)
    assert told.code == 0
    assert b"PATH=" not in told.out


def test_what_is_no_variable_is_passed_on_all_the_same(tmp_path: Path) -> None:
    """Every word of the environment reaches the program, as through C programs."""
    words = ["sh", "-c", PRINT_ENVIRONMENT]
    start = (sys.executable, "-c", EXECVE)
    told = agree(THROUGH, words, Stage(tmp_path), start=start)
    assert b"A=1\nA=2\nodd\n=\n\xff=\xfe\n" in told.out


def test_arguments_may_be_any_bytes(tmp_path: Path) -> None:
    """They arrive as they are, whatever the locale."""
    words: Words = ["printf", "%s.", bytes(range(1, 256)), b"", "ä".encode()]
    told = agree(THROUGH, words, Stage(tmp_path))
    assert told.out == bytes(range(1, 256)) + b"..\xc3\xa4."


def test_signals_are_as_they_were(tmp_path: Path) -> None:
    """None of those that Python takes for itself is ignored in the program."""
    words = ["grep", "-E", "^Sig(Blk|Ign|Cgt)", "/proc/self/status"]
    assert agree(THROUGH, words, Stage(tmp_path)).code == 0


def test_failure_is_an_exception_of_the_caller() -> None:
    """It tells what could not be executed, why, and the exit code."""
    with pytest.raises(Fatal) as failed:
        execute([b"/no/such/program", b"argument"])
    assert failed.value.code == 127
    assert failed.value.text == b"unable to exec /no/such/program"
    assert isinstance(failed.value.error, FileNotFoundError)
    with pytest.raises(Fatal) as failed:
        execute([b"/"], {b"A": b"B"})
    assert failed.value.code == 126


def test_what_cannot_be_seen_is_shown() -> None:
    """A script with CR LF at its lines' ends names programs that end in CR."""
    for name, shown in [
        (b"sh\r", rb"sh\r"),
        (b"a\tb\n", rb"a\tb\n"),
        (b"\x1b[2J\x7f", rb"\x1b[2J\x7f"),
        ("no such pröğram".encode(), "no such pröğram".encode()),
    ]:
        with pytest.raises(Fatal) as failed:
            execute([name])
        assert failed.value.text == b"unable to exec " + shown


def test_variables_are_set_and_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a copy: this process's environment stays as it is."""
    monkeypatch.setenv("CHAIN_OLD", "1")
    monkeypatch.setenv("CHAIN_KEPT", "2")
    before = dict(os.environb)
    changes = {b"CHAIN_OLD": None, b"CHAIN_NEW": b"\xff", b"CHAIN_NONE": None}
    environment = environment_with(changes)
    assert environment == {
        **{name: text for name, text in before.items() if name != b"CHAIN_OLD"},
        b"CHAIN_NEW": b"\xff",
    }
    assert dict(os.environb) == before
