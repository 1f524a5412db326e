"""The record of a service's process, as files that may be anything."""

import contextlib
import os
from pathlib import Path

import pytest

from supervisor.adoption.ledger import FILE, Ledger, recorded
from supervisor.adoption.record import Record, encode
from supervisor.service.directory import Directory
from supervisor.service.host import Streams

PLACE = "here/1"


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    """Give an open service directory."""
    (tmp_path / "supervise").mkdir()
    return Directory(os.open(tmp_path, os.O_PATH))


def test_a_fifo_in_its_place_stops_nobody(tmp_path: Path, directory: Directory) -> None:
    """Whoever looks for the pipes of a service, or for its process, goes on."""
    os.mkfifo(tmp_path / FILE)
    assert recorded(bytes(tmp_path), PLACE) is None
    assert Ledger(directory, PLACE, lambda *_: None).read() is None


def test_only_what_may_live_here_is_given(tmp_path: Path) -> None:
    """A record of another boot tells of nothing that could still have a pipe."""
    (tmp_path / "supervise").mkdir()
    (tmp_path / FILE).write_bytes(encode(Record(PLACE)))
    found = recorded(bytes(tmp_path), PLACE)
    assert found is not None
    assert found.place == PLACE
    assert recorded(bytes(tmp_path), "elsewhere/1") is None


def test_a_process_is_looked_for_when_its_time_is_not_known(
    directory: Directory, tmp_path: Path
) -> None:
    """A pid alone would be taken for that of a process that is gone."""
    warnings = []
    ledger = Ledger(directory, PLACE, lambda text, _: warnings.append(text))
    ledger.starting("run", Streams())
    before = (tmp_path / FILE).read_bytes()
    taken = []
    try:
        with contextlib.suppress(OSError):  # until there are no more
            while True:
                taken.append(os.dup(2))
        ledger.started(os.getpid())
    finally:
        for fd in taken:
            os.close(fd)
    assert warnings == [b"unable to read /proc/%d/stat" % os.getpid()]
    assert (tmp_path / FILE).read_bytes() == before
