"""Speaking on stderr without ever waiting for whoever reads it.

One process supervises everything: a full pipe, or a terminal that was stopped
with Ctrl-S, must not hold up all services. What is not taken is counted.
"""

from s6log.unix.fds import STDERR, Writer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.unix.messages import Messages


class Voice:
    """Takes the place of Messages.write."""

    __slots__ = ("_lost", "_program", "_writer")

    def __init__(self, messages: "Messages") -> None:
        self._program = messages.program
        self._writer = Writer(STDERR)
        self._lost = 0
        messages.write = self.say

    def say(self, text: bytes) -> None:
        """Write whole lines, or count them as lost."""
        if self._lost:
            lost = b": warning: nobody read stderr: %d messages were lost\n"
            text = self._program + lost % self._lost + text
        try:
            self._writer.write([text])
        except OSError:
            self._lost += 1
        else:
            self._lost = 0

    def move(self) -> None:
        """Speak to what descriptor 2 refers to by now."""
        self._writer.close()
        self._writer = Writer(STDERR)
