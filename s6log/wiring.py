"""From a script's actions to open outputs, and what a logger asks all of them."""

from s6log.outputs.console import ALERT, Alerts, Console
from s6log.outputs.logdir import Logdir
from s6log.outputs.shared import Shared
from s6log.outputs.status import Status
from s6log.script import model
from s6log.stream.format import prefix_size
from s6log.unix.fds import STDERR, STDOUT, Writer, same_stream
from s6log.unix.messages import to_stderr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from s6log.outputs.context import Context
    from s6log.stream.batch import Batch, Route

    class Queue(Protocol):
        """The face of every output that can be behind with its work."""

        @property
        def routes(self) -> Sequence[Route]:
            """What it wants of each block."""

        @property
        def name(self) -> bytes:
            """What messages call it."""

        @property
        def excuse(self) -> bytes:
            """Why it takes nothing now."""

        @property
        def pending(self) -> int:
            """Bytes accepted and not written yet."""

        @property
        def busy(self) -> bool:
            """Something is left to do: bytes to write, or anything else."""

        def deliver(self, batch: Batch) -> None:
            """Take the lines of a block."""


BUFFER_BYTES = 16 << 20  # what one output may have pending


class Outputs:
    """All outputs of one logger, in the order in which a block reaches them.

    Alerts first, then status files, then the rest: what people wait for does
    not wait for disks. Raises Fatal when a log directory cannot be used.
    """

    def __init__(self, context: "Context", script: model.Script) -> None:
        self._context = context
        self._logdirs: list[Logdir] = []
        self._statuses: list[Status] = []
        alerts: list[tuple[int, model.Alert]] = []
        lines: list[tuple[int, model.Stdout]] = []
        for number, element in enumerate(script.elements):
            for action in element.actions:
                if isinstance(action, model.Logdir):
                    self._logdirs.append(Logdir(number, action, context))
                elif isinstance(action, model.Status):
                    status = Status(number, action, context.base_fd, context.messages)
                    self._statuses.append(status)
                elif isinstance(action, model.Alert):
                    alerts.append((number, action))
                elif isinstance(action, model.Stdout):
                    lines.append((number, action))
        self._shared: dict[int, Shared] = {}
        first = [Alerts(alerts, self._share(STDERR))] if alerts else []
        last = [Console(lines, self._share(STDOUT))] if lines else []
        self._queues: list[Queue] = [*first, *last, *self._logdirs]
        self._all: list[Queue | Status] = [
            *first,
            *self._statuses,
            *last,
            *self._logdirs,
        ]
        self._growth = [_growth(queue) for queue in self._queues]
        context.messages.write = self._voice()

    @property
    def busy(self) -> bool:
        """Some output has something left to do."""
        return any(queue.busy for queue in self._queues)

    @property
    def closed(self) -> bool:
        """Every log directory has ended in order."""
        return all(logdir.closed for logdir in self._logdirs)

    def begin(self) -> None:
        """Start what depends on time."""
        for logdir in self._logdirs:
            logdir.begin()

    def deliver(self, batch: "Batch") -> None:
        """Give each output its lines of the block."""
        for output in self._all:
            output.deliver(batch)

    def room(self, most: int) -> int:
        """Give how many bytes of input, up to `most`, all outputs have room for.

        Whatever lines they are: each byte may be a line with its prefix.
        """
        return min(
            (
                (BUFFER_BYTES - queue.pending) // growth
                for queue, growth in zip(self._queues, self._growth, strict=True)
            ),
            default=most,
        )

    def fullest(self) -> "Queue":
        """Give the output that has most pending."""
        return max(self._queues, key=lambda queue: queue.pending)

    def rotate(self) -> None:
        """Rotate every log directory."""
        for logdir in self._logdirs:
            if not logdir.closed:
                logdir.alarm()

    def finish(self) -> None:
        """End every log directory in order; only when none is busy."""
        for logdir in self._logdirs:
            logdir.finish()

    def close(self) -> None:
        """Let go of stdout and stderr, when everything else is closed."""
        self._context.messages.write = to_stderr
        for shared in self._shared.values():
            shared.close()

    def _share(self, fd: int) -> Shared:
        """Give the one owner of what `fd` writes to.

        With `2>&1` both numbers are one pipe: two owners would tear each
        other's lines, as the locks that keep loggers apart are per process.
        """
        if fd == STDOUT and STDERR in self._shared and same_stream(STDOUT, STDERR):
            return self._shared[STDERR]

        def lost(error: OSError) -> None:
            if fd == STDOUT:
                what = b"unable to write to stdout, closing the stream - error was"
                self._context.messages.insist(what, error)

        shared = Shared(self._context, fd, lost)
        shared.changed = self._on_change
        self._shared[fd] = shared
        return shared

    def _voice(self) -> "Callable[[bytes], None]":
        """Choose how messages reach stderr: never blocking, never inside a line."""
        for fd, shared in self._shared.items():
            if fd == STDERR or same_stream(fd, STDERR):
                return lambda text: shared.put(b"", text, len(text))
        writer = Writer(STDERR)

        def say(text: bytes) -> None:
            try:
                writer.write((text,))
            except OSError:
                pass  # full, or gone: there is nobody to tell

        return say

    def _on_change(self) -> None:
        self._context.changed()


def _growth(queue: "Queue") -> int:
    """Give the most bytes that one byte of input can become: an empty line."""
    record = sum(1 + prefix_size(route.format) for route in queue.routes)
    if isinstance(queue, Alerts):
        record += len(ALERT) * len(queue.routes)
    return record
