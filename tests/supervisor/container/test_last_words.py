"""The end of a service's log: found by its run file, cut to lines."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.container.last_words import LINES, MOST_BYTES, last_lines

LOGGERS = (
    "#!/bin/sh\nexec s6-log -b n20 s1000000 T {}\n",
    "#!/bin/sh\nexec logutil-service {}\n",
    "#!/command/execlineb -P\ns6-setuidgid nobody s6-log t {}\n",
    "#!/bin/sh\nexec 2>&1\nexec s6-setuidgid nobody s6-log -b 'n3' '{}'\n",
    "#!/usr/bin/env s6-logscript\nn20 s1000000 T\n+error {}\n",
    "#!/bin/sh\n[ -d /x ] || mkdir /x\nexec svlogd -tt {}\n",
)


@pytest.mark.parametrize("script", LOGGERS)
@pytest.mark.parametrize("relative", [True, False])
def test_the_directory_is_in_the_run_file(
    tmp_path: Path, script: str, relative: bool
) -> None:
    """As a word, absolute or relative to that of the logger."""
    log, logdir = tmp_path / "web/log", tmp_path / "logs/web"
    log.mkdir(parents=True)
    logdir.mkdir(parents=True)
    (logdir / "current").write_text("line\n")
    (log / "run").write_text(script.format("../../logs/web" if relative else logdir))
    assert last_lines(bytes(log)) == [b"line\n"]


@pytest.mark.parametrize(
    "script", ["", "#!/bin/sh\nexec s6-log 1\n", "/etc ./x . ..\n"]
)
def test_there_may_be_none(tmp_path: Path, script: str) -> None:
    """Or no run file."""
    assert last_lines(bytes(tmp_path)) == []
    (tmp_path / "run").write_text(script)
    assert last_lines(bytes(tmp_path)) == []


def made(folder: Path) -> Path:
    """Make a logger with a log directory; give its `current`."""
    (folder / "main").mkdir(exist_ok=True)
    (folder / "run").write_text("#!/bin/sh\nexec s6-log ./main\n")
    return folder / "main/current"


@given(
    st.lists(st.binary(max_size=20).map(lambda b: b.replace(b"\n", b"")), max_size=50)
)
def test_the_last_lines(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    """Each with its newline, also the last one where it lacks it."""
    folder = tmp_path_factory.mktemp("log")
    current = made(folder)
    current.write_bytes(b"".join(line + b"\n" for line in lines))
    wanted = [line + b"\n" for line in lines[-LINES:]]
    assert last_lines(bytes(folder)) == wanted
    if lines and lines[-1]:
        current.write_bytes(current.read_bytes().removesuffix(b"\n"))
        assert last_lines(bytes(folder)) == wanted


def test_long_lines_are_not_all_read(tmp_path: Path) -> None:
    """A line that was cut at its start is left out, unless there is no other."""
    current = made(tmp_path)
    current.write_bytes(b"x" * 100_000 + b"\nlast\n")
    assert last_lines(bytes(tmp_path)) == [b"last\n"]
    current.write_bytes(b"x" * 100_000 + b"\n")
    (line,) = last_lines(bytes(tmp_path))
    assert len(line) == MOST_BYTES


def test_nobody_leads_us_astray(tmp_path: Path) -> None:
    """By a link, another name of a file, or a FIFO that nobody writes to."""
    current = made(tmp_path)
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    current.symlink_to(secret)
    assert last_lines(bytes(tmp_path)) == []
    current.unlink()
    current.hardlink_to(secret)
    assert last_lines(bytes(tmp_path)) == []
    current.unlink()
    os.mkfifo(current)
    assert last_lines(bytes(tmp_path)) == []
    (tmp_path / "run").unlink()
    os.mkfifo(tmp_path / "run")
    assert last_lines(bytes(tmp_path)) == []
