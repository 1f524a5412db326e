"""The executables of cont-init.d and cont-finish.d: one after the other."""

import errno
import os

from s6log.unix.signals import signal
from supervisor.chain.execute import NOT_EXECUTABLE, NOT_FOUND
from supervisor.container import places
from supervisor.container.sequence import Ended
from supervisor.service.ends import code_of
from supervisor.service.host import Streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from supervisor.container.context import Context
    from supervisor.container.sequence import Steps

SHELL = b"/bin/sh"


def take_all(
    context: "Context",
    folder: bytes,
    opening: bytes,
    take: "Callable[[bytes], Steps]",
    all_of_them: bool = True,
) -> "Steps":
    """Take the files of a folder one after the other, with the lines around them.

    `take` gives the exit code of one. Gives the first that is not 0; with it all is
    over unless `all_of_them` are wanted. Nothing is said of a folder that is not there.
    """
    if not context.files.has(folder):
        return 0
    context.progress.say(b"[%s] %s\n" % (folder, opening))
    failed = 0
    for name in context.files.scripts(folder):
        code = yield from take(name)
        failed = failed or code
        if failed and not all_of_them:
            return failed
    context.progress.say(b"[%s] done.\n" % folder)
    return failed


def run_script(
    context: "Context", folder: bytes, name: bytes, limit_ms: int, code: int = 0
) -> "Steps":
    """Run a script to its end, with its two lines; give its exit code.

    `limit_ms` is how long it may take before it is killed; 0: as long as it likes.
    `code` is what $S6_STAGE2_EXITED is in it, unless that is 0.
    """
    title = b"[%s] %s: " % (folder, name)
    context.progress.say(title + b"executing... \n")
    variables = dict(context.host.environment)
    if folder == b"cont-finish.d":
        variables[places.STAGE2_EXITED] = b"%d" % code
    path = b"/".join((places.ETC, folder, name))
    ended = yield from run(context, (path,), variables, limit_ms)
    context.progress.say(title + b"exited %d.\n" % ended)
    return ended


def run(
    context: "Context",
    argv: "Sequence[bytes]",
    variables: "Mapping[bytes, bytes]",
    limit_ms: int,
) -> "Steps":
    """Run a program in the image's working directory; give its exit code."""
    try:
        pid = _start(context, argv, variables)
    except OSError as error:
        from supervisor.service.interpreter import why

        reason = why(argv[0], None, error)
        context.messages.warn(b"unable to spawn " + argv[0] + b": " + reason)
        return NOT_FOUND if error.errno == errno.ENOENT else NOT_EXECUTABLE
    return (yield from await_end(context, pid, limit_ms))


def _start(
    context: "Context", argv: "Sequence[bytes]", variables: "Mapping[bytes, bytes]"
) -> int:
    """Start a program; one without `#!` is for sh, as in s6-overlay. OSError."""
    start = context.host.spawner.start
    streams = Streams(context.host.null)
    try:
        return start(argv, context.workdir, streams, variables)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
    return start((SHELL, *argv), context.workdir, streams, variables)


def await_end(context: "Context", pid: int, limit_ms: int) -> "Steps":
    """Wait for a child that leads its session; kill that after `limit_ms`."""
    context.script = pid
    status = yield Ended(context.loop, pid, limit_ms)
    if status is None:
        signal_session(pid, signal.SIGKILL)
        status = yield Ended(context.loop, pid)
    context.script = 0
    return code_of(status or 0)


def signal_session(pid: int, signum: int) -> None:
    """Signal a script with all that it has started in its process group."""
    try:
        os.killpg(pid, signum)
    except OSError:
        pass  # it has just ended
