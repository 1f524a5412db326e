"""`s6-log-nursery`: a process that loggers are copies of.

It has loaded the logger, and does nothing but wait for orders and make a sibling for
each, a child of the supervisor like those that it executes. A page of memory that
the nursery changed after a copy was made, that copy would have for itself: hence a
process that is quiet, and not the supervisor, which never is.

The supervisor starts it as it starts a service; so it has what services begin with:
limits, signals, descriptors. It ends when the supervisor closes CHANNEL.
"""

import _socket
import gc
import os

from s6log.unix.messages import BUG, DONE, REFUSED
from supervisor.warm.become import Room, appear, become
from supervisor.warm.order import MOST_BYTES, MOST_DESCRIPTORS, READY, decode
from supervisor.warm.rehearsal import rehearse
from supervisor.warm.siblings import Siblings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

PROGRAM = b"s6-log-nursery"
CHANNEL = 3  # the descriptor that orders come through
INT_BYTES = 4
AREAS = slice(45, 49)  # of /proc/PID/stat behind the name: fields 48 to 51


def main(_arguments: list[bytes]) -> int:
    """Make loggers as ordered; return the exit code."""
    try:
        siblings = Siblings()
    except OSError:
        return REFUSED  # not on this machine: loggers are executed
    room = _make_room()
    rehearse(room)
    appear((PROGRAM,), room)
    # What is here now is never garbage; to collect it would touch every page of it.
    gc.collect()
    gc.freeze()
    try:
        return _serve(_socket.socket(fileno=CHANNEL), siblings, room)
    except ConnectionError:
        return DONE  # the supervisor has died, with an order under way or before


def _make_room() -> Room:
    """Take over the memory of the command line, and blank that of the environment.

    The C library uses the latter for variables until they are set anew.
    """
    for name, value in os.environb.items():
        os.environb[name] = value
    try:
        with open("/proc/self/stat", "rb", buffering=0) as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return Room(0, 0)
    start, end, environment_start, environment_end = map(int, fields[AREAS])
    Room(environment_start, environment_end - environment_start).show(())
    return Room(start, end - start)


def _serve(channel: _socket.socket, siblings: Siblings, room: Room) -> int:
    """Answer each order with the pid of its logger, or with nothing."""
    channel.send(READY)
    space = _socket.CMSG_SPACE(MOST_DESCRIPTORS * INT_BYTES)
    while True:
        message, ancillary, _, _ = channel.recvmsg(MOST_BYTES, space)
        if not message:
            return DONE
        fds = memoryview(ancillary[0][2]).cast("i").tolist()
        answer = b""
        try:
            pid = siblings.fork()
        except OSError:
            pass  # no process or no memory left: the supervisor will meet that, too
        else:
            if pid == 0:
                _grow_up(channel, message, fds, room)
            answer = b"%d" % pid
        for fd in fds:
            os.close(fd)
        channel.send(answer)


def _grow_up(
    channel: _socket.socket, message: bytes, fds: "Sequence[int]", room: Room
) -> "NoReturn":
    """Become the logger once the supervisor knows of it, else end unseen."""
    code = BUG
    try:
        channel.close()
        os.setsid()
        gate, *others = fds
        known = os.read(gate, 1)
        os.close(gate)
        code = become(decode(message), others, room) if known else DONE
    finally:
        os._exit(code)  # whatever happened, it must not go on as a nursery
