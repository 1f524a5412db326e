"""Ways for a script with one pattern: from one line that has it to the next. Pure."""

from s6log.stream.runs import FULL, RUN_BYTES, Packed, Runs, packed_runs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.stream.finder import Finder
    from s6log.stream.verdict import Program
    from s6log.stream.ways import Whole
    from s6log.stream.work import Work

FIRST_RUNS = 2048
LONGEST_TEXT = 64  # comparing it must not cost more than a few ns
SAMPLE_BYTES = 1024
BYTES_PER_HOP = 12  # a hop costs as much as walking so many bytes: 9 ns


class RegexHops:
    """Any pattern, by `re`.

    For a plain text that is as fast as bytes.find, and twice as fast when every
    line has it.
    """

    __slots__ = ("_finder", "_hit", "_miss", "_work")

    def __init__(self, program: "Program", finder: "Finder", work: "Work") -> None:
        self._finder = finder
        self._hit = program.verdict(program.everything)
        self._miss = program.verdict(0)
        self._work = work

    def runs(self, block: memoryview) -> Runs:
        """Classify a block."""
        data = block.tobytes()
        self._work.walked += len(data)
        ends = [0]
        outcomes = [self._hit]
        for end in self._finder.ends(data):
            start = data.rfind(b"\n", ends[-1], end - 1) + 1
            if start > ends[-1]:
                ends += (start, start)
                outcomes += (self._miss, self._hit)
            ends[-1] = end
        if ends[-1] < len(data):
            ends.append(len(data))
            outcomes.append(self._miss)
        unused = ends[0] == 0
        return Runs(block, ends[unused:], outcomes[unused:])


class TextHops:
    """A plain text, by the kernel: to the places of its rarest byte.

    That is six times as fast as walking the automaton, unless each of the text's
    bytes is frequent; a sample of each block tells.
    """

    __slots__ = (
        "_hit",
        "_kernel",
        "_miss",
        "_otherwise",
        "_places",
        "_runs",
        "_text",
        "_work",
    )

    def __init__(
        self, program: "Program", text: bytes, otherwise: "Whole", work: "Work"
    ) -> None:
        self._text = text
        self._places = [(byte, text.index(byte)) for byte in set(text)]
        self._hit = program.verdict(program.everything)
        self._miss = program.verdict(0)
        self._kernel = otherwise.walk.kernel
        self._otherwise = otherwise
        self._runs = bytearray(FIRST_RUNS * RUN_BYTES)
        self._work = work

    def runs(self, block: memoryview) -> Runs:
        """Classify a block."""
        sample = block[:SAMPLE_BYTES].tobytes()
        hops, pivot = min((sample.count(byte), at) for byte, at in self._places)
        if hops * BYTES_PER_HOP > len(sample):
            return self._otherwise.runs(block)
        self._work.walked += len(block)
        count = self._hop(block, pivot)
        while count == FULL:
            self._runs = bytearray(2 * len(self._runs))
            count = self._hop(block, pivot)
        return packed_runs(block, Packed(self._kernel, self._runs, count))

    def _hop(self, block: memoryview, pivot: int) -> int:
        return self._kernel.hop(
            block, self._text, pivot, self._runs, self._hit, self._miss
        )
