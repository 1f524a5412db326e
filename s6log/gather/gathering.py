"""All announced pipes, and the one standard output that their lines go to.

One, since the locks by which loggers take turns are per process (turns.py). It is
written in pieces that programs without locks cannot tear either: the container's
command writes to the same.
"""

from s6log.gather.inlet import Inlet
from s6log.inputs.held import Copy
from s6log.outputs.shared import Shared
from s6log.script.model import DROP_NEWEST, Limit
from s6log.unix.fds import STDERR, STDOUT, Writer, same_stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.gather.records import Records
    from s6log.outputs.context import Context
    from s6log.stream.blocks import Data

VOICE_BYTES = 64 << 10  # of messages that nobody has read


class Gathering:
    """Takes lines from every inlet in turn, as long as they can be written.

    While something is left to write, nothing is taken. Then those come first that
    have waited longest, or one that never stops would be the only one.
    """

    def __init__(self, context: "Context", records: "Records") -> None:
        self.loop = context.loop
        self.messages = context.messages
        self.copy = Copy()
        self._records = records
        self._backlog = context.backlog
        self._shared = Shared(context, STDOUT, self._lost)
        self._shared.changed = self._on_change
        self._port = self._shared.port(careful=True)
        if same_stream(STDOUT, STDERR):
            limit = Limit(VOICE_BYTES, DROP_NEWEST)
            self.messages.write = self._shared.port(limit, careful=True).say
        else:
            self.messages.write = Writer(STDERR).say
        self._inlets: dict[Inlet, None] = {}  # the one that wrote last is last
        self._held = False

    @property
    def done(self) -> bool:
        """Every pipe has come to its end, and all is written."""
        return not self._inlets and not self._backlog.size

    def add(self, name: bytes, stream: bytes, fd: int) -> None:
        """Take lines from a pipe, which is owned here from now on."""
        former = self._records.former(name, stream)
        inlet = Inlet(self, fd, name, former)
        self._inlets[inlet] = None
        if not self._held:
            inlet.go_on()

    def forget(self, inlet: Inlet) -> None:
        """Take notice that an inlet has ended."""
        del self._inlets[inlet]

    def put(self, head: bytes, data: "Data", end: int) -> None:
        """Write records, or keep what cannot be written now."""
        self._port.put(head, data, end)

    def settle(self, inlet: Inlet) -> None:
        """Let an inlet go on that has put something; or all stop until it has left."""
        self._inlets[inlet] = self._inlets.pop(inlet)
        if not self._backlog.size:
            inlet.go_on()
        elif not self._held:
            self._held = True
            for other in self._inlets:
                other.pause()

    def _on_change(self) -> None:
        """Go on when everything is written."""
        if self._held and not self._backlog.size:
            self._held = False
            for inlet in list(self._inlets):
                inlet.go_on()

    def _lost(self, error: OSError) -> None:
        what = b"unable to write to stdout, closing the stream - error was"
        self.messages.insist(what, error)
