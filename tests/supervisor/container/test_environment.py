"""The container's variables on file: what is written can be read, by s6 too."""

import os
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import harness
from chains import VARIABLES, become, variables
from harness import Stage
from supervisor.container.environment import (
    contained,
    keeps,
    read,
    read_file,
    variable,
    write,
)

NAMES = st.binary(min_size=1, max_size=5).filter(
    lambda name: not set(name) & set(b"=/\0") and not name.startswith(b".")
)
VALUES = st.lists(
    st.sampled_from([b"", b"a", b"\n", b"=", b" ", b"\xff", b"\x01"])
).map(b"".join)
DEFAULT = {b"PATH": b"/bin", b"S6_SERVICE": b"foo", b"HOME": b"/root"}


@pytest.fixture
def folder(tmp_path: Path) -> bytes:
    """Give the name of a directory that is not there yet."""
    return os.fsencode(tmp_path / "run" / "env")


def put(folder: bytes, **files: bytes) -> None:
    """Write files, as a script would."""
    os.makedirs(folder, exist_ok=True)
    for name, content in files.items():
        (Path(os.fsdecode(folder)) / name).write_bytes(content)


@given(st.dictionaries(NAMES, VALUES))
def test_what_is_written_can_be_read(environment: dict[bytes, bytes]) -> None:
    """Any bytes, newlines at the end included; and nothing is removed."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = os.fsencode(scratch)
        assert write(folder, environment) == []
        assert read(folder) == environment
        for name, value in environment.items():
            assert variable({}, name, folder) == value


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_s6_reads_the_same(environment: dict[bytes, bytes]) -> None:
    """With s6-envdir -f, which is what s6-overlay reads the directory with."""
    real = harness.oracle("s6-envdir")
    with tempfile.TemporaryDirectory() as scratch:
        folder = os.fsencode(scratch) + b"/env"
        write(folder, environment)
        told = become(real, ["-f", folder, *VARIABLES], Stage(Path(scratch)))
        assert told.code == 0
        found = variables(told.out) - {b""}
        given = {name.encode(): v.encode() for name, v in harness.ENVIRONMENT.items()}
        merged = {**given, **environment}
        assert found == {name + b"=" + value for name, value in merged.items()}


def test_a_large_value_stays_whole(folder: bytes) -> None:
    """There is no limit but the kernel's."""
    value = b"x\n" * 50_000
    write(folder, {b"LARGE": value})
    assert read(folder) == {b"LARGE": value}


def test_what_no_file_can_be_called_is_told(folder: bytes) -> None:
    """And left out; the others are written."""
    names = [b"a/b", b"", b".", b"..", b".hidden", b"x" * 256, b"a=b"]
    environment = {**dict.fromkeys(names, b"v"), b"A": b"a"}
    assert write(folder, environment) == names
    assert os.listdir(folder) == [b"A"]


def test_modes_do_not_depend_on_the_umask(folder: bytes) -> None:
    """Everybody may read, and nobody else may write."""
    put(folder, A=b"old and longer")
    os.chmod(folder, 0o700)
    os.chmod(folder + b"/A", 0o600)
    before = os.umask(0o077)
    try:
        write(folder, {b"A": b"new", b"B": b"b"})
    finally:
        os.umask(before)
    modes = [os.stat(folder + name).st_mode for name in (b"", b"/A", b"/B")]
    assert [stat.S_IMODE(mode) for mode in modes] == [0o755, 0o644, 0o644]
    assert read(folder) == {b"A": b"new", b"B": b"b"}


def test_other_files_stay(folder: bytes) -> None:
    """Nobody is asked about them."""
    put(folder, OTHER=b"x")
    write(folder, {b"A": b"a"})
    assert read(folder) == {b"A": b"a", b"OTHER": b"x"}


def test_a_directory_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """Which names it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        write(os.fsencode(tmp_path / "file" / "env"), {})


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"v", b"v"),
        (b"v\n", b"v"),
        (b"v\n\n", b"v\n"),
        (b"\n", b""),
        (b"", None),
        (b" v \r\n", b" v \r"),
        (b"one\ntwo\n", b"one\ntwo"),
        (b"a\0b", b"a\nb"),
    ],
)
def test_a_file_has_a_value(content: bytes, value: bytes | None, folder: bytes) -> None:
    """All of it but a newline at the end; or the variable is removed."""
    put(folder, A=content)
    assert read_file(folder + b"/A") == value
    assert read(folder) == {b"A": value}


def test_some_files_are_no_variables(folder: bytes) -> None:
    """Whatever is in them."""
    put(folder, **{".hidden": b"x", "a=b": b"x", "A": b"a"})
    os.mkfifo(folder + b"/.fifo")
    assert read(folder) == {b"A": b"a"}
    assert variable({}, b".hidden", folder) is None
    assert variable({}, b"a=b", folder) is None


def test_a_directory_among_them_is_an_error(folder: bytes) -> None:
    """Rather than a variable less: and it says which."""
    put(folder, A=b"a")
    os.mkdir(folder + b"/B")
    with pytest.raises(IsADirectoryError) as raised:
        read(folder)
    assert raised.value.filename == folder + b"/B"


def test_a_process_has_what_is_on_file(folder: bytes) -> None:
    """With its own PATH where there is no other, and the name of its service."""
    put(folder, A=b"a", HOME=b"/home", S6_SERVICE=b"no", LANG=b"")
    wanted = {b"PATH": b"/bin", b"S6_SERVICE": b"foo", b"A": b"a", b"HOME": b"/home"}
    assert contained({**DEFAULT, b"LANG": b"C"}, folder) == wanted
    put(folder, PATH=b"/command")
    assert contained(DEFAULT, folder)[b"PATH"] == b"/command"
    put(folder, PATH=b"")
    assert b"PATH" not in contained(DEFAULT, folder)
    del wanted[b"PATH"]
    assert contained({}, folder) == {**wanted, b"S6_SERVICE": b"no"}


@pytest.mark.parametrize(
    ("number", "kept"),
    [
        *(("1", True), ("02", True), ("9" * 5000, True), ("0", False)),
        *(("00", False), ("", False), ("yes", False), ("1x", False), ("-1", False)),
    ],
)
def test_all_may_be_kept(number: str, kept: bool, folder: bytes) -> None:
    """If S6_KEEP_ENV is a number other than 0."""
    own = {b"S6_KEEP_ENV": number.encode(), b"A": b"own"}
    put(folder, A=b"file")
    assert keeps(own) is kept
    assert contained(own, folder)[b"A"] == (b"own" if kept else b"file")
    assert variable(own, b"A", folder) == (b"own" if kept else b"file")


@pytest.mark.parametrize("name", ["NONE", "REMOVED", "../env/A", "x" * 300, ""])
def test_there_is_no_such_variable(name: str, folder: bytes) -> None:
    """Not in any way."""
    put(folder, A=b"a", REMOVED=b"")
    assert variable({}, name.encode(), folder) is None


def test_no_directory_no_variable(folder: bytes) -> None:
    """One can be asked for; all of them are an error."""
    assert variable({}, b"A", folder) is None
    with pytest.raises(FileNotFoundError):
        contained({}, folder)
