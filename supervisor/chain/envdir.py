"""s6-envdir: become a program with variables that the files of a directory hold."""

import errno
import os

from s6log.unix.getopt import scan
from s6log.unix.messages import DONE, REFUSED, Fatal
from supervisor.chain.execute import environment_with, execute
from supervisor.manual import Manual, Misuse

CLAMP_BYTES = 4095
WHOLE = -1  # bytes of a file: all of them
BLANKS = b" \t\r"

MANUAL = Manual(
    "s6-envdir",
    "[ -I | -i ] [ -n ] [ -f ] [ -L ] [ -c nullchar ] dir prog...",
    (
        ("-i", "exit 111 when there is no such directory (the default)"),
        ("-I", "then become prog... all the same"),
        ("-n", "keep blanks at the end of the line, with -f the last newline"),
        ("-f", "the value is all of the file, not its first line"),
        ("-L", "read more than the first 4095 bytes of a file"),
        ("-c char", "what a null character becomes (default: a newline)"),
    ),
    "Set a variable for each file of a directory, unset one for each empty file.",
)


class Wish:
    """What the command line asks for."""

    __slots__ = ("directory", "flags", "null", "program", "strict")

    def __init__(self, arguments: list[bytes]) -> None:
        pairs, words = scan(arguments, b"IinfL", b"c")
        self.flags = b""
        self.null = b"\n"
        self.strict = True
        for letter, value in pairs:
            if letter == b"c":
                self.null = value[:1]
            elif letter in b"iI":
                self.strict = letter == b"i"
            elif letter in b"nfL":
                self.flags += letter
            else:
                raise Misuse
        if not words[1:]:
            raise Misuse
        self.directory, *self.program = words

    def value(self, content: bytes) -> bytes | None:
        """Make a value of what a file holds; None unsets the variable."""
        if not content:
            return None
        keep = b"n" in self.flags
        if b"f" in self.flags:
            text = content if keep else content.removesuffix(b"\n")
        else:
            line = content.partition(b"\n")[0]
            text = line if keep else line.rstrip(BLANKS)
        return text.replace(b"\0", self.null)


def main(arguments: list[bytes]) -> int:
    """Run the program; the exit code if it does not become another."""
    if MANUAL.answered(arguments):
        return DONE
    try:
        wish = Wish(arguments)
    except Misuse:
        return MANUAL.usage()
    try:
        changes = read_directory(wish)
    except OSError as error:
        if wish.strict or error.errno != errno.ENOENT:
            text = b"unable to envdir " + wish.directory
            raise Fatal(REFUSED, text, error) from error
        changes = {}
    return execute(wish.program, environment_with(changes))


def read_directory(wish: Wish) -> dict[bytes, bytes | None]:
    """Read the variables that a directory wants changed.

    Raises OSError; ENOENT means the directory, EIDRM a file that has gone.
    """
    if not wish.null:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    limit = WHOLE if b"L" in wish.flags else CLAMP_BYTES
    changes = {}
    for name in os.listdir(wish.directory):
        if not name.startswith(b".") and b"=" not in name:
            content = read_file(wish.directory + b"/" + name, limit)
            changes[name] = wish.value(content)
    return changes


def read_file(path: bytes, limit: int) -> bytes:
    """Read the first `limit` bytes of a file."""
    try:
        with open(path, "rb") as file:
            return file.read(limit)
    except FileNotFoundError as error:
        raise OSError(errno.EIDRM, os.strerror(errno.EIDRM)) from error
