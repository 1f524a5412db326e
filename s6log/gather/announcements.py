"""Learns of pipes: packets on a socket, from whoever holds the other ends.

A packet (SOCK_SEQPACKET) is a digit, 1 or 2, for the descriptor that a service
writes to, and the service's name; with it comes the read end of the pipe
(SCM_RIGHTS). When the other end of the socket is closed, no more will come.
"""

import _socket
import os
import select
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from s6log.outputs.context import Context

STREAMS = {b"1": b"stdout", b"2": b"stderr"}
PACKET_BYTES = 1024  # more than a digit and any name of a directory
INT_BYTES = struct.calcsize("i")
CONTROL_BYTES = _socket.CMSG_SPACE(2 * INT_BYTES)  # one more than there should be
FLAGS = _socket.MSG_DONTWAIT | _socket.MSG_CMSG_CLOEXEC
CUT_OFF = _socket.MSG_TRUNC | _socket.MSG_CTRUNC


class Announcements:
    """What is announced on a socket; `announced` gets name, stream and descriptor."""

    def __init__(
        self,
        context: "Context",
        fd: int,
        announced: "Callable[[bytes, bytes, int], None]",
    ) -> None:
        self._loop = context.loop
        self._messages = context.messages
        self._announced = announced
        self._socket = _socket.socket(fileno=fd)
        self._loop.watch(fd, select.POLLIN, self._on_packet)
        self.ended = False

    def _on_packet(self, _events: int) -> None:
        """Take one; poll(2) reports what is left."""
        try:
            packet, controls, flags, _ = self._socket.recvmsg(
                PACKET_BYTES, CONTROL_BYTES, FLAGS
            )
        except BlockingIOError:
            return
        fds = [fd for control in controls for fd in descriptors(*control)]
        stream = STREAMS.get(packet[:1])
        if not packet and not fds:
            self._end()
        elif stream is None or len(packet) == 1 or len(fds) != 1 or flags & CUT_OFF:
            self._refuse(packet, fds)
        else:
            self._announced(packet[1:], stream, fds[0])

    def _refuse(self, packet: bytes, fds: list[int]) -> None:
        """Take what cannot be understood for nothing.

        No descriptor comes where there is no room for one (recvmsg(2), MSG_CTRUNC).
        """
        for fd in fds:
            os.close(fd)
        text = b"ignoring an announcement of %d bytes and %d descriptors"
        self._messages.warn(text % (len(packet), len(fds)))

    def _end(self) -> None:
        self._loop.unwatch(self._socket.fileno())
        self._socket.close()
        self.ended = True


def descriptors(level: int, kind: int, content: bytes) -> "tuple[int, ...]":
    """Give the descriptors that came with a packet, in a control message (cmsg(3))."""
    if (level, kind) != (_socket.SOL_SOCKET, _socket.SCM_RIGHTS):
        return ()
    count = len(content) // INT_BYTES
    return struct.unpack_from(f"{count}i", content)
