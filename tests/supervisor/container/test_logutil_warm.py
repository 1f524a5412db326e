"""A log/run of logutil-service under s6-svscan: made, with the script of the moment."""

import os
import pwd
from pathlib import Path

import watching
from chains import behind
from contained import fill, needs_mounts, within
from harness import Program, wait_until
from nurseries import Installation, open_to_all, python
from supervising import make_service, status, svscan, tell, wait_up

RUN = "exec logutil-service {logdir}"
SERVICE = "echo line; exec sleep 1000"


def command_line(pid: int) -> bytes:
    """Give the words that a process shows, with blanks between them."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ")


def logged(logdir: Path) -> bytes:
    """Read what has been logged."""
    current = logdir / "current"
    return current.read_bytes() if current.exists() else b""


@needs_mounts
def test_it_is_made_and_follows_the_variable(tmp_path: Path) -> None:
    """Whatever the file holds when the logger starts, as were it executed."""
    open_to_all(tmp_path)
    run, logdir = tmp_path / "run", tmp_path / "logs" / "foo"
    variable = fill(run, {"S6_LOGGING_SCRIPT": b"n5 s4096"}) / "S6_LOGGING_SCRIPT"
    installation = Installation(tmp_path / "prefix", python())
    scandir = tmp_path / "scan"
    log = scandir / "foo" / "log"
    make_service(scandir / "foo", SERVICE)
    make_service(log, RUN.format(logdir=logdir))
    path = os.fsdecode(installation.environment[b"PATH"])
    ours = Program("ours", (str(installation.bin / "s6-svscan"),))
    with svscan(within(run, behind(("env", f"PATH={path}"), ours)), scandir):
        pid = wait_up(log)
        words = f"s6-log -b -- n5 s4096 {logdir}".encode()
        wait_until(lambda: command_line(pid) == words, "the logger to be made")
        wait_until(lambda: logged(logdir) == b"line\n", "the line to be logged")
        nobody = pwd.getpwnam("nobody")
        assert watching.facts(pid)["Uid"].split()[0] == str(nobody.pw_uid)
        assert logdir.stat().st_uid == nobody.pw_uid
        variable.write_text("n7 t\n")
        tell(log, b"r")
        pid = wait_up(log, pid)
        words = f"s6-log -b -- n7 t {logdir}".encode()
        wait_until(lambda: command_line(pid) == words, "the logger to be made anew")
        assert status(log).pid == pid
