"""Starting a program of this package that takes orders through a socket."""

import _socket
import os

from s6log.unix.spawn import DIRECTORY, own_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from supervisor.service.host import Streams
    from supervisor.service.spawner import Spawner

CHANNEL = 3  # the companion's end, in it


def start(
    spawner: "Spawner",
    words: tuple[bytes, ...],
    streams: "Streams",
    environment: "Mapping[bytes, bytes]",
) -> "tuple[int, _socket.socket]":
    """Start a program, by its name and arguments; give its pid and our end. OSError.

    Its working directory is /, where it is in nobody's way.
    """
    ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    try:
        home = os.open("/", DIRECTORY)
        try:
            extra = {CHANNEL: theirs.fileno()}
            argv = own_program(*words)
            return spawner.start(argv, home, streams, environment, extra), ours
        finally:
            os.close(home)
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
