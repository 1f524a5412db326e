"""The end of a service's log: found by its run file, cut to lines."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.container.last_words import LINES, find_current, last_lines

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
    assert Path(find_current(bytes(log)).decode()).read_text() == "line\n"


@pytest.mark.parametrize(
    "script", ["", "#!/bin/sh\nexec s6-log 1\n", "/etc ./x . ..\n"]
)
def test_there_may_be_none(tmp_path: Path, script: str) -> None:
    """Or no run file."""
    assert find_current(bytes(tmp_path)) == b""
    (tmp_path / "run").write_text(script)
    assert find_current(bytes(tmp_path)) == b""


@given(
    st.lists(st.binary(max_size=20).map(lambda b: b.replace(b"\n", b"")), max_size=50)
)
def test_the_last_lines(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    """Each with its newline, also the last one where it lacks it."""
    path = tmp_path_factory.mktemp("log") / "current"
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    wanted = [line + b"\n" for line in lines[-LINES:]]
    assert last_lines(bytes(path)) == wanted
    if lines and lines[-1]:
        path.write_bytes(path.read_bytes().removesuffix(b"\n"))
        assert last_lines(bytes(path)) == wanted


def test_long_lines_are_not_all_read(tmp_path: Path) -> None:
    """A line that was cut at its start is left out, unless there is no other."""
    path = tmp_path / "current"
    path.write_bytes(b"x" * 100_000 + b"\nlast\n")
    assert last_lines(bytes(path)) == [b"last\n"]
    path.write_bytes(b"x" * 100_000 + b"\n")
    (line,) = last_lines(bytes(path))
    assert len(line) == 1 << 16
