"""A logger whose figures are read, and whose sums are looked at each time."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from harness import Pipe
from inside import Desk, drive, settle
from s6log import daemon
from s6log.logger import Logger
from s6log.outputs.metrics import Metrics
from s6log.script.directives import parse
from s6log.script.options import Options
from s6log.unix.loop import Loop

FIGURES = "figures"
OUTPUT = "s6log_output_"

Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read_figures(path: Path) -> Figures:
    """Read a file of metrics, with the parser of Prometheus's own library."""
    text = path.read_bytes().decode()
    assert text.endswith("\n")
    found: Figures = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        assert family.type in {"counter", "gauge", "summary"}
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found, f"{key} is there twice"
            found[key] = sample.value
    return found


class Scrape:
    """The figures of one moment; sums are looked at when it is made."""

    def __init__(self, path: Path) -> None:
        self._figures = read_figures(path)
        self.outputs = self._labels("output")
        for name in self.outputs:
            gone = self.of("written_lines_total", name) + sum(
                self.dropped(name).values()
            )
            pending = self.of("pending_lines", name)
            assert self.of("selected_lines_total", name) == gone + pending, name

    def _labels(self, key: str) -> list[str]:
        found = (dict(labels).get(key) for _, labels in self._figures)
        return list(dict.fromkeys(value for value in found if value is not None))

    def all(self, name: str) -> dict[str, float]:
        """Give a figure of each output, or of the input, which has no name."""
        return {
            dict(labels).get("output", ""): value
            for (found, labels), value in self._figures.items()
            if found == f"s6log_{name}"
        }

    def of(self, name: str, output: str) -> float:
        """Give one figure of an output; 0 where there is none."""
        return self.all(f"output_{name}").get(output, 0)

    def dropped(self, output: str) -> dict[str, int]:
        """Give how many lines an output has dropped, by reason; those with any."""
        found: dict[str, int] = {}
        for (name, labels), value in self._figures.items():
            known = dict(labels)
            if name == f"{OUTPUT}dropped_lines_total" and known["output"] == output:
                found[known["reason"]] = int(value)
        assert "buffer" in found
        return {reason: lines for reason, lines in found.items() if lines}

    def services(self) -> set[str]:
        """Give the services that there are figures of."""
        return set(self._labels("service"))


class Counted:
    """A logger in this process that writes its figures when the test wants them."""

    def __init__(self, desk: Desk, pipe: Pipe, logger: Logger, path: Path) -> None:
        self.desk = desk
        self.pipe = pipe
        self.logger = logger
        self._path = path

    @property
    def metrics(self) -> Metrics:
        """What writes the file."""
        metrics = self.logger._outputs._metrics
        assert metrics is not None
        return metrics

    def settle(self) -> Scrape:
        """Let the logger do all it can; the figures after that."""
        settle(self.desk.loop)
        return self.scrape()

    def scrape(self) -> Scrape:
        """Let the figures be written, and read them."""
        self.metrics.write()
        return Scrape(self._path)

    def feed(self, data: bytes) -> Scrape:
        """Give the logger input, and let it do all it can; the figures after that."""
        view = memoryview(data)
        while view:
            view = view[self.pipe.offer(view[:65536]) :]
            self.settle()
        return self.settle()

    def end(self) -> Scrape:
        """End the logger; the figures that it leaves."""
        self.pipe.end()
        drive(self.desk.loop, lambda: self.logger.done, "the logger to end")
        return Scrape(self._path)


@contextlib.contextmanager
def counted(
    loop: Loop,
    folder: Path,
    *script: str,
    path: str = FIGURES,
    last_line_timeout_ms: int | None = None,
) -> Iterator[Counted]:
    """Run a logger with metrics in a folder; it has ended afterwards."""
    chosen = Options()
    chosen.last_line_timeout_ms = last_line_timeout_ms
    words = [f"@metrics={path}", *script]
    parsed = parse([os.fsencode(word) for word in words])
    loop.on_signal(signal.SIGCHLD, loop.reap_children)
    with Desk(loop, folder) as desk, Pipe() as pipe:
        own = os.dup(pipe.read)
        selection = daemon.select(parsed)
        logger = Logger(desk.context, chosen, parsed, selection, own)
        desk.hear()
        rig = Counted(desk, pipe, logger, folder / path)
        logger.begin()
        yield rig
        if not logger.done:
            rig.end()
        os.close(own)


@contextlib.contextmanager
def standard(fd: int, target: int) -> Iterator[None]:
    """Let a standard descriptor of this process be another one for a while."""
    saved = os.dup(fd)
    os.dup2(target, fd)
    try:
        yield
    finally:
        os.dup2(saved, fd)
        os.close(saved)
