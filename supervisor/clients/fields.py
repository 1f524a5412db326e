"""What s6-svstat says of one service: its line of text, and its fields. Pure.

The words are those of s6 2.15; s6 2.11 has no `pgid` and no "not started yet".
"""

from s6log.unix import tai64n
from supervisor.service import signal_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.service.status import Status

    Value = bool | int | bytes | None


class View:
    """A status as seen at one instant (nanoseconds since the epoch).

    `normally_up` tells that there is no file `down`.
    """

    __slots__ = ("normally_up", "now_ns", "status")

    def __init__(self, status: "Status", normally_up: bool, now_ns: int) -> None:
        self.status = status
        self.normally_up = normally_up
        self.now_ns = now_ns

    @property
    def seconds(self) -> int:
        """How long the service has been up or down."""
        return self._seconds_since(self.status.stamp_ns)

    @property
    def ready_seconds(self) -> int:
        """How long ago it became ready, or down and ready."""
        return self._seconds_since(self.status.ready_ns)

    @property
    def signal(self) -> int | None:
        """The signal that run died of, when the service is down."""
        signal = self.status.wait_status & 0x7F
        return signal if signal and self._died else None

    @property
    def exit_code(self) -> int | None:
        """The code that run exited with, when the service is down."""
        signal = self.status.wait_status & 0x7F
        return self.status.wait_status >> 8 if self._died and not signal else None

    @property
    def _died(self) -> bool:
        return self.status.started and not self.status.up

    def _seconds_since(self, then_ns: int) -> int:
        # What is yet to come is taken for now: clocks are set back at times.
        return max(0, self.now_ns - then_ns) // tai64n.NANOSECONDS


def text(view: View, numbers: bool) -> bytes:
    """Give the line of s6-svstat without options, without its newline.

    `numbers` asks for the number of a signal instead of its name.
    """
    status, up = view.status, view.status.up
    pieces = [_up_or_down(view, numbers)]
    if up != view.normally_up:
        pieces.append(b"normally down" if up else b"normally up")
    if up and status.paused:
        pieces.append(b"paused")
    if up != status.want_up:
        pieces.append(b"want down" if up else b"want up")
    if status.ready and status.started:
        pieces.append(b"ready %d seconds" % view.ready_seconds)
    return b", ".join(pieces)


def _up_or_down(view: View, numbers: bool) -> bytes:
    status = view.status
    if not status.started:
        return b"down (not started yet) "  # the blank is there in s6 too
    if status.up:
        how = b"up (pid %d pgid %d)" % (status.pid, status.pid)
    else:
        how = b"down (" + last_exit(status.wait_status, numbers) + b")"
    return how + b" %d seconds" % view.seconds


def last_exit(wait_status: int, numbers: bool) -> bytes:
    """Say how run died: `exitcode 1`, `signal SIGTERM`, or `signal 15`."""
    signal = wait_status & 0x7F
    if not signal:
        return b"exitcode %d" % (wait_status >> 8)
    return b"signal " + (b"%d" % signal if numbers else signal_names.name(signal))


FIELDS: "dict[bytes, Callable[[View], Value]]" = {
    b"up": lambda view: view.status.up,
    b"wantedup": lambda view: view.status.want_up,
    b"normallyup": lambda view: view.normally_up,
    b"ready": lambda view: view.status.pid != 0 and view.status.ready,
    b"paused": lambda view: view.status.pid != 0 and view.status.paused,
    b"pid": lambda view: view.status.pid if view.status.up else None,
    b"pgid": lambda view: view.status.pid if view.status.up else None,
    b"exitcode": lambda view: view.exit_code,
    b"signal": lambda view: signal_names.name(view.signal) if view.signal else None,
    b"signum": lambda view: view.signal,
    b"updownsince": lambda view: tai64n.label(view.status.stamp_ns),
    b"readysince": lambda view: tai64n.label(view.status.ready_ns),
    b"updownfor": lambda view: view.seconds,
    b"readyfor": lambda view: view.ready_seconds,
}
"""In the order of s6 2.11, where the first that begins with what is given counts."""

LETTERS = {
    b"u": b"up",
    b"w": b"wantedup",
    b"N": b"normallyup",
    b"r": b"ready",
    b"p": b"pid",
    b"g": b"pgid",
    b"e": b"exitcode",
    b"s": b"signal",
    b"t": b"updownfor",
}
"""Options that are short for a field."""


def find(word: bytes) -> bytes | None:
    """Give the field that a word means: its name, or how its name begins.

    s6 2.15 takes whole names only, s6 2.11 any beginning. None if there is none.
    """
    return next((name for name in FIELDS if word and name.startswith(word)), None)


def field(view: View, name: bytes) -> bytes:
    """Give a field as s6-svstat prints it."""
    value = FIELDS[name](view)
    if value is None:
        return b"NA" if name == b"signal" else b"-1"
    if isinstance(value, bytes):
        return value
    return str(value).lower().encode()
