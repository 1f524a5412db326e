"""Which lines go to which element: the selection part of one script. Pure.

With the C kernel that is one automaton for everything (`with_kernel.py`);
without it, `re` does what it can do safely, and an automaton walked in Python
the rest (`in_python.py`). Patterns with back-references, which no automaton can
follow, always go through `re`. All ways give the same answers.
"""

from s6log.stream.automaton import Thrashing
from s6log.stream.verdict import program_of
from s6log.stream.ways import Constant
from s6log.stream.work import Limits, Work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from s6log.script.model import Selector
    from s6log.stream.hops import RegexHops, TextHops
    from s6log.stream.in_python import InPython
    from s6log.stream.runs import Kernel, Runs
    from s6log.stream.ways import Columns, Whole
    from s6log.stream.with_kernel import WithKernel

    Way = Columns | Constant | RegexHops | TextHops | Whole


class Selection:
    """The selection part of one script.

    `masks[outcome]` has bit i set when element i selects the line; outcomes are
    added as they are met. `kernel` is the module `_scan`, or None where it was
    not built. Raises PatternTooLarge, in the same cases with it and without.
    """

    __slots__ = ("_limits", "_patience", "_plan", "_program", "_way", "masks", "work")

    def __init__(
        self,
        elements: "Sequence[Sequence[Selector]]",
        kernel: "Kernel | None" = None,
        limits: Limits | None = None,
    ) -> None:
        self.work = Work()
        self._limits = limits or Limits()
        self._program = program_of(elements)
        self.masks = self._program.masks
        self._plan = self._make_plan(kernel)
        self._way = self._first_way()
        self._patience = 0  # bytes until the first way is tried again

    def classify(self, block: memoryview) -> "Runs":
        """Find the outcome of each line of a block.

        The block is not empty and holds whole lines, each ended by LF; no NUL.
        """
        if self._patience > 0:
            self._patience -= len(block)
            if self._patience <= 0:
                self._way = self._first_way()
        while True:
            try:
                return self._way.runs(block)
            except Thrashing as thrashing:
                self.work.splits += 1
                self._way = self._plan.after(thrashing.automaton)
                self._patience = self._limits.retry_bytes

    def _make_plan(self, kernel: "Kernel | None") -> "InPython | WithKernel":
        if kernel is None:
            from s6log.stream.in_python import InPython

            return InPython(self._program, self._limits, self.work)
        from s6log.stream.with_kernel import WithKernel

        return WithKernel(self._program, self._limits, self.work, kernel)

    def _first_way(self) -> "Way":
        outcome = self._program.constant()
        return Constant(outcome) if outcome >= 0 else self._plan.first()
