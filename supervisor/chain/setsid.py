"""s6-setsid: become a program in a new session or in a new process group."""

import os

from s6log.unix.getopt import decimal
from s6log.unix.messages import DONE, REFUSED, Fatal
from s6log.unix.signals import signal
from supervisor.chain.execute import execute
from supervisor.chain.long_options import scan_long
from supervisor.manual import Manual, Misuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

STDIN = 0
FD_MAX = 2**31 - 1
TERMINAL = "/dev/tty"  # the controlling terminal, whichever it is (tty(4))

SESSION = b"session"
BACKGROUND = b"background-process-group"
FOREGROUND = b"foreground-process-group"
GRAB = b"foreground-process-group-grab"
KINDS = {b"s": SESSION, b"b": BACKGROUND, b"f": FOREGROUND, b"g": GRAB}
FLAGS = {**KINDS, b"i": b"strict", b"I": b"no-strict", b"q": b"quiet"}
VALUED = {b"d": b"ctty"}

MANUAL = Manual(
    "s6-setsid",
    "[ -s | -b | -f | -g ] [ -i | -I | -q ] [ -d ctty ] prog...",
    (
        ("-s, --session", "a new session (the default)"),
        ("-b", "a new process group, in the background"),
        ("-f", "a new process group, in the foreground of the terminal"),
        ("-g", "the same, and take the terminal from whoever has it"),
        ("-i, --strict", "exit 111 when that cannot be done"),
        ("-I, --no-strict", "warn when that cannot be done (the default)"),
        ("-q, --quiet", "do not warn"),
        ("-d ctty", "the terminal's descriptor (default: /dev/tty, else 0)"),
    ),
    "Become prog... as the leader of a new session or process group.",
)


class Wish:
    """What the command line asks for; `terminal` is a descriptor where one is given."""

    __slots__ = ("kind", "program", "quiet", "strict", "terminal")

    def __init__(self, arguments: list[bytes]) -> None:
        pairs, self.program = scan_long(arguments, FLAGS, VALUED)
        self.kind = SESSION
        self.strict = False
        self.terminal: int | None = None
        for name, value in pairs:
            if name in KINDS.values():
                self.kind = name
            elif name == b"ctty":
                self.terminal = decimal(value, FD_MAX)
                if self.terminal is None:
                    raise Misuse
            elif name != b"quiet":
                self.strict = name == b"strict"
        # Not undone by a later -I, nor does it undo -i.
        self.quiet = (b"quiet", b"") in pairs
        if not self.program:
            raise Misuse


def main(arguments: list[bytes]) -> int:
    """Run the program; the exit code if it does not become another."""
    if MANUAL.answered(arguments):
        return DONE
    try:
        wish = Wish(arguments)
    except Misuse:
        return MANUAL.usage()
    if wish.kind == SESSION:
        attempt(wish, b"setsid", os.setsid)
    else:
        attempt(wish, b"setpgid", lambda: os.setpgid(0, 0))
    if wish.kind in (FOREGROUND, GRAB):
        attempt(wish, b"tcsetpgrp", lambda: to_foreground(wish))
    return execute(wish.program)


def attempt(wish: Wish, name: bytes, call: "Callable[[], None]") -> None:
    """Make one system call; what its failure means is the user's choice."""
    try:
        call()
    except OSError as error:
        if wish.strict:
            raise Fatal(REFUSED, b"unable to " + name, error) from error
        if not wish.quiet:
            MANUAL.messages.warn(b"unable to " + name, error)


def to_foreground(wish: Wish) -> None:
    """Make this process group the terminal's foreground group.

    A background process that asks for that is stopped by SIGTTOU, until it is in
    the foreground, unless it ignores the signal (tcsetpgrp(3)). A handler will not
    do: the call then starts over for ever, which is what s6 2.11's -g does.
    """
    terminal = open_terminal() if wish.terminal is None else wish.terminal
    if wish.kind == FOREGROUND:
        os.tcsetpgrp(terminal, os.getpid())
        return
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        os.tcsetpgrp(terminal, os.getpid())
    finally:
        signal.signal(signal.SIGTTOU, before)


def open_terminal() -> int:
    """Open the controlling terminal.

    Without one, descriptor 0 stands in, as in 2.11, and is refused: whether that
    is an error is up to -i, where 2.15 knows no mercy.
    """
    try:
        return os.open(TERMINAL, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return STDIN
