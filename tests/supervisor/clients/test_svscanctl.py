"""s6-svscanctl: which bytes reach .s6-svscan/control, and what it says."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import harness
from chains import agree
from harness import Outcome, Program, Stage, wait_until
from supervising import control, make_service, received, svscan, wait_up

TOOL = "s6-svscanctl"
LETTERS = "zabhitqnN"
Find = Callable[[str], Program]


@pytest.mark.parametrize(
    ("words", "letters"),
    [
        ("", b""),
        *((f"-{letter}", letter.encode()) for letter in LETTERS),
        (f"-{LETTERS}", LETTERS.encode()),
        ("-a -n", b"an"),
        ("-nan", b"nan"),
        ("-" + "a" * 64, b"a" * 64),
        ("-a --", b"a"),
    ],
)
def test_letters_arrive_in_their_order(
    find: Find, tmp_path: Path, words: str, letters: bytes
) -> None:
    """All of them, in one write: as the real one sends them."""
    with control(tmp_path / "scan", ".s6-svscan") as fd:
        arguments = [*words.split(), "scan", "ignored"]
        outcome = harness.run(find(TOOL), arguments, b"", Stage(tmp_path))
        assert (outcome.code, outcome.err) == (0, b"")
        assert received(fd) == letters


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["-a"],
        *([f"-{letter}", "scan"] for letter in "prs0678x"),
        ["-" + "a" * 65, "scan"],
        ["-ap", "scan"],
    ],
    ids=repr,
)
def test_mistakes_are_told_as_by_the_real_one(tmp_path: Path, words: list[str]) -> None:
    """Letters of s6 1 among them; nothing is sent then."""
    with control(tmp_path / "scan", ".s6-svscan") as fd:
        assert agree(TOOL, words, Stage(tmp_path)).code == 100
        assert received(fd) == b""


@pytest.mark.parametrize("words", ["", "-t"])
@pytest.mark.parametrize(
    ("directory", "code", "text"),
    [
        ("new", 100, "unable to control new: supervisor not listening"),
        ("deaf", 100, "unable to control deaf: supervisor not listening"),
        (
            "bare",
            100,
            "something is wrong with the bare/.s6-svscan directory. "
            "errno reported: No such file or directory",
        ),
        (
            "plain",
            100,
            "something is wrong with the plain/.s6-svscan directory. "
            "errno reported: Not a directory",
        ),
        ("nowhere", 111, "unable to control nowhere: No such file or directory"),
        ("file", 111, "unable to control file: Not a directory"),
    ],
)
def test_what_is_wrong_is_told(
    tmp_path: Path, words: str, directory: str, code: int, text: str
) -> None:
    """With the codes and words of the real one, without its stray colon."""
    for name in ("new", "deaf/.s6-svscan", "bare/.s6-svscan", "plain"):
        (tmp_path / name).mkdir(parents=True)
    os.mkfifo(tmp_path / "deaf" / ".s6-svscan" / "control")
    (tmp_path / "plain" / ".s6-svscan").touch()
    (tmp_path / "file").touch()
    arguments = [*words.split(), directory]
    expected = Outcome(code, b"", f"s6-svscanctl: fatal: {text}\n".encode())
    ours = harness.run(harness.ours(TOOL), arguments, b"", Stage(tmp_path))
    assert ours == expected
    real = harness.run(harness.oracle(TOOL), arguments, b"", Stage(tmp_path))
    said = real.err.replace(b"fatal: : ", b"fatal: ")
    assert Outcome(real.code, real.out, said) == expected


def test_it_drives_a_real_s6_svscan(
    find_supervisor: Find, find: Find, tmp_path: Path
) -> None:
    """A new service is found, and all of it stops."""
    scandir = tmp_path / "scan"
    with svscan(find_supervisor("s6-svscan"), scandir) as supervisor:
        service = make_service(scandir / "one")
        stage = Stage(tmp_path)
        assert harness.run(find(TOOL), ["-a", "scan"], b"", stage).code == 0
        wait_until((service / "supervise" / "status").exists, "the scan")
        wait_up(service)
        assert harness.run(find(TOOL), ["-t", "scan"], b"", stage).code == 0
        assert supervisor.wait(harness.DEADLINE_S) == 0
