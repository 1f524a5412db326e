"""Figures of one logger in a file, for Prometheus: `@metrics=FILE`.

Replaced every 15 seconds while lines come or wait, and at the end. When nothing
does, nothing changes, and nobody wakes up.
"""

from s6log.outputs.exposition import (
    COUNTER,
    GAUGE,
    SUMMARY,
    Family,
    render,
    shown,
)
from s6log.outputs.replacing import replace
from s6log.unix.tai64n import NANOSECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from s6log.outputs.account import Count
    from s6log.outputs.context import Context
    from s6log.outputs.exposition import Labels
    from s6log.outputs.logdir import Logdir
    from s6log.outputs.pipe import Pipe
    from s6log.stream.batch import Batch
    from s6log.unix.loop import Timer
    from s6log.wiring import Output, Queue

EVERY_MS = 15_000
ALWAYS = b"buffer"  # a reason that is there from the start, with 0


class Figures:
    """What there is to tell of: the outputs of a logger, by their kinds."""

    __slots__ = ("_labels", "logdirs", "outputs", "pipes", "queues", "service")

    def __init__(
        self,
        service: bytes,
        outputs: "Sequence[Output]",
        queues: "Sequence[Queue]",
        logdirs: "Sequence[Logdir]",
        pipes: "Sequence[Pipe]",
    ) -> None:
        self.service = service
        self.outputs = outputs
        self.queues = queues
        self.logdirs = logdirs
        self.pipes = pipes
        names = unique(output.name for output in outputs)
        self._labels = {
            id(output): (("service", service), ("output", name))
            for output, name in zip(outputs, names, strict=True)
        }

    def families(self) -> "list[Family]":
        """Give all figures of the outputs as they are now."""
        return [*self._lines(), *self._waiting(), *self._rotations(), *self._commands()]

    @property
    def unsettled(self) -> bool:
        """Something will change even if no line comes."""
        busy = any(queue.busy for queue in self.queues)
        waits = any(output.feed.waits for output in self.outputs)
        return busy or waits or any(pipe.restless for pipe in self.pipes)

    def labels(self, output: "Output") -> "Labels":
        """Say whose figure it is; each output has a name of its own."""
        return self._labels[id(output)]

    def _lines(self) -> "list[Family]":
        selected = Family(
            "s6log_output_selected_lines_total",
            COUNTER,
            "Lines for this output: written, dropped and pending ones.",
        )
        written = Family(
            "s6log_output_written_lines_total", COUNTER, "Lines that were written."
        )
        size = Family(
            "s6log_output_written_bytes_total", COUNTER, "Bytes that were written."
        )
        dropped = Family(
            "s6log_output_dropped_lines_total",
            COUNTER,
            "Lines that were not written, and will not be.",
        )
        joined = Family(
            "s6log_output_joined_lines_total",
            COUNTER,
            "Lines that became a part of the one before them.",
        )
        for output in self.outputs:
            labels, account = self.labels(output), output.account
            selected.add(account.selected, *labels)
            written.add(account.written, *labels)
            size.add(account.written_bytes, *labels)
            joined.add(account.joined, *labels)
            for reason, lines in {ALWAYS: 0, **account.dropped}.items():
                dropped.add(lines, *labels, ("reason", reason))
        return [selected, written, size, dropped, joined]

    def _waiting(self) -> "list[Family]":
        lines = Family("s6log_output_pending_lines", GAUGE, "Lines not written yet.")
        size = Family("s6log_output_pending_bytes", GAUGE, "Bytes not written yet.")
        limit = Family("s6log_output_buffer_bytes", GAUGE, "Bytes that may be pending.")
        for queue in self.queues:
            labels, outbox = self.labels(queue), queue.outbox
            lines.add(outbox.lines, *labels)
            size.add(outbox.size, *labels)
            limit.add(outbox.limit.buffer_bytes, *labels)
        return [lines, size, limit]

    def _rotations(self) -> "list[Family]":
        rotations = Family(
            "s6log_logdir_rotations_total", COUNTER, "Rotations of this log directory."
        )
        seconds = Family(
            "s6log_logdir_processor_seconds",
            SUMMARY,
            "Time that runs of the processor took.",
        )
        failures = Family(
            "s6log_logdir_processor_failures_total",
            COUNTER,
            "Runs of the processor that failed.",
        )
        for logdir in self.logdirs:
            labels, rotator = self.labels(logdir), logdir.rotator
            rotations.add(rotator.rotations, *labels)
            if rotator.processes:
                seconds.add(rotator.run_s, *labels, suffix="_sum")
                seconds.add(rotator.runs, *labels, suffix="_count")
                failures.add(rotator.failures, *labels)
        return [rotations, seconds, failures]

    def _commands(self) -> "list[Family]":
        restarts = Family(
            "s6log_pipe_restarts_total",
            COUNTER,
            "How often a command was started anew.",
        )
        unread = Family(
            "s6log_pipe_unread_bytes", GAUGE, "Bytes in the pipe, counted as written."
        )
        for pipe in self.pipes:
            labels = self.labels(pipe.stream)
            restarts.add(pipe.restarts, *labels)
            unread.add(pipe.unread, *labels)
        return [restarts, unread]


class Metrics:
    """The file, and what has come in."""

    def __init__(
        self, context: "Context", path: bytes, figures: Figures, count: "Count"
    ) -> None:
        self._context = context
        self._path = path
        self._figures = figures
        self._count = count
        self._timer: Timer | None = None
        self._failed = False
        self._lines = 0
        self._bytes = 0
        self._last_ns = 0

    def saw(self, batch: "Batch") -> None:
        """Count a block, and see to it that the file will be written."""
        self._lines += self._count(batch.data, 0, batch.end)
        self._bytes += batch.end
        self._last_ns = batch.now_ns
        if self._timer is None:
            self._watch()

    def write(self) -> None:
        """Replace the file; a failure is told of once, until it succeeds again."""
        try:
            content = render([*self._input(), *self._figures.families()])
            replace(self._context.base_fd, self._path, (content,))
        except OSError as error:
            if not self._failed:
                text = b"unable to write metrics to " + self._path
                self._context.messages.warn(text, error)
            self._failed = True
        else:
            self._failed = False

    def close(self) -> None:
        """Write it for the last time."""
        if self._timer is not None:
            self._timer.cancel()
        self.write()

    def _on_time(self) -> None:
        self._timer = None
        self.write()
        if self._figures.unsettled:
            self._watch()

    def _watch(self) -> None:
        self._timer = self._context.loop.after(EVERY_MS, self._on_time)

    def _input(self) -> "list[Family]":
        service = "service", self._figures.service
        lines = Family("s6log_input_lines_total", COUNTER, "Lines that came in.")
        lines.add(self._lines, service)
        size = Family(
            "s6log_input_bytes_total", COUNTER, "Bytes that came in as lines."
        )
        size.add(self._bytes, service)
        last = Family(
            "s6log_last_line_timestamp_seconds",
            GAUGE,
            "When the last line came; 0 before the first.",
        )
        last.add(self._last_ns / NANOSECONDS, service)
        return [lines, size, last]


def unique(names: "Iterable[bytes]") -> list[bytes]:
    """Give names that are shown alike numbers: they would be one figure."""
    result: list[bytes] = []
    for name in map(shown, names):
        number = 1
        numbered = name
        while numbered in result:
            number += 1
            numbered = b"%b #%d" % (name, number)
        result.append(numbered)
    return result
