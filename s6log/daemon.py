"""One process that is one logger: its loop, its signals, its descriptors."""

import os
import time

from s6log.logger import Logger
from s6log.outputs.context import Context, nothing
from s6log.outputs.recovery import open_logdir
from s6log.outputs.retention import Keep
from s6log.unix.durable import Place
from s6log.unix.fds import ensure_standard
from s6log.unix.loop import Loop
from s6log.unix.messages import REFUSED, Fatal
from s6log.unix.signals import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from s6log.script.model import Logdir, Script
    from s6log.script.options import Options
    from s6log.stream.batch import Selecting
    from s6log.unix.messages import Messages

AT_FDCWD = -100  # openat(2): relative to the working directory
WORKING_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


def run(
    messages: "Messages",
    options: "Options",
    script: "Script",
    selection: "Selecting | None",
) -> int:
    """Log until the input ends; return the exit code.

    Raises Fatal when a log directory cannot be used.
    """
    try:
        ensure_standard()
        loop = Loop()
        logger = Logger(_context(loop, messages), options, script, selection)
        _handle_signals(loop, logger, options)
    except OSError as error:
        raise Fatal(REFUSED, b"unable to start", error) from error
    if options.notify_fd is not None:
        _notify(options.notify_fd)
    logger.begin()
    try:
        while not logger.done:
            loop.turn()
    except OSError as error:
        raise Fatal(REFUSED, b"unable to go on", error) from error
    loop.close()
    return 0


def open_logdirs(messages: "Messages", logdirs: "Sequence[Logdir]") -> None:
    """Open log directories as `run` does, for a script that fails after them.

    s6-log opens each one where it meets it; an error further on leaves them
    recovered, and an error of a directory comes first. Raises Fatal.
    """
    ensure_standard()
    context = _context(Loop(), messages)
    for logdir in logdirs:
        place = Place(context.base_fd, logdir.path)
        keep = Keep(logdir.rules, messages)
        mode = 0o666 & ~context.umask
        open_logdir(place, mode, keep, time.time_ns, context.locked)


def _context(loop: Loop, messages: "Messages") -> Context:
    umask = os.umask(0)
    os.umask(umask)
    try:
        base_fd = os.open(".", WORKING_DIRECTORY)
    except OSError:
        # Not ours to enter, after a change of user: absolute paths still work.
        base_fd = AT_FDCWD
    return Context(loop, messages, base_fd, umask)


def select(script: "Script") -> "Selecting | None":
    """Prepare the selectors; a script without any does not load what they need.

    Raises PatternTooLarge, a ValueError.
    """
    if not any(element.selectors for element in script.elements):
        return None
    from s6log import kernels
    from s6log.stream.selection import Selection

    selectors = [element.selectors for element in script.elements]
    return Selection(selectors, kernels.scan())


def _handle_signals(loop: Loop, logger: Logger, options: "Options") -> None:
    # With -p caught, not ignored: a processor would inherit that (signal(7)).
    on_term = nothing if options.protect else logger.terminate
    loop.on_signal(signal.SIGTERM, on_term)
    loop.on_signal(signal.SIGHUP, logger.terminate)
    loop.on_signal(signal.SIGALRM, logger.rotate)
    loop.on_signal(signal.SIGCHLD, loop.reap_children)
    # Caught, not ignored: writing then says EPIPE, and children get the default.
    loop.on_signal(signal.SIGPIPE, nothing)


def _notify(fd: int) -> None:
    """Tell the supervisor that the logger is ready: a newline, then close."""
    try:
        os.write(fd, b"\n")
    except OSError:
        pass  # whoever wanted to know has gone
    os.close(fd)
