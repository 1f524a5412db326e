"""The last lines of an essential service that has ended, for those who ask why.

Its log directory is looked for in its logger's run file, since another user's
process shows nobody what it has open: a word there that names a directory with a
`current` in it.
"""

import os

from s6log.unix.fds import Writer
from supervisor.container import places
from supervisor.warm.words import Doubt, execline_words, sh_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.container.context import Context

LINES = 20
MOST_BYTES = 64 << 10  # of the end of a log
RUN_BYTES = 16 << 10
CURRENT = b"/current"
QUOTES = b"'\""


def tell(context: "Context", service: bytes, code: int) -> None:
    """Say with which code a service has ended the container, and its last lines.

    To the standard error that the container was started with, whatever is logged:
    that is where an orchestrator looks.
    """
    directory = places.SCANDIR + b"/" + service.removesuffix(b"/log")
    current = find_current(directory + b"/log")
    lines = last_lines(current) if current else []
    text = b"s6-init: essential service %s exited %d" % (service, code)
    text += b"; the end of its log:\n" if lines else b"\n"
    try:
        Writer(context.original.stderr).write([text, *lines])
    except OSError:
        pass  # nobody reads it, or nobody will


def find_current(log: bytes) -> bytes:
    """Give the file that a logger writes to; b"" when that is not to be known."""
    try:
        with open(log + b"/run", "rb", buffering=0) as file:
            text = file.read(RUN_BYTES)
    except OSError:
        return b""
    for word in words_of(text):
        if word[:1] in (b"/", b"."):
            current = os.path.join(log, word) + CURRENT
            if os.path.isfile(current):
                return current
    return b""


def words_of(text: bytes) -> list[bytes]:
    """Give the words of a script; of one that is not simple, what looks like some."""
    script = text.partition(b"\n")[2]
    for reader in (sh_words, lambda text: execline_words(text, False)):
        try:
            return reader(script)
        except Doubt:
            pass
    return [word.strip(QUOTES) for word in script.split()]


def last_lines(path: bytes) -> list[bytes]:
    """Give the last lines of a file, each with its newline."""
    try:
        with open(path, "rb", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            start = file.seek(max(0, size - MOST_BYTES))
            text = file.read(MOST_BYTES)
    except OSError:
        return []
    lines = text.removesuffix(b"\n").split(b"\n") if text else []
    if start and len(lines) > 1:
        del lines[0]  # cut, perhaps
    return [line + b"\n" for line in lines[-LINES:]]
