"""halt: the container stops, or it is another system's business.

The system's own halt is covered by a file in a mount namespace, in every test.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

import harness
from chains import become, behind, without_launcher
from contained import UNSHARE, fill, needs_mounts
from harness import Outcome, Stage
from supervising import control, received, svscan
from supervisor.container.halt import others

LAUNCHER = harness.LAUNCHER.parent / "bin" / "halt"
SYSTEM = """
mount --bind "$0" /run || exit 99
if [ -e /sbin/halt ]; then
    mount --bind "$1" "$(readlink -f /sbin/halt)" || exit 99
fi
export PATH="$2"
shift 2
exec "$@"
"""
TELL = '#!/bin/sh\necho system "$0" "$@"\n'

pytestmark = needs_mounts


class System:
    """A /run, a /sbin/halt, and two folders to be on the PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = folder / "run"
        self.run.mkdir()
        self.halt = folder / "system-halt"
        self.halt.write_text(TELL)
        self.first, self.second = folder / "first", folder / "second"
        self.first.mkdir()
        self.second.mkdir()

    def contain(self) -> Path:
        """Make it a container of ours; give its scan directory."""
        fill(self.run, {})
        (self.run / "service").mkdir()
        return self.run / "service"

    def program(self, folder: Path, text: str = TELL) -> None:
        """Put a halt somewhere."""
        (folder / "halt").write_text(text)
        (folder / "halt").chmod(0o755)

    def order(self, *words: str) -> Outcome:
        """Run halt."""
        path = f"{self.first}:/nowhere::{self.second}"
        start = (*UNSHARE, SYSTEM, str(self.run), str(self.halt), path)
        program = behind(start, without_launcher("halt"))
        return become(program, words, Stage(self.folder))


@pytest.fixture
def system(tmp_path: Path) -> System:
    """Make one that is no container."""
    return System(tmp_path)


@pytest.mark.parametrize("words", [(), ("-h", "now"), ("-p",), ("--force",)])
def test_the_supervisor_gets_the_order(words: Sequence[str], system: System) -> None:
    """Whatever the arguments."""
    with control(system.contain(), ".s6-svscan") as fd:
        told = system.order(*words)
        assert (told.code, told.out, told.err) == (0, b"", b"")
        assert received(fd) == b"t"


def test_the_container_stops(system: System) -> None:
    """As with s6-svscanctl -t."""
    with svscan(harness.ours("s6-svscan"), system.contain()) as process:
        assert system.order("-h", "now").code == 0
        assert process.wait(harness.DEADLINE_S) == 0
        told = system.order()
    assert told.code == 111
    assert told.err == (
        b"halt: fatal: unable to control /run/service: supervisor not listening\n"
    )


@pytest.mark.parametrize("missing", ["service", "s6/container_environment", "s6"])
def test_elsewhere_it_is_the_halt_of_that_system(missing: str, system: System) -> None:
    """The next one on the PATH that is not ours, with the same arguments."""
    system.contain()
    shutil.rmtree(system.run / missing)
    shutil.copy(LAUNCHER, system.first / "halt")
    system.program(system.second)
    told = system.order("-p", "a b")
    assert (told.code, told.err) == (0, b"")
    assert told.out == f"system {system.second}/halt -p a b\n".encode()


def test_it_may_be_on_nobodys_path(system: System) -> None:
    """It is looked for in /sbin, too."""
    if not Path("/sbin/halt").exists():
        pytest.skip("this system has no /sbin/halt to be covered")
    system.halt.chmod(0o755)
    assert system.order("-p").out == b"system /sbin/halt -p\n"


def test_there_may_be_none(system: System) -> None:
    """Then it says what is missing."""
    (system.first / "halt").write_text(TELL)
    told = system.order()
    assert (told.code, told.out) == (111, b"")
    assert told.err == (
        b"halt: fatal: no s6-init runs here:"
        b" there is no /run/s6/container_environment\n"
    )


def test_help_stops_nothing(system: System) -> None:
    """Nor does --version."""
    with control(system.contain(), ".s6-svscan") as fd:
        assert system.order("--help").out.startswith(b"usage: halt ")
        assert system.order("--version").out.startswith(b"halt ")
        assert received(fd) == b""


def test_ours_is_known_wherever_it_is(system: System) -> None:
    """Copied, or linked to under another name."""
    shutil.copy(LAUNCHER, system.first / "halt")
    (system.second / "halt").symlink_to(LAUNCHER.with_name("s6-log"))
    third = system.folder / "third"
    (third / "halt").mkdir(parents=True)
    folders = [os.fsencode(f) for f in (system.first, third, system.second)]
    assert list(others(folders)) == []
    (system.second / "halt").unlink()
    system.program(system.second)
    assert list(others(folders)) == [os.fsencode(system.second / "halt")]
