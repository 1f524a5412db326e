"""s6-envdir: variables from the files of a directory."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import harness
from chains import VARIABLES, agree, become, variables
from harness import Stage

TOOL = "s6-envdir"

NAMES = st.text("AB_9=. \xff", min_size=1, max_size=4).filter(
    lambda name: name not in (".", "..")
)
PIECES = st.sampled_from(
    [b"", b"a", b"=", b"\n", b"\0", b" ", b"\t", b"\r", b"\x0b", b"\xff", b"x" * 4090]
)
CONTENTS = st.lists(PIECES, max_size=8).map(b"".join)
FILES = st.dictionaries(NAMES.map(lambda name: name.encode("latin-1")), CONTENTS)
FLAGS = st.sets(st.sampled_from(["-n", "-f", "-L", "-I", "-i", "-c/", "-cxy"]))


def fill(folder: bytes, files: dict[bytes, bytes]) -> None:
    """Write files."""
    os.mkdir(folder)
    for name, content in files.items():
        with open(folder + b"/" + name, "wb") as file:
            file.write(content)


def has_bug(flags: set[str], content: bytes) -> bool:
    """Tell whether s6 loses the value: with -L, the only line has no newline."""
    return "-L" in flags and not flags & {"-n", "-f"} and b"\n" not in content


@given(FILES, FLAGS)
def test_the_environment_is_that_of_s6(
    files: dict[bytes, bytes], flags: set[str]
) -> None:
    """For any files and options, but for the lines that s6 loses."""
    kept = {name: text for name, text in files.items() if not has_bug(flags, text)}
    with tempfile.TemporaryDirectory() as scratch:
        fill(os.fsencode(scratch) + b"/env", kept)
        stage = Stage(Path(scratch), env={"A": "old", "B": "old", "_": "old"})
        agree(TOOL, [*sorted(flags), "env", *VARIABLES], stage, variables)


@pytest.mark.parametrize(
    ("flags", "content", "value"),
    [
        ("-L", b"value", b"value"),
        ("-L", b"value \t\r", b"value"),
        ("-L", b" ", b""),
        ("-Ln", b"value ", b"value "),
        ("-L", b"x" * 9000 + b" ", b"x" * 9000),
        ("-L", b"x" * 9000 + b" \ny", b"x" * 9000),
        ("-Lf", b"x\n" * 9000, b"x\n" * 8999 + b"x"),
        ("-Lfn", b"x\n" * 9000, b"x\n" * 9000),
        ("-i", b"x" * 9000, b"x" * 4095),
        ("-f", b"x\n" * 9000, b"x\n" * 2047 + b"x"),
        ("-i", b"\n", b""),
        ("-i", b"a\0b\n", b"a\nb"),
        ("-c-+", b"a\0b\n", b"a-b"),
        ("-i", b"", None),
    ],
)
def test_a_value_is_what_the_options_make_of_a_file(
    flags: str, content: bytes, value: bytes | None, tmp_path: Path
) -> None:
    """A line without a newline is a line, with -L too."""
    fill(os.fsencode(tmp_path) + b"/env", {b"A": content})
    stage = Stage(tmp_path, env={"A": "old"})
    told = become(harness.ours(TOOL), [flags, "env", *VARIABLES], stage)
    assert told.code == 0
    found = {line[2:] for line in variables(told.out) if line.startswith(b"A=")}
    assert found == (set() if value is None else {value})


@pytest.mark.parametrize("flags", [[], ["-I"], ["-i"], ["-Ii"], ["-iI"]])
@pytest.mark.parametrize(
    "directory", ["nowhere", "", "file", "file/env", "folders", "links", "loops"]
)
def test_what_cannot_be_read_is_an_error(
    flags: list[str], directory: str, tmp_path: Path
) -> None:
    """But with -I a directory that is missing, which changes nothing."""
    (tmp_path / "file").write_text("")
    (tmp_path / "folders/A").mkdir(parents=True)
    (tmp_path / "links").mkdir()
    (tmp_path / "links/A").symlink_to("nowhere")
    (tmp_path / "loops").mkdir()
    (tmp_path / "loops/A").symlink_to("A")
    words = [*flags, directory, *VARIABLES]
    told = agree(TOOL, words, Stage(tmp_path), variables)
    loose = (["-I"], ["-iI"])
    assert (told.code == 0) is (flags in loose and directory in ("nowhere", ""))


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["env"],
        ["-n", "env"],
        ["-Z", "env", "true"],
        ["-c"],
        ["-c", "", "env", "true"],
        ["-I", "-c", "", "env", "true"],
        ["env", "no-such-program"],
        ["--", "env", "true"],
    ],
)
def test_mistakes_are_told_as_in_s6(words: list[str], tmp_path: Path) -> None:
    """Usage, a null character that cannot be, a program that is not there."""
    (tmp_path / "env").mkdir()
    agree(TOOL, words, Stage(tmp_path))


def test_the_program_is_found_by_the_path_that_was(tmp_path: Path) -> None:
    """The directory's PATH is for the program, not for finding it."""
    fill(os.fsencode(tmp_path) + b"/env", {b"PATH": b"/nowhere\n"})
    told = agree(TOOL, ["env", "printenv", "PATH"], Stage(tmp_path))
    assert told.out == b"/nowhere\n"
