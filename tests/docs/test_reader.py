"""The reader of the documentation: what he starts, sees, and leaves behind."""

from pathlib import Path

from pages import Block
from reader import Reader, environment, pids
from watching import ended, facts

SERVICE = Block(
    Path(__file__), 1, "sh", "scan/foo/run", "#!/bin/sh\nexec env -i sleep 1000"
)


def test_nothing_runs_on_when_the_page_ends(tmp_path: Path) -> None:
    """Not a supervisor, nor its keeper in /, nor what has no environment."""
    with Reader(tmp_path) as reader:
        reader.save(SERVICE)
        reader.run("s6-svscan scan &")
        shown = reader.look("s6-svstat -o up scan/foo", "true\n".__eq__)
        assert shown == (0, "true\n")
        mark = f"HOME={reader.home}".encode()
        assert len(readers_own(mark)) > 1
        service = int(reader.run("s6-svstat -p scan/foo")[1])
    assert readers_own(mark) == []
    assert ended(facts(service))


def readers_own(mark: bytes) -> list[str]:
    """List the processes that have a variable of the reader's."""
    return [pid for pid in pids() if mark in environment(int(pid))]


def test_background_output_is_not_seen_later(tmp_path: Path) -> None:
    """What is said late is not taken for what another command prints."""
    with Reader(tmp_path) as reader:
        assert reader.run("(sleep 0.05; echo late; echo >done) &") == (0, "")
        assert reader.look("cat done", "\n".__eq__) == (0, "\n")
        assert reader.run("echo mine") == (0, "mine\n")


def test_a_look_sees_what_is_there_a_moment_later(tmp_path: Path) -> None:
    """It looks again, also where there was nothing at first."""
    with Reader(tmp_path) as reader:
        reader.run("(sleep 0.1; echo here >file) &")
        assert reader.look("cat file", "here\n".__eq__) == (0, "here\n")
