"""A nursery without orders is let go, and comes back when it is needed."""

import os
from pathlib import Path

import harness
from harness import Program, wait_until
from nurseries import Installation, python
from scanning import all_up, logged, scanned
from supervising import status, tell, wait_up
from watching import children, facts

RUN = """
import os, sys
from supervisor.scan.cli import main
from supervisor.warm import loggers

loggers.REST_MS = 100
os.environb[b"PATH"] = os.fsencode(sys.argv.pop(1))
os._exit(main([os.fsencode(word) for word in sys.argv[1:]]))
"""
TIMES = 4  # more than nurseries may die before loggers are executed


def impatient(installation: Installation) -> Program:
    """Give an s6-svscan whose nursery rests after a tenth of a second."""
    site = next(installation.bin.parent.glob("lib/*/site-packages"))
    start = f"import sys; sys.path.append({str(site)!r})\n{RUN}"
    argv = (str(installation.python), *harness.PYTHON[1:], "-c", start)
    return Program("impatient", (*argv, os.fsdecode(installation.environment[b"PATH"])))


def nursery_of(scanner: int) -> list[int]:
    """Find the nursery of a supervisor."""
    below = children(scanner)
    return [pid for pid in below if facts(pid).get("Name") == "s6-log-nursery"]


def test_it_rests_and_comes_back(tmp_path: Path) -> None:
    """As often as needed; the loggers that it made stay, and are warm each time."""
    installation = Installation(tmp_path / "prefix", python())
    scandir = tmp_path / "scan"
    scandir.mkdir()
    service = logged(scandir, "foo", "exec sleep 1000", "exec s6-log ./main")
    log = service / "log"
    with scanned(impatient(installation), scandir) as process:
        all_up(service)
        pid = status(log).pid
        for _ in range(TIMES):
            wait_until(lambda: not nursery_of(process.pid), "the end of the nursery")
            assert status(log).pid == pid
            cmdline = Path(f"/proc/{pid}/cmdline").read_bytes()
            assert cmdline.rstrip(b"\0") == b"s6-log\0./main"
            tell(log, b"r")
            pid = wait_up(log, other_than=pid)
