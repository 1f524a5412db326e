"""What every program says about itself: usage, --help and --version.

One table a program; the reference pages are compared with it.
"""

import os

from s6log.unix.messages import Fatal, Messages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

COMPATIBLE = "2.15.1.0"
STDOUT = 1
COLUMN = 18


class Misuse(Exception):
    """The command line is not valid: print the usage line, exit 100."""


class Manual:
    """A program's name, its synopsis, its options and what it does.

    `options` are pairs such as ("-t ms", "give up after that time, exit 99").
    """

    __slots__ = ("about", "options", "program", "synopsis")

    def __init__(
        self,
        program: str,
        synopsis: str,
        options: "Sequence[tuple[str, str]]",
        about: str,
    ) -> None:
        self.program = program
        self.synopsis = synopsis
        self.options = options
        self.about = about

    @property
    def messages(self) -> Messages:
        """The program's voice."""
        return Messages(self.program.encode())

    def usage(self) -> int:
        """Print the usage line; return the exit code of a user's mistake."""
        return self.messages.usage(f"{self.program} {self.synopsis}".encode())

    def answered(self, arguments: "Sequence[bytes]") -> bool:
        """Answer --help or --version as the first word; tell whether it was there."""
        first = arguments[0] if arguments else b""
        if first == b"--help":
            show(self.text().encode())
        elif first == b"--version":
            from s6log import __version__

            version = f"{self.program} {__version__}, compatible with s6 {COMPATIBLE}"
            show(version.encode() + b"\n")
        else:
            return False
        return True

    def text(self) -> str:
        """Give what --help prints."""
        lines = [f"usage: {self.program} {self.synopsis}", "", self.about.strip(), ""]
        for option, meaning in (*self.options, ("--help", "print this text")):
            lines.append(f"  {option:<{COLUMN - 3}} {meaning}")
        return "\n".join(lines) + "\n"


def show(text: bytes) -> None:
    """Write all of it to stdout; a reader that has gone away is no error."""
    while text:
        try:
            text = text[os.write(STDOUT, text) :]
        except BrokenPipeError:
            return
        except OSError as error:
            raise Fatal(111, b"unable to write to stdout", error) from error
