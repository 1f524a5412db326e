"""event/ as a supervisor uses it, where listeners may not mean well."""

import os
from pathlib import Path

from supervising import FIFO, Ear, notify, subscribers


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Or whoever may listen could have letters written into any control FIFO."""
    (tmp_path / "event").mkdir()
    victim = tmp_path / "control"
    os.mkfifo(victim)
    fd = os.open(victim, os.O_RDWR | os.O_NONBLOCK)
    (tmp_path / "event" / (FIFO % 1)).symlink_to(victim)
    with Ear(tmp_path) as ear:
        notify(tmp_path, b"d")
        assert ear.listen() == b"d"
    try:
        assert not os.read(fd, 10)
    except BlockingIOError:
        pass
    finally:
        os.close(fd)


def test_a_listener_that_has_gone_is_forgotten(tmp_path: Path) -> None:
    """At the next event; files that are no FIFOs are left as they are."""
    (tmp_path / "event").mkdir()
    os.mkfifo(tmp_path / "event" / (FIFO % 1))
    file = tmp_path / "event" / (FIFO % 2)
    file.write_bytes(b"text")
    notify(tmp_path, b"u")
    assert subscribers(tmp_path) == [file]
    assert file.read_bytes() == b"text"
