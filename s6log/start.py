"""What the programs that become a logger have in common: the way there.

From options and the words of a script to the daemon; and what such programs say
about themselves.
"""

import errno
import os
import sys

from s6log import __version__
from s6log.script.directives import EXTENSION, ScriptError, parse
from s6log.script.model import Script
from s6log.script.options import OptionError, Options
from s6log.unix import fds
from s6log.unix.messages import DONE, MISTAKE, REFUSED, Fatal, Messages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Main = Callable[[list[bytes]], int]


COMPATIBLE = "2.15.1.0"  # the s6 whose behaviour this is
LOGGER = b"s6-log"  # the name under which a logger speaks, whatever started it
STDOUT = 1
INT32_MAX = 2**31 - 1  # of a descriptor


def answer(
    messages: Messages,
    usage: bytes,
    arguments: list[bytes],
    ways: "Mapping[bytes, Main]",
    log: "Main",
) -> int:
    """Do what the first word asks for, one of `ways`, or else log.

    Returns the exit code, after the message that goes with it.
    """
    first = arguments[0] if arguments else b""
    try:
        if first in ways:
            return ways[first](arguments[1:])
        return log(arguments)
    except OptionError as error:
        return refuse(messages, error, usage)
    except Fatal as failure:
        return messages.fatal(failure)


def start(options: Options, words: "Sequence[bytes]") -> int:
    """Run a logger with this script to its end; return its exit code.

    Raises ScriptError for a script that is not valid, else Fatal.
    """
    # Not at the top: --help, --explain and most mistakes do without it.
    from s6log import daemon

    messages = Messages(LOGGER, options.verbosity)
    try:
        script = parse(words)
    except ScriptError as error:
        _warn(messages, error.extraneous)
        # s6-log opens log directories as it meets them: they exist afterwards,
        # and of one that fails the user hears before this error.
        daemon.open_logdirs(messages, error.logdirs)
        raise
    _check(words)
    _warn(messages, script.extraneous)
    _warn_of_references(messages, script)
    try:
        selection = daemon.select(script)
    except ValueError as error:
        from s6log.checks import too_large

        raise too_large(words) or error from error
    return daemon.run(messages, options, script, selection)


def valid(words: "Sequence[bytes]") -> Script:
    """Read a script as `start` does, without running it; raise ScriptError."""
    script = parse(words)
    _check(words)
    return script


def _check(words: "Sequence[bytes]") -> None:
    if any(word[:1] == EXTENSION for word in words):
        from s6log.checks import check

        check(words)


def _warn(messages: Messages, extraneous: bool) -> None:
    if extraneous:
        messages.warn(b"ignoring extraneous non-action directives")


def _warn_of_references(messages: Messages, script: Script) -> None:
    """Warn of patterns that only backtracking can match: a line may take long."""
    selectors = [item for element in script.elements for item in element.selectors]
    joins = [action.join for _, action in script.actions if action.join is not None]
    named = [
        *((item.tree, item.kind + item.pattern) for item in selectors),
        *((join.tree, b"@join=start:" + join.pattern) for join in joins),
    ]
    for tree, word in named:
        # Most patterns have no backslash.
        if tree is not None and b"\\" in word:
            from s6log.script.ere_facts import has_backref

            if has_backref(tree):
                messages.warn(b"back-reference, slow on some lines: " + word)


def refuse(messages: Messages, error: OptionError, usage: bytes) -> int:
    """Tell of an option that is not valid; return the exit code."""
    if error.explained:
        return messages.fatal(Fatal(MISTAKE, error.reason))
    return messages.usage(usage)


def mistake(error: ScriptError, place: bytes = b"") -> Fatal:
    """Make of a script's error what the program ends with.

    `place` goes before the hints: where the directive at fault is.
    """
    return Fatal(MISTAKE, error.text, None, tuple(place + hint for hint in error.hints))


def check_open(fd: int) -> None:
    """Raise the Fatal of s6-log for a notification descriptor that is not open."""
    if fd > INT32_MAX or not fds.is_open(fd):
        closed = OSError(errno.EBADF, os.strerror(errno.EBADF))
        raise Fatal(MISTAKE, b"invalid notification fd", closed)


def accept(_: int) -> None:
    """Take any notification descriptor: for an explanation none is opened."""


def version(program: str) -> str:
    """Say what this is, what it is compatible with, and how it was built."""
    from s6log import kernels

    found = [kernels.scan(), kernels.lines(), kernels.objects()]
    built = " ".join(module.__name__ for module in found if module is not None)
    kernel = built or "none (no compiler at install); patterns and JSON are slower"
    return (
        f"{program} (s6log {__version__}), compatible with s6 {COMPATIBLE}\n"
        f"kernel: {kernel}\n"
        f"Python {sys.version.split()[0]}\n"
    )


def show(text: str) -> int:
    """Write a text to stdout; return the exit code."""
    data = text.encode()
    try:
        while data:
            data = data[os.write(STDOUT, data) :]
    except OSError as error:
        raise Fatal(REFUSED, b"unable to write to stdout", error) from error
    return DONE
