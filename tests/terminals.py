"""A terminal in the hands of a test: what a program draws on it, and its size."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import termios

from harness import wait_until

SEQUENCE = re.compile(r"\033\[[0-9;?]*[a-zA-Z]")


class Terminal:
    """A pseudo terminal; programs get `fd` for their standard output."""

    def __init__(self, columns: int = 80, lines: int = 24) -> None:
        self._master, self.fd = pty.openpty()
        os.set_blocking(self._master, False)
        self._seen = b""
        self.resize(columns, lines)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._master)
        os.close(self.fd)

    def resize(self, columns: int, lines: int) -> None:
        """Change the size; nobody is told."""
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, size)

    @property
    def seen(self) -> str:
        """Everything that has been written to it, with LF for the end of a line."""
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self._master, 1 << 16):
                self._seen += chunk
        return self._seen.decode().replace("\r\n", "\n")

    def type(self, text: str) -> None:
        """Press the keys that make this text; control characters are some too."""
        os.write(self._master, text.encode())

    def wait_for(self, text: str) -> None:
        """Wait until a text has been written."""
        wait_until(lambda: text in self.seen, f"{text!r} on the terminal")


def plain(text: str) -> str:
    """Take colours, and whatever else is no text, away."""
    return SEQUENCE.sub("", text)
