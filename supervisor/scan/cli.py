"""`s6-svscan`: reads its command line and supervises a scan directory."""

import errno
import os

from s6log.unix.fds import is_open
from s6log.unix.messages import DONE, MISTAKE, Fatal
from s6log.unix.signals import signal
from supervisor.manual import Manual
from supervisor.scan import orders
from supervisor.scan.options import BadOption, Misused, Options, parse

INT32_MAX = 2**31 - 1  # of a descriptor

MANUAL = Manual(
    "s6-svscan",
    "[ -C services_max | -c maxservices ] [ -L name_max ] [ -t timeout ] [ -d notif ]"
    " [ -X consoleholder ] [ --watch ] [ --no-warm ] [ scandir ]",
    (
        ("-C n", "at most n supervisions, a logger being one of its own (1000)"),
        ("-c n", "at most n services, a logger not counted"),
        ("-L n", "ignore names longer than n (251)"),
        ("-t ms", "scan again every ms milliseconds (0: only when told to)"),
        ("-d fd", "write a newline to descriptor fd when orders are taken"),
        ("-X fd", "descriptor fd is the console, for s6-svscan-log and the end"),
        ("--watch", "scan again when the directory changes"),
        ("--no-warm", "execute loggers always, instead of becoming them"),
    ),
    """
Supervises every directory in scandir (default: the current directory) that does
not begin with a dot, and connects each to the logger in its directory log.
Takes orders from s6-svscanctl and from signals; can be process 1.""",
)


def main(arguments: list[bytes]) -> int:
    """Supervise until told to end; give the exit code."""
    if MANUAL.answered(arguments):
        return DONE
    _hold_signals()
    try:
        options = parse(arguments)
        _check_descriptors(options)
    except Misused:
        return MANUAL.usage()
    except BadOption as error:
        raise Fatal(MISTAKE, error.text) from error
    # Not at the top: --help and mistakes do without it.
    from supervisor.scan.daemon import Daemon

    return Daemon(MANUAL.messages, options).run()


def _hold_signals() -> None:
    """Let signals wait until there is somebody to handle them.

    The default actions would end the process; for process 1 the kernel would drop
    them, unless they are blocked (signal(7), kernel/signal.c), and a container
    that is stopped as soon as it was started would have to be killed.
    """
    held = [getattr(signal, name) for name in orders.SIGNALS]
    signal.pthread_sigmask(signal.SIG_BLOCK, [*held, signal.SIGPIPE])


def _check_descriptors(options: Options) -> None:
    """Refuse descriptors that are not open."""
    for fd, what in (
        (options.notification_fd, b"notification"),
        (options.console_fd, b"console holder"),
    ):
        if fd is not None and (fd > INT32_MAX or not is_open(fd)):
            closed = OSError(errno.EBADF, os.strerror(errno.EBADF))
            raise Fatal(MISTAKE, b"invalid " + what + b" fd", closed)
    if options.console_fd is not None:
        os.set_inheritable(options.console_fd, False)
