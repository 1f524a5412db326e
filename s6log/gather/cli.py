"""`s6-init-console`: one process that writes the lines of all services to its stdout.

Started by s6-init, which holds the pipes of services that have no logger and
announces their read ends on descriptor 3. It ends when all of them have: until then
there may be something to write. So it stays when everything is told to end; and if
it is killed, another one goes on from where it was.
"""

import resource

from s6log.gather.announcements import Announcements
from s6log.gather.gathering import Gathering
from s6log.gather.records import KINDS
from s6log.outputs.context import Context, nothing
from s6log.unix.fds import ensure_standard
from s6log.unix.loop import Loop
from s6log.unix.messages import DONE, REFUSED, Fatal, Messages
from s6log.unix.signals import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from s6log.gather.records import Records

USAGE = b"s6-init-console raw|tag|json"
ANNOUNCED_FD = 3
NO_DIRECTORY, NO_MASK = -1, 0  # it opens no files
# Caught, not ignored: so it is, too, for one that is forked and not executed.
ENDURED = (
    *(signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM),
    *(signal.SIGALRM, signal.SIGPIPE, signal.SIGUSR1, signal.SIGUSR2),
)


def main(arguments: list[bytes]) -> int:
    """Gather lines in the form that the only argument names; return the exit code."""
    messages = Messages(b"s6-init-console")
    kind = KINDS.get(arguments[0]) if len(arguments) == 1 else None
    if kind is None:
        return messages.usage(USAGE)
    return gather(messages, kind)


def gather(messages: Messages, kind: "Callable[[], Records]") -> int:
    """Write what comes until no more can come; return the exit code. Raises Fatal."""
    try:
        ensure_standard()
        raise_limit()
        loop = Loop()
        for signum in ENDURED:
            loop.on_signal(signum, nothing)
        context = Context(loop, messages, NO_DIRECTORY, NO_MASK)
        gathering = Gathering(context, kind())
        announcements = Announcements(context, ANNOUNCED_FD, gathering.add)
    except OSError as error:
        raise Fatal(REFUSED, b"unable to start", error) from error
    try:
        while not (announcements.ended and gathering.done):
            loop.turn()
    except OSError as error:
        raise Fatal(REFUSED, b"unable to go on", error) from error
    loop.close()
    return DONE


def raise_limit() -> None:
    """Have as many descriptors as may be: three for each pipe."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):
        pass  # as many as there are
