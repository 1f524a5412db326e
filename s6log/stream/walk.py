"""Following an automaton: a line in Python, or a block with the C kernel. Pure."""

from s6log.stream.automaton import MISSING, OUTCOME, SPECIAL
from s6log.stream.runs import (
    DONE,
    FULL,
    NUMBER_BYTES,
    RUN_BYTES,
    Packed,
    Runs,
    packed_runs,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.stream.automaton import Automaton
    from s6log.stream.runs import Kernel


def walk_line(automaton: "Automaton", data: bytes, start: int) -> int:
    """Walk one line in Python; give its outcome. May raise Thrashing."""
    if automaton.settled >= 0:
        return automaton.settled
    table, classes = automaton.table, automaton.classes
    state = automaton.start
    entry = at = start
    for at in range(start, len(data)):
        entry = table[state + classes[data[at]]]
        if entry >= MISSING:
            if automaton.full:
                [state] = automaton.flush([state], at - start)
            entry = automaton.extend(state, data[at])
            table = automaton.table
        if entry >= SPECIAL:
            break
        state = entry
    automaton.work.walked += at + 1 - start
    return entry & OUTCOME


AT, END, STATE, COUNT, FIELDS = range(5)  # of a lane, in 64-bit numbers
LANE_BYTES = FIELDS * NUMBER_BYTES
FIRST_RUNS = 512  # in each lane


class KernelWalk:
    """The C kernel's loop; comes back here for each transition it misses."""

    __slots__ = ("_cursors", "_runs", "_unbegun", "kernel")

    def __init__(self, kernel: "Kernel") -> None:
        self.kernel = kernel
        self._unbegun = memoryview(bytes(kernel.LANES * LANE_BYTES)).cast("Q")
        self._cursors = memoryview(bytearray(self._unbegun)).cast("Q")
        self._runs = bytearray(kernel.LANES * FIRST_RUNS * RUN_BYTES)

    def runs(self, automaton: "Automaton", block: memoryview) -> Runs:
        """Classify a block; may raise Thrashing."""
        self._walk(automaton, block, True)
        return packed_runs(block, self._packed())

    def outcomes(self, automaton: "Automaton", block: memoryview) -> list[int]:
        """Give the outcome of each line; may raise Thrashing."""
        self._walk(automaton, block, False)
        return self._packed().numbers()[1::2].tolist()

    def _packed(self) -> Packed:
        return Packed(self.kernel, self._runs, self._cursors[COUNT])

    def _walk(self, automaton: "Automaton", block: memoryview, merge: bool) -> None:
        self._cursors[:] = self._unbegun
        while True:
            result = self.kernel.scan(
                block,
                automaton.classes,
                automaton.table,
                self._cursors,
                self._runs,
                automaton.start,
                merge,
            )
            if result == DONE:
                break
            if result == FULL:
                self._grow()
            else:
                self._miss(automaton, block, result)
        automaton.work.walked += len(block)

    def _miss(self, automaton: "Automaton", block: memoryview, lane: int) -> None:
        cursors = self._cursors
        if automaton.full:
            left = sum(cursors[END::FIELDS]) - sum(cursors[AT::FIELDS])
            states = cursors[STATE::FIELDS].tolist()
            for number, state in enumerate(automaton.flush(states, len(block) - left)):
                cursors[number * FIELDS + STATE] = state
        base = lane * FIELDS
        automaton.extend(cursors[base + STATE], block[cursors[base + AT]])

    def _grow(self) -> None:
        """Double the room for runs in each lane."""
        old = self._runs
        room = len(old) // self.kernel.LANES
        self._runs = bytearray().join(
            old[start : start + room] + bytes(room)
            for start in range(0, len(old), room)
        )
