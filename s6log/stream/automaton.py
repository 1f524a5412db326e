"""One deterministic automaton for the selection part of a script. Pure.

A state is a place in a line (`nfa.py`) with the patterns known by then to match
and known not to. States and transitions are worked out when a line first needs
them and kept in a flat table; following what is there is the work of `walk.py`.

    table[state + classes[byte]]  ->  entry

`state` is where its row begins. An entry below SPECIAL is the next state. Else
it is SPECIAL with one of
- MISSING and the state itself: this transition is not worked out yet;
- SETTLED and an outcome: no byte of this line can change it any more;
- an outcome alone: the line ended here.
Row 0 leads only to itself: a lane of the kernel without a line waits there.
"""

from s6log.stream.nfa import EDGE, LF, Nfa

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.stream.verdict import Program
    from s6log.stream.work import Limits, Work

    Key = tuple[int, int, int, int]

SPECIAL = 1 << 31
MISSING = SPECIAL | 1 << 30
SETTLED = SPECIAL | 1 << 29
OUTCOME = (1 << 29) - 1

ENTRY_BYTES = 4
SLACK = 256  # entries after the last row: any byte is a class the kernel can add
FIRST_ENTRIES = 1 << 10
STATE_BYTES = 220  # of a key, its numbers and its places in list and dict; measured
VERDICT_BYTES = 400  # of a verdict remembered, and what goes with it
NOWHERE = (0, 0, 0, 0)  # the key of row 0


class Thrashing(Exception):
    """The cache filled up again, and too many bytes needed new transitions."""

    def __init__(self, automaton: "Automaton") -> None:
        super().__init__()
        self.automaton = automaton


class Automaton:
    """The states of one program that were needed so far.

    `start` is the state at the start of each line. `settled` is the outcome
    when no line can make a difference, else -1; then there is nothing to walk.
    """

    __slots__ = (
        "_again",
        "_cache_bytes",
        "_flushed",
        "_keys",
        "_states",
        "_tolerance",
        "_used_bytes",
        "classes",
        "nfa",
        "program",
        "settled",
        "start",
        "table",
        "work",
    )

    def __init__(self, program: "Program", limits: "Limits", work: "Work") -> None:
        self.program = program
        self.nfa = Nfa(program.trees, work)
        self.classes = self.nfa.classes
        self.work = work
        self._cache_bytes = limits.cache_bytes
        several = len(program.trees) > 1
        self._tolerance = limits.split_bytes if several else limits.step_bytes
        self._flushed: tuple[int, int] | None = None  # bytes and misses by then
        self._clear()
        entry = self._enter(self.nfa.begin(), EDGE, self.nfa.always, 0)
        self.settled = entry & OUTCOME if entry & SPECIAL else -1
        self.start = entry

    def _clear(self) -> None:
        self.program.forget()
        self._again: dict[int, int] = {}
        self._states: dict[Key, int] = {}
        self._keys: list[Key] = [NOWHERE]
        self._used_bytes = 0
        self.table = _table(FIRST_ENTRIES)

    @property
    def full(self) -> bool:
        """Tell whether `flush` is due before the next `extend`."""
        entries = len(self.table)
        if (len(self._keys) + 1) * self.nfa.width > entries - SLACK:
            entries *= 2
        used = self._used_bytes + self.program.remembered * VERDICT_BYTES
        return used + entries * ENTRY_BYTES > self._cache_bytes

    def flush(self, states: list[int], walked: int) -> list[int]:
        """Drop all states but these (0 for none); give their new numbers.

        `walked` bytes were looked up since Work was told. Raises Thrashing when
        states are not worth keeping; nothing is dropped then.
        """
        walked += self.work.walked
        misses = self.work.misses
        if self._flushed is not None:
            walked_then, misses_then = self._flushed
            if (misses - misses_then) * self._tolerance > walked - walked_then:
                raise Thrashing(self)
        self._flushed = walked, misses
        self.work.flushes += 1
        width = self.nfa.width
        start, *keys = [self._keys[state // width] for state in (self.start, *states)]
        self._clear()
        self.start = self._state(start)
        return [0 if key is NOWHERE else self._state(key) for key in keys]

    def extend(self, state: int, byte: int) -> int:
        """Work out the entry for a state and a byte, keep and return it."""
        self.work.misses += 1
        bits, before, yes, no = self._keys[state // self.nfa.width]
        class_ = self.classes[byte]
        if byte == LF:
            yes |= self.nfa.matched(self.nfa.finish(bits, before))
            entry = SPECIAL | self.program.verdict(yes)
        else:
            again = self._begin_again(yes | no)
            bits, before = self.nfa.advance(bits, before, class_, again)
            entry = self._enter(bits, before, yes, no)
        self.table[state + class_] = entry
        return entry

    def _begin_again(self, gone: int) -> int:
        if gone not in self._again:
            self._again[gone] = self.nfa.again(gone)
        return self._again[gone]

    def _enter(self, bits: int, before: int, yes: int, no: int) -> int:
        """Give the entry that leads to this place, as its simplest form.

        Patterns that have matched, cannot match any more, or cannot make a
        difference are taken out of the bits; many places become one state.
        """
        yes |= self.nfa.matched(bits)
        no |= self.nfa.dead(bits, self.program.everything & ~(yes | no))
        outcome, matters = self.program.judge(yes, no)
        if outcome >= 0:
            return SETTLED | outcome
        no = self.program.everything & ~(yes | matters)
        return self._state((self.nfa.keep(bits, matters), before, yes, no))

    def _state(self, key: "Key") -> int:
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = self._add_row(len(self._keys))
            self._keys.append(key)
            # An int takes 4 bytes for each 30 bits.
            self._used_bytes += STATE_BYTES + key[0].bit_length() // 7
            self.work.states += 1
        return state

    def _add_row(self, number: int) -> int:
        width = self.nfa.width
        state = number * width
        if state + width > len(self.table) - SLACK:
            grown = _table(2 * (len(self.table) - SLACK))
            grown[: len(self.table)] = self.table
            self.table = grown
        missing = MISSING | state
        for place in range(state, state + width):
            self.table[place] = missing
        return state


def _table(entries: int) -> memoryview:
    """Make a table of zeros: room for `entries` (a power of two) and the slack."""
    return memoryview(bytearray((entries + SLACK) * ENTRY_BYTES)).cast("I")
