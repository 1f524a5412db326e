"""The real programs for fifodirs, with our supervisor and our clients."""

import os
import signal
import stat
from pathlib import Path

import harness
from harness import Stage, finish, run, running, wait_until
from scanning import all_up, scanned
from supervising import make_service, record, status, subscribers
from supervisor.service.status import Status


def test_events_are_heard(tmp_path: Path) -> None:
    """What a service does, as somebody waits for who knows nothing of services."""
    service = make_service(tmp_path / "foo")
    listen = harness.oracle("s6-ftrig-listen1")
    with scanned(harness.ours("s6-svscan"), tmp_path):
        all_up(service)
        svc = harness.ours("s6-svc").argv
        words = ["-t", "20000", "event", "d.*D", *svc, "-d", "."]
        assert run(listen, words, b"", Stage(service)).code == 0
        assert status(service).pid == 0
        both = ["-t20000", "-o", "--", "event", "x", "event", "u", "", *svc, "-u", "."]
        several = harness.oracle("s6-ftrig-listen")
        assert run(several, both, b"", Stage(service)).code == 0
        assert status(service).up


def test_our_clients_hear_the_real_notifier(tmp_path: Path) -> None:
    """In a fifodir that the real program has made."""
    service = make_service(tmp_path / "foo")
    make = harness.oracle("s6-mkfifodir")
    assert run(make, ["event"], b"", Stage(service)).code == 0
    mode = (service / "event").stat().st_mode
    assert stat.S_IMODE(mode) == 0o1733
    record(service, Status(0, 0, 0, 0, 0))
    wait = harness.ours("s6-svwait")
    with running(wait, ["-U", "-t", "20000", "."], Stage(service)) as process:
        wait_until(lambda: bool(subscribers(service)), "a listener")
        notify = harness.oracle("s6-ftrig-notify")
        assert run(notify, ["event", "uU"], b"", Stage(service)).code == 0
        assert finish(process).code == 0


def test_our_listeners_are_left_alone_while_they_live(tmp_path: Path) -> None:
    """The real program cleans up after those that have died, and only those."""
    service = make_service(tmp_path / "foo")
    record(service, Status(0, 0, 0, 0, 0))
    wait, clean = harness.ours("s6-svwait"), harness.oracle("s6-cleanfifodir")
    with running(wait, ["-u", "."], Stage(service)) as process:
        wait_until(lambda: bool(subscribers(service)), "a listener")
        assert run(clean, ["event"], b"", Stage(service)).code == 0
        assert len(subscribers(service)) == 1
        process.send_signal(signal.SIGKILL)
        process.wait(harness.DEADLINE_S)
    with scanned(harness.ours("s6-svscan"), tmp_path):
        all_up(service)
        wait_until(
            lambda: not subscribers(service), "the dead listener to be forgotten"
        )
        assert os.listdir(service / "event") == []
