"""The keeper's own process: it holds descriptors for a supervisor that may die.

Forked from the supervisor, it does nothing but wait for packets on a socket
(SOCK_SEQPACKET). Each is a word, or a word, a blank and a key; KEEP comes with
descriptors (SCM_RIGHTS). END and SIGKILL end the keeper, and the death of its
supervisor when there is nothing to keep.
"""

import _socket
import gc
import os
import resource
import select
import struct

from s6log.unix.fds import FIRST_FREE_FD, replace_by_null
from s6log.unix.signals import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

KEEP, DROP, GIVE, END = b"keep", b"drop", b"give", b"end"
PACKET_BYTES = 1024  # more than any word and key
MOST_FDS = 253  # in one packet: SCM_MAX_FD, unix(7)
CONTROL_BYTES = _socket.CMSG_SPACE(MOST_FDS * struct.calcsize("i"))
UCRED = "3i"  # struct ucred: pid, uid, gid
UCRED_BYTES = struct.calcsize(UCRED)
ROOT = 0
SPARE_FDS = 8  # never filled by what is kept: a new supervisor can always come
SEND_TIMEOUT = struct.pack("ll", 5, 0)  # struct timeval
HIGHEST_FD = 1 << 20  # fs.nr_open as it comes; numbers are given lowest first
NAME = b"s6-svscan-keep"  # at most 15 bytes (proc(5), comm)


def send(peer: "_socket.socket", packet: bytes, fds: "Sequence[int]" = ()) -> None:
    """Send one packet and descriptors with it. OSError."""
    rights = struct.pack(f"{len(fds)}i", *fds)
    controls = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)] if fds else []
    peer.sendmsg([packet], controls)


def receive(peer: "_socket.socket") -> tuple[bytes, list[int]]:
    """Receive one packet and the descriptors in it; empty at the end. OSError."""
    packet, controls, _, _ = peer.recvmsg(
        PACKET_BYTES, CONTROL_BYTES, _socket.MSG_CMSG_CLOEXEC
    )
    fds: list[int] = []
    for level, kind, content in controls:
        if (level, kind) == (_socket.SOL_SOCKET, _socket.SCM_RIGHTS):
            count = len(content) // struct.calcsize("i")
            fds += struct.unpack_from(f"{count}i", content)
    return packet, fds


def be_keeper(listener: "_socket.socket") -> "NoReturn":
    """Make of this process, forked for it, the keeper behind a listening socket."""
    try:
        _leave_supervisor(listener.fileno())
        Holder(listener).run()
    finally:
        os._exit(0)


def _leave_supervisor(listener: int) -> None:
    """Keep nothing of the supervisor: session, directory, descriptors, signals."""
    gc.disable()  # looking for cycles writes to memory that is still shared
    # Blocked, and not ignored: one call for all, and nothing runs between.
    signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    signal.set_wakeup_fd(-1)
    os.setsid()
    os.chdir("/")
    for fd in range(FIRST_FREE_FD):
        replace_by_null(fd)
    # The locks on service directories belong to open files, not to processes.
    os.closerange(FIRST_FREE_FD, listener)
    os.closerange(listener + 1, HIGHEST_FD)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    _take_name()


def _take_name() -> None:
    try:
        fd = os.open("/proc/self/comm", os.O_WRONLY)
    except OSError:
        return
    os.write(fd, NAME)
    os.close(fd)


class Holder:
    """What is kept, by key, and whom it is kept for: whoever connected last."""

    __slots__ = ("_kept", "_listener", "_most", "_peer", "_poll")

    def __init__(self, listener: "_socket.socket") -> None:
        self._listener = listener
        self._kept: dict[bytes, list[int]] = {}
        self._peer: _socket.socket | None = None
        self._most = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_FDS
        self._poll = select.poll()
        self._poll.register(listener.fileno(), select.POLLIN)

    def run(self) -> None:
        """Serve, one supervisor after the other, while there is a reason to."""
        needed = True
        while needed:
            ready = [fd for fd, _events in self._poll.poll()]
            # What a supervisor has said last comes before its successor.
            if self._peer is not None and self._peer.fileno() in ready:
                needed = self._serve(self._peer)
            else:
                self._welcome()

    def _welcome(self) -> None:
        """Turn to a new supervisor: the lock on its directory makes it the only one."""
        # What socket.socket.accept is made of; missing in typeshed.
        fd, _address = self._listener._accept()  # type: ignore[attr-defined]
        peer = _socket.socket(fileno=fd)
        who = peer.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, UCRED_BYTES)
        _pid, uid, _gid = struct.unpack(UCRED, who)
        if uid not in (os.geteuid(), ROOT):
            peer.close()
            return
        # One that asks and never reads must not stop us for good.
        peer.setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDTIMEO, SEND_TIMEOUT)
        self._part()
        self._peer = peer
        self._poll.register(fd, select.POLLIN)

    def _part(self) -> None:
        if self._peer is not None:
            self._poll.unregister(self._peer.fileno())
            self._peer.close()
            self._peer = None

    def _serve(self, peer: "_socket.socket") -> bool:
        """Do what one packet says; tell whether this keeper is still needed."""
        try:
            packet, fds = receive(peer)
        except ConnectionResetError:
            return True  # it left without reading all; what it sent is still here
        word, _, key = packet.partition(b" ")
        if word == KEEP and fds and max(fds) < self._most:
            fds, self._kept[key] = self._kept.get(key, []), fds
        elif word == DROP:
            fds += self._kept.pop(key, [])
        elif word == GIVE:
            self._give(peer)
        elif not packet:
            self._part()
        for fd in fds:
            os.close(fd)
        # A supervisor that finds no keeper makes one: nothing is kept by none.
        return packet != END and bool(self._peer or self._kept)

    def _give(self, peer: "_socket.socket") -> None:
        """Send all that is kept, and go on keeping it."""
        try:
            for key, fds in self._kept.items():
                send(peer, KEEP + b" " + key, fds)
            send(peer, END)
        except OSError:
            self._part()
