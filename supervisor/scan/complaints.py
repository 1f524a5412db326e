"""What is wrong with a scan directory, said once for as long as it stays so."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.unix.messages import Messages


class Complaints:
    """Warns of what the scan before did not complain of."""

    __slots__ = ("_before", "_messages", "_now")

    def __init__(self, messages: "Messages") -> None:
        self._messages = messages
        self._before: set[bytes] = set()
        self._now: set[bytes] = set()

    def begin(self) -> None:
        """Begin a scan."""
        self._before, self._now = self._now, set()

    def add(self, text: bytes, error: OSError | None) -> None:
        """Complain, unless that has been said already."""
        if text not in self._before and text not in self._now:
            self._messages.warn(text, error)
        self._now.add(text)
