"""The last lines of an essential service that has ended, for those who ask why.

Its log directory is looked for in its logger's run file, since another user's
process shows nobody what it has open: a word there that names a directory with a
`current` in it.
"""

import os
import select
import time

from s6log.unix.fds import MS_PER_SECOND, Writer
from supervisor.container import places
from supervisor.container.reading import end_of, start_of
from supervisor.warm.words import Doubt, execline_words, sh_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.container.context import Context

LINES = 20
MOST_BYTES = 64 << 10  # of the end of a log
RUN_BYTES = 16 << 10
CURRENT = b"current"
PATIENCE_S = 1
QUOTES = b"'\""


def tell(context: "Context", service: bytes, code: int) -> None:
    """Say with which code a service has ended the container, and its last lines.

    To the standard error that the container was started with, whatever is logged:
    that is where an orchestrator looks.
    """
    log = places.SCANDIR + b"/" + service.removesuffix(b"/log") + b"/log"
    lines = last_lines(log)
    text = b"s6-init: essential service %s exited %d" % (service, code)
    text += b"; the end of its log:\n" if lines else b"\n"
    say(context.original.stderr, text + b"".join(lines))


def say(fd: int, text: bytes) -> None:
    """Write all of a text, or what is taken of it in a second."""
    writer = Writer(fd)
    poll = select.poll()
    deadline = time.monotonic() + PATIENCE_S
    try:
        while text and time.monotonic() < deadline:
            try:
                text = text[writer.write([text]) :]
            except BlockingIOError:
                poll.register(writer.fd, select.POLLOUT)
                poll.poll(PATIENCE_S * MS_PER_SECOND)
    except OSError:
        pass  # nobody reads it, or nobody will


def last_lines(log: bytes) -> list[bytes]:
    """Give the last lines of what a logger, with its run file in `log`, has written.

    Each has its newline. None when that is not to be known, or not to be trusted.
    """
    try:
        text = start_of(log, b"run", RUN_BYTES)
    except OSError:
        return []
    for word in words_of(text):
        if word[:1] in (b"/", b"."):
            try:
                return lines_of(*end_of(os.path.join(log, word), CURRENT, MOST_BYTES))
            except OSError:
                pass  # it is no log directory
    return []


def words_of(text: bytes) -> list[bytes]:
    """Give the words of a script; of one that is not simple, what looks like some."""
    script = text.partition(b"\n")[2]
    for reader in (sh_words, lambda text: execline_words(text, False)):
        try:
            return reader(script)
        except Doubt:
            pass
    return [word.strip(QUOTES) for word in script.split()]


def lines_of(text: bytes, cut: bool) -> list[bytes]:
    """Give the last lines of a text, whose first one may be cut."""
    lines = text.removesuffix(b"\n").split(b"\n") if text else []
    if cut and len(lines) > 1:
        del lines[0]
    return [line + b"\n" for line in lines[-LINES:]]
