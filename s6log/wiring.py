"""All outputs of a logger together: what it tells them, and asks them."""

from s6log.making import Maker
from s6log.outputs.context import nothing
from s6log.script import model
from s6log.script.model import DROP_NEWEST, Limit
from s6log.unix.fds import STDERR, Writer, same_stream
from s6log.unix.messages import to_stderr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Protocol

    from s6log.outputs.account import Account, Count
    from s6log.outputs.context import Context
    from s6log.outputs.feed import Feed, Parcel
    from s6log.outputs.logdir import Logdir
    from s6log.outputs.metrics import Metrics
    from s6log.outputs.outbox import Outbox
    from s6log.outputs.patience import Slow
    from s6log.outputs.pipe import Pipe
    from s6log.outputs.shared import Port
    from s6log.outputs.status import Status
    from s6log.stream.batch import Batch

    class Output(Protocol):
        """The face of every output."""

        feed: Feed

        @property
        def name(self) -> bytes:
            """What messages call it."""

        @property
        def account(self) -> Account:
            """What has become of its lines."""

        def deliver(self, batch: Batch) -> None:
            """Take the lines of a block."""

        def accept(self, parcels: Iterable[Parcel], /) -> None:
            """Take records."""

    class Queue(Output, Protocol):
        """The face of every output that can be behind with its work."""

        @property
        def excuse(self) -> bytes:
            """Why it takes nothing now."""

        @property
        def outbox(self) -> Outbox:
            """What it has accepted and not written yet."""

        @property
        def growth(self) -> int:
            """The most bytes that one byte of input can become."""

        @property
        def unread(self) -> int:
            """Bytes that were written and that nobody has read."""

        @property
        def busy(self) -> bool:
            """Something is left to do: bytes to write, or anything else."""

        def give_up(self) -> int | None:
            """Drop what is pending; how many lines nobody hears of. None: not now."""


LEAST_ROOM_BYTES = 4096  # reading less at a time is not worth a turn
VOICE_BYTES = 64 << 10  # of messages that nobody has read
ORDINARY_GROWTH = 4  # of lines as JSON, the largest there is


class Outputs:
    """All outputs of one logger, in the order in which a block reaches them.

    Alerts first, then status files, then the rest: what people wait for does
    not wait for disks. Raises Fatal when a log directory cannot be used.
    """

    def __init__(self, context: "Context", script: model.Script) -> None:
        self._context = context
        self._maker = maker = Maker(context, script)
        self.prefixes = maker.prefixes()
        actions = script.actions
        self._logdirs: list[Logdir] = []
        self._pipes: list[Pipe] = []
        statuses: list[Status] = []
        for number, action in actions:
            if isinstance(action, model.Logdir):
                self._logdirs.append(maker.logdir(number, action))
            elif isinstance(action, model.Status):
                statuses.append(maker.status(number, action))
            elif isinstance(action, model.Pipe):
                self._pipes.append(maker.pipe(number, action))
        alerts = [pair for pair in actions if isinstance(pair[1], model.Alert)]
        lines = [pair for pair in actions if isinstance(pair[1], model.Stdout)]
        first: list[Queue] = [maker.alerts(alerts)] if alerts else []
        consoles: list[Queue] = [maker.console(lines)] if lines else []
        pipes = [pipe.stream for pipe in self._pipes]
        last = [*consoles, *pipes, *self._logdirs]
        self._queues: list[Queue] = [*first, *last]
        self._all: list[Output] = [*first, *statuses, *last]
        # A queue that drops lines has room for everything.
        self._patient = [queue for queue in self._queues if queue.outbox.patient]
        self._growths = [(queue.outbox, queue.growth) for queue in self._patient]
        self._metrics: Metrics | None = None
        if maker.count is not None:
            self._metrics = self._open_metrics(script.metrics, maker.count)
        self.gave_up = False  # lines that may not be lost
        self._winding_up = False
        self._voice = self._find_voice()
        if self._voice is not None:
            context.messages.write = self._voice.say
        else:
            context.messages.write = Writer(STDERR).say

    @property
    def busy(self) -> bool:
        """Some output has something left to do."""
        return any(queue.busy for queue in self._queues)

    @property
    def held_up(self) -> bool:
        """Some output that nothing may be lost for has something left to do."""
        return any(queue.busy for queue in self._patient)

    @property
    def closed(self) -> bool:
        """Every log directory has ended in order, every command; all is said."""
        return self._ended and not self._speaking

    @property
    def _ended(self) -> bool:
        commands = all(pipe.closed for pipe in self._pipes)
        return commands and all(logdir.closed for logdir in self._logdirs)

    @property
    def _speaking(self) -> bool:
        return self._voice is not None and self._voice.outbox.size > 0

    def begin(self) -> None:
        """Start what depends on time, and commands; write the first figures."""
        for logdir in self._logdirs:
            logdir.begin()
        for pipe in self._pipes:
            pipe.begin()
        if self._metrics is not None:
            self._metrics.write()

    def deliver(self, batch: "Batch") -> None:
        """Give each output its lines of the block."""
        for output in self._all:
            output.deliver(batch)
        if self._metrics is not None:
            self._metrics.saw(batch)

    def room(self, most: int) -> int:
        """Give how many bytes of input, up to `most`, all outputs have room for.

        Whatever lines they are: each byte may be a line with its prefix. Where a
        limit is so small that little could be read by that, lines are taken to be
        of ordinary length: some thirty bytes, or more.
        """
        rooms = [most]
        for outbox, growth in self._growths:
            limit = outbox.limit.buffer_bytes
            free = limit - outbox.size
            room = free // growth
            if limit // growth < LEAST_ROOM_BYTES:
                room = max(room, min(LEAST_ROOM_BYTES, free // ORDINARY_GROWTH))
            rooms.append(room)
        return min(rooms)

    def fullest(self) -> "Queue":
        """Give the output that has most pending, for its limit."""
        return max(self._patient, key=fullness)

    def rotate(self) -> None:
        """Rotate every log directory."""
        for logdir in self._logdirs:
            if not logdir.closed:
                logdir.alarm()

    def end(self, timeout_ms: int | None) -> None:
        """Send everything on its way: nothing more will come.

        What may be lost, and commands, are not waited for if they take nothing for
        that long.
        """
        for output in self._all:
            output.accept(output.feed.flush())
        for pipe in self._pipes:
            pipe.hurry()
        if timeout_ms is None:
            return
        streams = [pipe.stream for pipe in self._pipes]
        for queue in self._queues:
            if queue.outbox.patient and queue in streams:
                self._hurry(queue, timeout_ms, self._on_loss)
            elif not queue.outbox.patient:
                self._hurry(queue, timeout_ms, nothing)

    def finish(self, timeout_ms: int | None) -> None:
        """End every log directory and command in order; only when none is busy."""
        for pipe in self._pipes:
            pipe.finish(timeout_ms)
        for logdir in self._logdirs:
            logdir.finish()

    def wind_up(self, timeout_ms: int | None) -> None:
        """Let what was said be read, but not for ever, once all else has ended."""
        if self._ended and self._voice is not None and not self._winding_up:
            self._winding_up = True
            if timeout_ms is not None:
                self._hurry(self._voice, timeout_ms, nothing)

    def close(self) -> None:
        """Write the last figures; let go of stdout and stderr: all else is closed."""
        if self._metrics is not None:
            self._metrics.close()
        self._context.messages.write = to_stderr
        for shared in self._maker.shared.values():
            shared.close()

    def _hurry(
        self, output: "Slow", timeout_ms: int, gave_up: "Callable[[], None]"
    ) -> None:
        """Wait for an output no longer than it takes something."""
        from s6log.outputs.patience import Patience

        Patience(self._context, output, timeout_ms, gave_up).begin()

    def _on_loss(self) -> None:
        self.gave_up = True

    def _open_metrics(self, path: bytes, count: "Count") -> "Metrics":
        from s6log.identity import identify
        from s6log.outputs.metrics import Figures, Metrics

        figures = Figures(
            identify(wide=False).service,
            self._all,
            self._queues,
            self._logdirs,
            self._pipes,
        )
        return Metrics(self._context, path, figures, count)

    def _find_voice(self) -> "Port | None":
        """Choose how messages reach stderr: never inside a line of our own."""
        for fd, shared in self._maker.shared.items():
            if fd == STDERR or same_stream(fd, STDERR):
                limit = Limit(VOICE_BYTES, DROP_NEWEST)
                return shared.port(limit, careful=True)
        return None


def fullness(queue: "Queue") -> float:
    """Give the part of its limit that an output has pending."""
    return queue.outbox.size / queue.outbox.limit.buffer_bytes
