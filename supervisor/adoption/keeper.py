"""The supervisor's side of the keeper: what it shall hold, and telling it so.

Nothing here waits for the keeper, but when a new supervisor takes back what a dead
one has left with it.
"""

import _socket
import errno
import os
import select
import time

from supervisor.adoption.keeping import DROP, END, GIVE, KEEP, be_keeper, receive, send

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from s6log.unix.loop import Loop, Timer

ANSWER_S = 5.0
PAUSE_MS = 1000  # between two keepers that die at once
PAUSE_NS = PAUSE_MS * 1_000_000
# The kernel's memory, or all descriptors of this user that are under way (unix(7)):
# poll(2) does not say when there is room again.
CROWDED = (errno.ETOOMANYREFS, errno.ENOBUFS, errno.ENOMEM)


class Keeper:
    """Holds copies of descriptors in a process of its own, which survives ours.

    `path` names its socket, in a directory that only its owner may enter. `lost` is
    called when the keeper has died; another is started, and told everything, by
    itself. Until `start`, and after `end`, what is kept is only noted.
    """

    __slots__ = (
        "_forked_ns",
        "_kept",
        "_loop",
        "_lost",
        "_owed",
        "_path",
        "_peer",
        "_timer",
    )

    def __init__(self, loop: "Loop", path: bytes, lost: "Callable[[], None]") -> None:
        self._loop = loop
        self._path = path
        self._lost = lost
        self._kept: dict[bytes, Sequence[int]] = {}
        # Keys of which the keeper is to be told. Not a queue of packets: a stopped
        # keeper costs no memory, and no descriptor is sent after it was closed.
        self._owed: dict[bytes, None] = {}
        self._peer: _socket.socket | None = None
        self._timer: Timer | None = None
        self._forked_ns = -PAUSE_NS

    def start(self) -> dict[bytes, list[int]]:
        """Have a keeper from now on: the one that a dead supervisor left, or a new one.

        Gives what the former holds: descriptors of our own, close-on-exec, in the
        order in which they were given. It goes on holding a key until that is kept
        anew or dropped. OSError when there is no keeper and none can be made.
        """
        given: dict[bytes, list[int]] = {}
        try:
            peer = _take_back(self._path, given)
        except OSError:  # nobody is there, or nobody who answers to the end
            self._fork()
        else:
            self._attach(peer)
        return given

    def keep(self, key: bytes, fds: "Sequence[int]") -> None:
        """Have copies of `fds` held under `key`, instead of any before.

        They stay the caller's, who calls `drop` before closing them.
        """
        self._kept[key] = fds
        self._owe(key)

    def drop(self, key: bytes) -> None:
        """Have the copies under `key` closed; an unknown one is fine."""
        self._kept.pop(key, None)
        self._owe(key)

    def end(self) -> None:
        """Have all copies closed, and the keeper end."""
        self._kept.clear()
        self._cancel()
        if self._peer is not None:
            _retire(self._detach(self._peer))

    # ---- the process

    def _fork(self) -> None:
        self._forked_ns = time.monotonic_ns()
        listener = _listen(self._path)
        try:
            if os.fork() == 0:
                be_keeper(listener)
            peer = _connect(self._path)
        finally:
            listener.close()
        self._attach(peer)

    def _replace(self) -> None:
        """Fork another keeper; not too often, should it die at once each time."""
        self._timer = None
        if time.monotonic_ns() - self._forked_ns >= PAUSE_NS:
            try:
                self._fork()
            except OSError:
                pass
            else:
                return
        self._timer = self._loop.after(PAUSE_MS, self._replace)

    # ---- the connection

    def _attach(self, peer: "_socket.socket") -> None:
        peer.setblocking(False)
        self._peer = peer
        self._owed = dict.fromkeys(self._kept)
        self._tell(peer)

    def _detach(self, peer: "_socket.socket") -> "_socket.socket":
        self._cancel()
        self._loop.unwatch(peer.fileno())
        self._peer = None
        self._owed.clear()
        return peer

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _owe(self, key: bytes) -> None:
        if self._peer is None:
            return
        waiting = bool(self._owed)
        self._owed[key] = None
        if not waiting:
            self._tell(self._peer)

    def _tell(self, peer: "_socket.socket") -> None:
        """Tell the keeper what it is owed; what it does not take now, later."""
        wanted = select.POLLIN
        try:
            for key in list(self._owed):
                fds = self._kept.get(key, ())
                send(peer, (KEEP if fds else DROP) + b" " + key, fds)
                del self._owed[key]
        except BlockingIOError:
            wanted |= select.POLLOUT
        except ConnectionError:
            pass  # poll(2) says so as well
        except OSError as error:
            if error.errno not in CROWDED:
                raise
            self._timer = self._loop.after(PAUSE_MS, self._tell_again)
        self._loop.watch(peer.fileno(), wanted, self._on_peer)

    def _tell_again(self) -> None:
        self._timer = None
        if self._peer is not None:
            self._tell(self._peer)

    def _on_peer(self, events: int) -> None:
        if self._peer is None:
            return
        if events == select.POLLOUT:
            self._tell(self._peer)
            return
        # It never says anything unasked: this is its end.
        self._detach(self._peer).close()
        self._lost()
        self._replace()


def _connect(path: bytes) -> "_socket.socket":
    peer = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    peer.settimeout(ANSWER_S)
    try:
        peer.connect(path)
    except OSError:
        peer.close()
        raise
    return peer


def _take_back(path: bytes, given: dict[bytes, list[int]]) -> "_socket.socket":
    """Connect to a keeper and add what it holds to `given`, as far as it answers."""
    peer = _connect(path)
    try:
        send(peer, GIVE)
        packet = b""
        while packet != END:
            packet, fds = receive(peer)
            word, _, key = packet.partition(b" ")
            if word == KEEP:
                given[key] = fds
            elif not packet:
                raise ConnectionResetError
    except OSError:
        peer.close()
        raise
    return peer


def _retire(peer: "_socket.socket") -> None:
    """Tell a keeper to end, and leave it."""
    peer.settimeout(ANSWER_S)
    try:
        send(peer, END)
    except OSError:
        pass
    peer.close()


def _listen(path: bytes) -> "_socket.socket":
    """Make the socket, instead of that of any other keeper, which has to end."""
    try:
        _retire(_connect(path))
    except OSError:
        pass
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    try:
        listener.bind(path)
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener
