"""What programs say to people, and the exit codes that go with it.

One vocabulary for every program, the one of skarnet.org's tools: one line,
`PROG: fatal: unable to X: reason`, sent to descriptor 2 in one write(2).
"""

import os

DONE = 0
MISTAKE = 100  # the user's: usage, a script, an argument
BUG = 101  # ours
REFUSED = 111  # the system's; may work later

STDERR = 2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Fatal(Exception):
    """The program ends here, with this exit code and one line on stderr.

    `text` is what failed ("unable to lock ./d/lock"), `error` the system's
    reason where there is one, `hints` further lines for the user.
    """

    def __init__(
        self,
        code: int,
        text: bytes,
        error: OSError | None = None,
        hints: tuple[bytes, ...] = (),
    ) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.error = error
        self.hints = hints


def reason(error: OSError) -> bytes:
    """Give the strerror text of an OSError, as C programs print it."""
    return os.strerror(error.errno).encode() if error.errno else str(error).encode()


class Messages:
    """The voice of one program: its name, where it speaks, how much it says.

    `verbosity` 0 silences warnings that can be silenced (`-q`), as in s6-log.
    `write` takes what is said; a daemon puts something there that never blocks.
    """

    __slots__ = ("program", "verbosity", "write")

    def __init__(self, program: bytes, verbosity: int = 1) -> None:
        self.program = program
        self.verbosity = verbosity
        self.write: Callable[[bytes], None] = to_stderr

    def warn(self, text: bytes, error: OSError | None = None) -> None:
        """Print `PROG: warning: TEXT[: REASON]` unless silenced."""
        if self.verbosity > 0:
            self.insist(text, error)

    def insist(self, text: bytes, error: OSError | None = None) -> None:
        """Print a warning that `-q` does not silence."""
        self._say(b"warning: ", text, error)

    def fatal(self, failure: Fatal) -> int:
        """Print a fatal message with its hints; return the exit code."""
        self._say(b"fatal: ", failure.text, failure.error, failure.hints)
        return failure.code

    def usage(self, text: bytes) -> int:
        """Print `PROG: usage: TEXT`; return the exit code of a user's mistake."""
        self._say(b"usage: ", text, None)
        return MISTAKE

    def _say(
        self,
        kind: bytes,
        text: bytes,
        error: OSError | None,
        hints: tuple[bytes, ...] = (),
    ) -> None:
        line = self.program + b": " + kind + text
        if error is not None:
            line += b": " + reason(error)
        lines = [line, *(self.program + b": " + hint for hint in hints)]
        self.write(b"\n".join(lines) + b"\n")


def to_stderr(text: bytes) -> None:
    """Write whole lines to stderr, if anybody is there to hear them."""
    try:
        os.write(STDERR, text)
    except OSError:
        pass
