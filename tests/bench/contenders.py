"""The supervisors that are compared, and how one talks to each.

All run the same scripts; where a supervisor keeps logs itself instead of feeding
a logger (supervisord), it is told to keep as much.
"""

import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SLEEP = "exec sleep 100000"
LOG = "exec s6-log n3 s100000 ./main"
SERVICE, LOGGER = "sleep", "s6-log"
"""What the processes of a service and its logger are called, whoever runs them."""

SYSTEM = "/usr/bin:/bin"
FINISHING = 2
RUNNING = b"\1"
ENTRIES = 2
"""A logged service counts as two where services and loggers are counted."""

SUPERVISORD = """\
[supervisord]
nodaemon=true
logfile=/dev/null
logfile_maxbytes=0
pidfile=supervisord.pid
minfds=10000
"""
PROGRAM = """
[program:{name}]
command=%(here)s/{name}/run
directory={name}
startsecs=1
redirect_stderr=true
stdout_logfile={name}/main
stdout_logfile_maxbytes=100000
stdout_logfile_backups=3
"""


@dataclass(frozen=True)
class Services:
    """Services that all have the same scripts.

    `{ready}` in `run` stands for what tells a supervisor that the service is.
    """

    names: tuple[str, ...]
    run: str = SLEEP
    log: str | None = LOG


@dataclass(frozen=True)
class Form:
    """What a supervisor reads, how it tells that a service is up, what stops it.

    `log` is the file that a service's logger, or who stands in for it, opens first.
    """

    make: Callable[[Path, Services], None]
    is_up: Callable[[Path], bool]
    log: str
    stop: signal.Signals


@dataclass(frozen=True)
class Contender:
    """One way to run services; `argv` is run in the directory that holds them."""

    name: str
    argv: tuple[str, ...]
    form: Form
    path: str = SYSTEM

    @property
    def exists(self) -> bool:
        """Tell whether the program is installed."""
        return shutil.which(self.argv[0]) is not None


def script(file: Path, text: str) -> None:
    """Write an executable script."""
    file.parent.mkdir(parents=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def directories(tree: Path, services: Services, ready: str) -> None:
    """Write service directories, as s6 and runit have them."""
    for name in services.names:
        script(tree / name / "run", services.run.format(ready=ready))
        if services.log is not None:
            script(tree / name / "log" / "run", services.log)


def s6_directories(tree: Path, services: Services) -> None:
    """Write service directories, with a descriptor for those that tell of readiness."""
    directories(tree, services, "echo >&3")
    if "{ready}" in services.run:
        for name in services.names:
            (tree / name / "notification-fd").write_text("3\n")


def runit_directories(tree: Path, services: Services) -> None:
    """Write service directories; runit knows no readiness."""
    directories(tree, services, ":")


def configuration(tree: Path, services: Services) -> None:
    """Write scripts and supervisord.conf; supervisord itself writes the logs."""
    directories(tree, Services(services.names, services.run, None), ":")
    programs = (PROGRAM.format(name=name) for name in services.names)
    (tree / "supervisord.conf").write_text(SUPERVISORD + "".join(programs))


def statuses(service: Path) -> list[bytes]:
    """Read the status of a service, and of its logger; empty when there is none."""
    files = [
        directory / "supervise" / "status"
        for directory in (service, service / "log")
        if directory.exists()
    ]
    return [file.read_bytes() if file.exists() else b"" for file in files]


def s6_is_up(service: Path) -> bool:
    """Look for pids that are not those of `finish` (layout: supervisor's status)."""
    return all(
        any(status[24:32]) and not status[34] & FINISHING
        for status in statuses(service)
    )


def runit_is_up(service: Path) -> bool:
    """Look at what runs: the last byte of runsv's 20 (runit, sv.c)."""
    return all(status[19:] == RUNNING for status in statuses(service))


def supervisord_is_up(service: Path) -> bool:
    """Look for the log, which is opened just before the service is started."""
    return (service / "main").exists()


S6 = Form(s6_directories, s6_is_up, "log/main/current", signal.SIGTERM)
RUNIT = Form(runit_directories, runit_is_up, "log/main/current", signal.SIGHUP)
SUPERVISOR = Form(configuration, supervisord_is_up, "main", signal.SIGTERM)

REAL = "s6"
OUR_SUPERVISOR, EXECUTED, OURS = "ours, C s6-log", "ours, executed", "ours"
SUPERVISORS = (REAL, OURS, "runit", "supervisord")
"""Those that differ when there are no loggers."""


def contenders(programs: Path, services: int) -> tuple[Contender, ...]:
    """Give them in the order of the table's columns; `programs` is where ours are."""
    path = f"{programs}:{SYSTEM}"
    ours = str(programs / "s6-svscan")
    most = ("-c", str(max(services, ENTRIES)), ".")
    return (
        Contender(REAL, ("/usr/bin/s6-svscan", *most), S6),
        Contender(OUR_SUPERVISOR, (ours, *most), S6),
        Contender(EXECUTED, (ours, "--no-warm", *most), S6, path),
        Contender(OURS, (ours, *most), S6, path),
        Contender("runit", ("/usr/bin/runsvdir", "."), RUNIT),
        Contender(
            "supervisord",
            ("/usr/bin/supervisord", "-c", "supervisord.conf"),
            SUPERVISOR,
        ),
    )
