"""What a supervisor puts by for the next one: copies of pipes, by key.

With a keeper, which holds them while nobody else does; without one, as in a
container's PID 1 or in s6-supervise, nothing is put by.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor.adoption.keeper import Keeper
    from supervisor.adoption.record import Inode


def pipe_key(service: "Inode") -> bytes:
    """Name the log pipe of a service by (device, inode) of its directory."""
    return b"log %d:%d" % service


def readiness_key(service: "Inode") -> bytes:
    """Name the pipe through which a service says that it is ready."""
    return b"ready %d:%d" % service


class Safe:
    """Keeps descriptors beyond the death of this process, if there is a keeper."""

    __slots__ = ("_found", "_keeper")

    def __init__(self, keeper: "Keeper | None" = None) -> None:
        """Find what the supervisor before us has left. OSError without a keeper."""
        self._keeper = keeper
        self._found = {} if keeper is None else keeper.start()

    def keep(self, key: bytes, fds: "Sequence[int]") -> None:
        """Put copies of descriptors by; they replace any before."""
        self._let_go(key)
        if self._keeper is not None:
            self._keeper.keep(key, fds)

    def drop(self, key: bytes) -> None:
        """Let the copies go."""
        self._let_go(key)
        if self._keeper is not None:
            self._keeper.drop(key)

    def take(self, key: bytes) -> list[int]:
        """Give what was left under a key, once; the caller owns it then."""
        return self._found.pop(key, [])

    def clear(self) -> None:
        """Let go of what nobody has taken: its service is not there any more."""
        for key in list(self._found):
            self.drop(key)

    def end(self) -> None:
        """Let everything go, in good order."""
        self.clear()
        if self._keeper is not None:
            self._keeper.end()

    def _let_go(self, key: bytes) -> None:
        for fd in self._found.pop(key, ()):
            os.close(fd)
