"""Children of a supervisor: their session, descriptors, limits and namespaces.

By posix_spawn, which costs the same however large the supervisor is. What it
cannot do for the child is done to the supervisor for that moment, which has no
threads to notice: its directory, its limit of descriptors, its PID namespace.
"""

import os
import resource

from s6log.unix.signals import signal
from s6log.unix.spawn import DIRECTORY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from supervisor.service.host import Streams

RESERVED = 4  # stdin, stdout, stderr, notification
LOWEST = 3


class Spawner:
    """Starts programs; `soft_limit` descriptors is what they get (RLIMIT_NOFILE).

    None: the same as the supervisor. Low descriptor numbers are reserved, because
    posix_spawn refuses to move one that is not below the limit (EBADF).
    """

    __slots__ = ("_copies", "_home", "_limits", "_null", "_reserved", "_soft_limit")

    def __init__(self, soft_limit: int | None = None) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._limits = (soft, hard)
        self._soft_limit = soft if soft_limit is None else soft_limit
        self._home = os.open(".", DIRECTORY)
        self._null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        self._reserved = [os.dup(self._null) for _ in range(RESERVED)]
        self._copies = 0  # in reserved numbers

    @property
    def soft_limit(self) -> int:
        """How many descriptors a child may have: all its numbers are below."""
        return self._soft_limit

    def start(
        self,
        argv: "Sequence[bytes]",
        directory: int,
        streams: "Streams",
        environment: "Mapping[bytes, bytes]",
        extra: "Mapping[int, int] | None" = None,
    ) -> int:
        """Start `argv[0]`, a path, in a session of its own; return its pid.

        `directory` is a descriptor; `extra` maps further numbers in the child to
        descriptors here. OSError when it cannot be executed; there is no shell
        for files without `#!`.
        """
        ours = {0: streams.stdin, 1: streams.stdout, 2: streams.stderr}
        ours.update(extra or {})
        try:
            moves = self._moves(ours)
            os.fchdir(directory)
            self._limit(self._soft_limit)
            return os.posix_spawn(
                argv[0],
                list(argv),
                environment,
                file_actions=moves,
                setsid=True,
                setsigmask=[],
                setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
            )
        finally:
            # Nothing here may fail: a child that was started must get to be known.
            self._free()
            self._limit(self._limits[0])
            self._return()

    def go_home(self) -> None:
        """Make sure to be in the directory that this began in. OSError.

        `start` may have found no way back, when it had become forbidden to enter.
        """
        os.fchdir(self._home)

    def _return(self) -> None:
        try:
            self.go_home()
        except OSError:
            pass  # EACCES: nothing in there is in reach by its name now

    def _moves(self, ours: "Mapping[int, int]") -> list[tuple[int, int, int]]:
        """Plan the child's descriptors, copying those with high numbers.

        In the order of the child's numbers: 0, 1 and 2 come first, and nothing
        here comes from them but themselves.
        """
        moves = []
        for child, fd in sorted(ours.items()):
            source = fd
            if fd >= self._soft_limit or (fd < LOWEST and fd != child):
                source = os.dup2(fd, self._reserved[self._copies], inheritable=False)
                self._copies += 1
            moves.append((os.POSIX_SPAWN_DUP2, source, child))
        return moves

    def _free(self) -> None:
        """Let the copies go; else they would keep pipes open."""
        while self._copies:
            self._copies -= 1
            os.dup2(self._null, self._reserved[self._copies], inheritable=False)

    def _limit(self, soft: int) -> None:
        if self._soft_limit == self._limits[0]:
            return
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, self._limits[1]))
        except (OSError, ValueError):
            # ValueError: somebody has lowered the hard limit (module resource). Then
            # children get what limit there is.
            pass
