"""The nursery, seen from its supervisor: what a hung or dead one does, and does not."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import s6log
from harness import wait_until
from inside import drive, looping
from nurseries import PACKAGES, Installation, Service, service
from s6log.unix.loop import Loop
from s6log.unix.messages import Messages
from supervisor.service.spawner import Spawner
from supervisor.warm import folder, loggers
from supervisor.warm.demand import NotReady, Refused
from supervisor.warm.loggers import FAILURES, WarmLoggers
from watching import ended, facts

RUN = "#!/bin/sh\nexec s6-log ./main\n"
NAME = b"one/log"


class Rig:
    """A supervisor of one logger, without the rest of it: what has loggers made."""

    def __init__(self, loop: Loop, one: Service, installation: Installation) -> None:
        self.loop = loop
        self.said: list[bytes] = []
        self._one = one
        self._environment = installation.environment
        messages = Messages(b"test")
        messages.write = self.said.append
        self.warm = WarmLoggers(loop, messages, Spawner(), self._environment)
        loop.on_signal(signal.SIGCHLD, loop.reap_children)

    @property
    def tried(self) -> bool:
        """Tell whether loggers are not executed at once."""
        return self.warm.recognized(self._one.directory, NAME) is not None

    def ask(self) -> int:
        """Have the logger made; give its pid."""
        command = self.warm.recognized(self._one.directory, NAME)
        assert command is not None
        fds = self._one.descriptors
        return self.warm.start(command, self._one.directory, fds, self._environment)

    def begin(self) -> int:
        """Ask while there is no nursery; give the pid of the one that is started."""
        with pytest.raises(NotReady):
            self.ask()
        return self.warm.pid

    def made(self) -> int:
        """Ask until a logger is made, and give its pid."""
        pids: list[int] = []

        def asked() -> bool:
            try:
                pids.append(self.ask())
            except NotReady:
                return False
            return True

        drive(self.loop, asked, "the nursery to be ready")
        return pids[0]

    def end(self, pid: int) -> None:
        """Kill a child, and wait until its end has been dealt with."""
        os.kill(pid, signal.SIGKILL)
        self.reaped(pid)

    def reaped(self, pid: int) -> None:
        """Wait until a child is gone."""
        drive(self.loop, lambda: not facts(pid), f"the end of {pid}")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """Give a supervisor's part; whatever it had started ends."""
    installation = Installation(
        tmp_path / "prefix", Path(os.path.realpath("/proc/self/exe"))
    )
    # What supervises is this process: the logger must be of the same package.
    for package in PACKAGES:
        (link,) = installation.bin.parent.glob(f"lib/*/site-packages/{package}")
        link.unlink()
        link.symlink_to(Path(s6log.__file__).parent.parent / package)
    with looping() as loop, service(tmp_path / "one", RUN) as one:
        made = Rig(loop, one, installation)
        yield made
        made.warm.end()


def left_by(pid: int) -> list[str]:
    """Find the folders that a nursery rehearses in."""
    return [name for name in folder.names(pid) if Path(name).exists()]


def rehearsing(pid: int) -> None:
    """Wait until a nursery has made its folder, and stop it there."""
    wait_until(lambda: bool(left_by(pid)), "the rehearsal to begin")
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: facts(pid)["State"].startswith("T"), "it to stop")
    assert left_by(pid), "it was faster"


def test_one_that_hangs_is_replaced(rig: Rig) -> None:
    """At once; its death, of which we hear later, is not that of its successor."""
    for _ in range(FAILURES + 1):  # each obeys once, so that they are no row
        rig.end(rig.made())
        hung = rig.warm.pid
        os.kill(hung, signal.SIGSTOP)
        with pytest.raises(Refused):
            rig.ask()
        following = rig.begin()
        assert following != hung
        rig.reaped(hung)
        assert rig.warm.pid == following
        assert not ended(facts(following))
    rig.end(rig.made())
    assert rig.warm.pid == following
    assert len(rig.said) == FAILURES + 1
    assert all(b"unable to have a logger made; executing it" in one for one in rig.said)


def test_those_that_hang_one_after_the_other_are_no_longer_tried(rig: Rig) -> None:
    """Each counts once, when it is found to hang, and not again when it is dead."""
    for count in range(FAILURES):
        assert rig.tried, count
        pid = rig.begin()
        wait_until(lambda pid=pid: facts(pid)["Name"] == "s6-log-nursery", "readiness")  # type: ignore[misc]
        # READY is sent, and heard in some turn after this: stopped, it hangs.
        ask_until_refused(rig, pid)
        rig.reaped(pid)
    assert not rig.tried
    assert rig.said[-1] == (
        b"test: warning: the nursery of loggers dies: they are executed\n"
    )


def ask_until_refused(rig: Rig, pid: int) -> None:
    """Ask a nursery that hangs from when it is ready."""
    wait_until(lambda: facts(pid)["State"].startswith("S"), "it to wait for orders")
    os.kill(pid, signal.SIGSTOP)

    def refused() -> bool:
        try:
            rig.ask()
        except NotReady:
            return False
        except Refused:
            return True
        return False

    drive(rig.loop, refused, "the order to fail")


def test_those_that_die_before_they_are_ready_are_no_longer_tried(rig: Rig) -> None:
    """Each counts once, and leaves nothing."""
    for count in range(FAILURES):
        assert rig.tried, count
        pid = rig.begin()
        rehearsing(pid)
        rig.end(pid)
        assert rig.warm.pid == 0
        assert not left_by(pid)
    assert not rig.tried
    assert rig.said == [
        b"test: warning: the nursery of loggers dies: they are executed\n"
    ]


def test_one_that_never_becomes_ready_is_killed(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts once, leaves nothing, and its successor lives."""
    hung = rig.begin()
    rehearsing(hung)
    monkeypatch.setattr(loggers, "READY_NS", 0)
    with pytest.raises(Refused):
        rig.ask()
    monkeypatch.undo()
    following = rig.begin()
    rig.reaped(hung)
    assert not left_by(hung)
    assert rig.warm.pid == following
    rig.end(rig.made())
    assert rig.warm.pid == following


def test_one_that_dies_when_it_was_ready_has_not_failed(rig: Rig) -> None:
    """The next order starts another, as often as need be."""
    for _ in range(FAILURES + 1):
        rig.end(rig.made())
        rig.end(rig.warm.pid)
        assert rig.warm.pid == 0
    assert rig.tried
    assert rig.said == []


def test_one_that_is_ended_in_its_rehearsal_leaves_nothing(rig: Rig) -> None:
    """With its supervisor."""
    pid = rig.begin()
    rehearsing(pid)
    rig.warm.end()
    assert not left_by(pid)
    assert not facts(pid)
