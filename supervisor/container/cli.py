"""`s6-init`: process 1 of a container; or what puts it into an image."""

import os

from s6log.unix.messages import DONE, REFUSED, Fatal
from s6log.unix.signals import signal
from supervisor.container.init import SIGNALS, Init
from supervisor.manual import Manual

INSTALL = b"--install"

MANUAL = Manual(
    "s6-init",
    "[ --install [ root ] ] [ command... ]",
    (("--install", "link /init, /command and /usr/bin to our programs"),),
    """
Boots a container (/etc/fix-attrs.d, /etc/cont-init.d, /etc/services.d), supervises
its services in /run/service, runs command... when they are up and stops all with
its exit code; without a command it runs until it is told to stop. What it does
otherwise is said by the variables S6_*.""",
)


def main(arguments: list[bytes]) -> int:
    """Be the init of a container; give its exit code."""
    if MANUAL.answered(arguments):
        return DONE
    if arguments[:1] == [INSTALL]:
        from supervisor.container.install import install

        return install(MANUAL.messages, arguments[1:])
    _hold_signals()
    if os.getpid() != 1:
        _adopt_orphans()
    return Init(MANUAL.messages, arguments).run()


def _hold_signals() -> None:
    """Let signals wait until there is somebody to handle them.

    For process 1 the kernel would drop those without a handler, unless they are
    blocked (signal(7), kernel/signal.c): a container that is stopped as soon as it
    was started would have to be killed.
    """
    held = [getattr(signal, f"SIG{name}") for name in SIGNALS]
    signal.pthread_sigmask(signal.SIG_BLOCK, held)


def _adopt_orphans() -> None:
    """Become the parent of orphans, as process 1 is by itself; and say so."""
    from supervisor.container import kernel

    text = b"not process 1 but %d: going on as a subreaper (without --init, or with"
    text += b" a PID namespace of its own, it would be process 1)"
    MANUAL.messages.warn(text % os.getpid())
    try:
        kernel.become_subreaper()
    except OSError as error:
        raise Fatal(REFUSED, b"unable to become a subreaper", error) from error
