"""Copies of service directories: modes, links, owners, and what stays behind."""

import os
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.container.copying import copy_tree, remove_tree
from trees import listing

MODES = st.sampled_from([0o600, 0o644, 0o755, 0o4755, 0o400])
NAMES = st.text("abcé .", min_size=1, max_size=6).filter(lambda n: n.strip("."))
Files = dict[str, tuple[bytes, int]]
FILES = st.dictionaries(NAMES, st.tuples(st.binary(max_size=50), MODES), max_size=5)


def copied(source: Path, target: Path, runs_here: bool = True) -> Path:
    """Copy a tree."""
    copy_tree(bytes(source), bytes(target), runs_here)
    return target


@given(FILES, FILES)
def test_a_copy_is_the_same(files: Files, below: Files) -> None:
    """Names, contents and modes, and the copy can be removed again."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        (source / "data").mkdir(parents=True, mode=0o750)
        for place, content in ((source, files), (source / "data", below)):
            for name, (text, mode) in content.items():
                if name != "data":
                    (place / name).write_bytes(text)
                    (place / name).chmod(mode)
        target = copied(source, Path(folder) / "target")
        assert listing(target) == listing(source)
        remove_tree(bytes(target))
        assert not target.exists()


def test_what_a_supervisor_left_stays_behind(tmp_path: Path) -> None:
    """A copy has never been supervised."""
    service = tmp_path / "web"
    for name in ("supervise", "event", "log/supervise", "data"):
        (service / name).mkdir(parents=True)
    target = copied(service, tmp_path / "copy")
    assert sorted(path.name for path in target.rglob("*")) == ["data", "log"]


def test_links_lead_where_they_led(tmp_path: Path) -> None:
    """Within the service to the copy; out of it to the same place."""
    service = tmp_path / "a" / "web"
    (service / "log").mkdir(parents=True)
    (tmp_path / "a/common").write_text("common")
    (service / "real").write_text("real")
    (service / "run").symlink_to("real")
    (service / "log/run").symlink_to("../../common")
    (service / "finish").symlink_to("/bin/true")
    (service / "dangling").symlink_to("nowhere")
    target = copied(service, tmp_path / "b")
    assert os.readlink(target / "run") == "real"
    assert (target / "run").resolve() == target / "real"
    assert (target / "log/run").read_text() == "common"
    assert os.readlink(target / "finish") == "/bin/true"
    assert os.readlink(target / "dangling") == "nowhere"


def test_programs_stay_where_they_can_be_executed(tmp_path: Path) -> None:
    """On a file system without exec a copy would be of no use."""
    service = tmp_path / "web"
    service.mkdir()
    (service / "run").write_text("#!/bin/sh\n")
    (service / "run").chmod(0o755)
    (service / "notification-fd").write_text("3\n")
    target = copied(service, tmp_path / "copy", runs_here=False)
    assert os.readlink(target / "run") == str(service / "run")
    assert not (target / "notification-fd").is_symlink()


def test_other_kinds_of_files(tmp_path: Path) -> None:
    """A FIFO is made anew; a socket means nothing elsewhere."""
    service = tmp_path / "web"
    service.mkdir()
    os.mkfifo(service / "fifo", 0o622)
    target = copied(service, tmp_path / "copy")
    mode = (target / "fifo").stat().st_mode
    assert stat.S_ISFIFO(mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_owners_stay(tmp_path: Path) -> None:
    """With bits that a change of owner takes away."""
    service = tmp_path / "web"
    service.mkdir()
    (service / "data").write_text("")
    os.chown(service / "data", 1234, 5678)
    (service / "data").chmod(0o4711)
    found = (copied(service, tmp_path / "copy") / "data").stat()
    assert (found.st_uid, found.st_gid) == (1234, 5678)
    assert stat.S_IMODE(found.st_mode) == 0o4711


def test_removing_nothing(tmp_path: Path) -> None:
    """Is done."""
    remove_tree(bytes(tmp_path / "nothing"))
    (tmp_path / "link").symlink_to(tmp_path / "target")
    (tmp_path / "target").mkdir()
    remove_tree(bytes(tmp_path / "link"))
    assert [path.name for path in tmp_path.iterdir()] == ["target"]
