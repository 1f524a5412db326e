"""Bounds of the selection, and counters of the work it did. Pure.

No line may stall the logger. Time cannot be asserted in a test, work can.
"""

MIB = 1 << 20


class Limits:
    """How much memory an automaton may take, and how much work.

    cache_bytes: of its states, about. When they are full, they are dropped; when
    they are full again, and since then one byte in so many or more had no
    transition yet, the automaton is thrashing: one in `split_bytes` if it has
    several patterns, one in `step_bytes` if it has one. A new transition costs
    3 to 5 µs, one line combined from several automata about 1 µs, a step of a
    bit set 1 µs a byte. After `retry_bytes` of input all starts anew.
    """

    __slots__ = ("cache_bytes", "retry_bytes", "split_bytes", "step_bytes")

    def __init__(
        self,
        cache_bytes: int = 4 * MIB,
        split_bytes: int = 100,
        step_bytes: int = 4,
        retry_bytes: int = 64 * MIB,
    ) -> None:
        self.cache_bytes = cache_bytes
        self.split_bytes = split_bytes
        self.step_bytes = step_bytes
        self.retry_bytes = retry_bytes


class Work:
    """What was done so far.

    walked: bytes looked up in automata or searched by `re` in one go; misses:
    transitions that had to be worked out; states: rows made; steps: masks
    looked at to step sets of positions; flushes: times a cache was dropped;
    splits: times an automaton was replaced; tested: lines asked one by one.
    """

    __slots__ = ("flushes", "misses", "splits", "states", "steps", "tested", "walked")

    def __init__(self) -> None:
        self.walked = 0
        self.misses = 0
        self.states = 0
        self.steps = 0
        self.flushes = 0
        self.splits = 0
        self.tested = 0
