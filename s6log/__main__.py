"""Every program behind one door: `python3 -m s6log PROGRAM ARGUMENTS...`.

Knows which module each program is, and makes the process what a C program of
that name would be: its name, signals and environment. What a program does is in
its own module, imported only when that program is asked for.
"""

import os
import sys

from s6log.unix.messages import BUG, REFUSED, Fatal, Messages
from s6log.unix.signals import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

PROGRAMS = {
    "s6-log": "s6log.cli",
    "s6-logscript": "s6log.logscript",
    "s6-tai64n": "s6log.filters.stamp",
    "s6-tai64nlocal": "s6log.filters.localtime",
    "s6-svscan": "supervisor.scan.cli",
    "s6-supervise": "supervisor.service.cli",
    "s6-svc": "supervisor.clients.svc",
    "s6-svstat": "supervisor.clients.svstat",
    "s6-svok": "supervisor.clients.svok",
    "s6-svwait": "supervisor.clients.svwait",
    "s6-svlisten": "supervisor.clients.svlisten",
    "s6-svlisten1": "supervisor.clients.svlisten1",
    "s6-svscanctl": "supervisor.clients.svscanctl",
    "s6-svdt": "supervisor.clients.svdt",
    "s6-svdt-clear": "supervisor.clients.svdt_clear",
    "s6-svlink": "supervisor.clients.svlink",
    "s6-svunlink": "supervisor.clients.svunlink",
    "s6-permafailon": "supervisor.clients.permafailon",
    "s6-notifyoncheck": "supervisor.clients.notifyoncheck",
    "s6-svperms": "supervisor.clients.svperms",
    "s6-setsid": "supervisor.chain.setsid",
    "s6-setlock": "supervisor.chain.setlock",
    "s6-envdir": "supervisor.chain.envdir",
    "s6-setuidgid": "supervisor.chain.setuidgid",
    "s6-envuidgid": "supervisor.chain.envuidgid",
    "s6-applyuidgid": "supervisor.chain.applyuidgid",
    "s6-softlimit": "supervisor.chain.softlimit",
    "s6-init": "supervisor.container.cli",
    "with-contenv": "supervisor.container.with_contenv",
    "printcontenv": "supervisor.container.printcontenv",
    "with-retries": "supervisor.container.with_retries",
    "logutil-service": "supervisor.container.logutil_service",
    "halt": "supervisor.container.halt",
}
"""Program to module. Each has `main(arguments: list[bytes]) -> int`."""

PRIVATE = {
    "s6-init-console": "s6log.gather.cli",
    "s6-log-nursery": "supervisor.warm.nursery",
    "s6-svscan-watch": "supervisor.scan.watch",
}
"""Likewise, but started by another program only: no launcher, no manual page."""

USAGE = b"python3 -m s6log PROGRAM ARGUMENTS... where PROGRAM is one of: "


def run() -> "NoReturn":
    """Be the program that the command line names; never return."""
    program = sys.argv[1] if len(sys.argv) > 1 else "s6log"
    restore_signals()
    restore_environment()
    take_name(program)
    code = main(sys.argv[1:])
    # Not sys.exit: taking the interpreter apart costs 4 ms, and has no use when
    # all is written with os.write and no thread is left.
    os._exit(code)


def main(argv: list[str]) -> int:
    """Run program `argv[0]` with the arguments behind it; return its exit code."""
    module = {**PRIVATE, **PROGRAMS}.get(argv[0]) if argv else None
    if module is None:
        return Messages(b"s6log").usage(USAGE + " ".join(PROGRAMS).encode())
    try:
        # importlib.import_module does the same, and costs an import of its own.
        program: Callable[[list[bytes]], int]
        program = __import__(module, fromlist=("main",)).main
        return program([os.fsencode(word) for word in argv[1:]])
    except Fatal as failure:
        return Messages(argv[0].encode()).fatal(failure)
    except MemoryError:
        return Messages(argv[0].encode()).fatal(Fatal(REFUSED, b"out of memory"))
    except Exception as error:  # noqa: BLE001 - the last resort, and the only one
        return report_bug(argv[0], error)


def report_bug(program: str, error: Exception) -> int:
    """Say that we are wrong, in one line; how, only to those who ask."""
    if "S6LOG_TRACEBACK" in os.environ:
        sys.excepthook(type(error), error, error.__traceback__)
    text = f"internal error: {type(error).__name__}: {error}".replace("\n", " ")
    bug = Fatal(BUG, text.encode(errors="backslashreplace"))
    return Messages(program.encode()).fatal(bug)


def restore_signals() -> None:
    """Give the signals that Python takes for itself their default actions back.

    Those are SIGINT (unless it was inherited as ignored), SIGPIPE and SIGXFSZ.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)


def restore_environment() -> None:
    """Undo what Python did to LC_CTYPE, for the commands that a program starts.

    In the C locale Python sets it to C.UTF-8 (PEP 538; `-I` leaves no variable
    that could forbid it). The kernel still has what the process was given.
    """
    if os.environ.get("LC_CTYPE") not in ("C.UTF-8", "C.utf8", "UTF-8"):
        return
    try:
        with open("/proc/self/environ", "rb", buffering=0) as file:
            given = file.read().split(b"\0")
    except OSError:
        return
    values = [word[9:] for word in given if word.startswith(b"LC_CTYPE=")]
    if values:
        os.environb[b"LC_CTYPE"] = values[0]
    else:
        del os.environ["LC_CTYPE"]


def take_name(program: str) -> None:
    """Be found by `pgrep -x` and `killall`, which read /proc/PID/comm."""
    try:
        fd = os.open("/proc/self/comm", os.O_WRONLY)
        os.write(fd, os.fsencode(program))
        os.close(fd)
    except OSError:
        # No /proc: the process is called python3, and nothing depends on it.
        pass


if __name__ == "__main__":
    run()
