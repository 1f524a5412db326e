"""The C kernel takes no nonsense: bad arguments raise, and nothing is overrun."""

import contextlib
import random
import struct

import pytest

from s6log.stream.automaton import MISSING, SETTLED, SLACK, SPECIAL
from selecting import KERNEL, needs_kernel

pytestmark = needs_kernel

ROWS = 64
DONE, FULL = -1, -2


def numbers(count: int) -> memoryview:
    """Make a buffer of 64-bit numbers."""
    return memoryview(bytearray(8 * count)).cast("Q")


class Call:
    """The arguments of one scan, valid until a test spoils them.

    Two classes, LF and the rest; state 2 goes on and ends its line with outcome 7.
    """

    def __init__(self, block: bytes = b"one\ntwo\n") -> None:
        assert KERNEL is not None
        self.kernel = KERNEL
        self.block = memoryview(bytearray(block))
        self.classes = bytes(byte == 10 for byte in range(256))
        self.table = memoryview(bytearray(4 * (ROWS + SLACK))).cast("I")
        self.table[2], self.table[3] = 2, SPECIAL | 7
        self.cursors = numbers(4 * KERNEL.LANES)
        self.runs = bytearray(16 * 16 * KERNEL.LANES)
        self.start = 2

    def scan(self, merge: bool = True) -> int:
        """Call the kernel."""
        return self.kernel.scan(
            self.block,
            self.classes,
            self.table,
            self.cursors,
            self.runs,
            self.start,
            merge,
        )

    def found(self) -> list[tuple[int, ...]]:
        """Give the runs as pairs."""
        return list(struct.iter_unpack("QQ", self.runs[: 16 * self.cursors[3]]))


def test_walks_a_block() -> None:
    """The arguments are right to begin with."""
    call = Call()
    assert call.scan() == DONE
    assert call.found() == [(8, 7)]


@pytest.mark.parametrize("lines", [1, 2, 3, 4, 5, 50])
@pytest.mark.parametrize("length", [0, 1, 9])
def test_lines_of_all_lanes_are_in_order(lines: int, length: int) -> None:
    """Without merging, each line has its own run."""
    call = Call((b"x" * length + b"\n") * lines)
    call.runs = bytearray(16 * lines * call.kernel.LANES + 64)
    assert call.scan(merge=False) == DONE
    assert call.found() == [((length + 1) * (n + 1), 7) for n in range(lines)]


def test_a_missing_transition_comes_back() -> None:
    """The lane stays before its byte, so that the call can be repeated."""
    call = Call(b"x\n")
    call.table[3] = MISSING | 2
    lane = call.scan()
    assert call.cursors[4 * lane : 4 * lane + 3].tolist() == [1, 2, 2]
    call.table[3] = SPECIAL | 5
    assert call.scan() == DONE
    assert call.found() == [(2, 5)]


def test_no_room_for_runs_comes_back() -> None:
    """A lane without room asks for more before it walks on."""
    call = Call(b"\n" * 100)
    assert call.scan(merge=False) == FULL


def spoilt(**changes: object) -> Call:
    """Make a call with other arguments."""
    call = Call()
    for name, value in changes.items():
        setattr(call, name, value)
    return call


@pytest.mark.parametrize(
    "changes",
    [
        {"block": memoryview(b"")},
        {"block": memoryview(b"one")},
        {"classes": b"short"},
        {"table": memoryview(bytearray(4 * SLACK)).cast("I")},
        {"table": memoryview(bytearray(4 * 600))[1:-3]},
        {"cursors": numbers(3)},
        {"start": 0},
        {"start": ROWS},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_refuses_bad_arguments(changes: dict[str, object]) -> None:
    """Sizes, states and alignment are checked."""
    with pytest.raises(ValueError, match=r"size|aligned|bounds|class|lane"):
        spoilt(**changes).scan()


@pytest.mark.parametrize(
    "lane",
    [
        (9, 8, 2, 0),  # begins after its end
        (0, 9, 2, 0),  # ends after the block
        (0, 7, 2, 0),  # ends inside a line
        (0, (1 << 64) - 1, 2, 0),
        (0, 8, ROWS, 0),  # a state after the last one
        (8, 8, 2, 0),  # a state, and nothing left
        (0, 8, 2, 17),  # more runs than there is room for
    ],
)
def test_refuses_cursors_out_of_bounds(lane: tuple[int, ...]) -> None:
    """Whatever they say, nothing outside the buffers is touched."""
    call = Call()
    for place, value in enumerate(lane):
        call.cursors[place] = value
    with pytest.raises(ValueError, match="bounds"):
        call.scan()


@pytest.mark.parametrize(
    ("place", "entry"),
    [
        (0, 2),  # row 0 leads away
        (2, ROWS),  # no state, and not special
        (2, MISSING | ROWS),
        (3, 2),  # a line goes on after its LF
        (3, SETTLED | 1),  # settled by the last LF
    ],
)
def test_refuses_a_wrong_table(place: int, entry: int) -> None:
    """Entries lead to rows of the table, or say what there is to say."""
    call = Call(b"one\n")
    call.table[place] = entry
    if place == 0:
        call.table[1] = entry
    with pytest.raises(ValueError, match="table"):
        call.scan()


def test_survives_random_tables() -> None:
    """Each call ends, with an answer or with ValueError."""
    rng = random.Random(1)
    kinds = [0, 0, 0, SPECIAL, SPECIAL, SETTLED, MISSING]
    for _ in range(500):
        call = Call(bytes(rng.choices(b"ab\n", k=rng.randrange(60))) + b"\n")
        call.classes = bytes(rng.choices(range(3), k=256))
        for place in range(3, ROWS + SLACK):
            call.table[place] = rng.choice(kinds) | rng.randrange(ROWS + 8)
        with contextlib.suppress(ValueError):
            assert DONE <= call.scan() < call.kernel.LANES


@pytest.mark.parametrize(
    ("pairs", "count", "table"),
    [
        ((4, 0), 2, ((b"",),)),
        ((4, 0), -1, ((b"",),)),
        ((9, 0), 1, ((b"",),)),
        ((4, 0, 2, 0), 2, ((b"",),)),
        ((4, 1 << 40), 1, ((b"",),)),
    ],
)
def test_gather_refuses_wrong_runs(
    pairs: tuple[int, ...], count: int, table: tuple[tuple[bytes, ...], ...]
) -> None:
    """Runs end inside the block, one after the other."""
    call = Call()
    runs = bytearray(struct.pack(f"{len(pairs)}Q", *pairs))
    with pytest.raises(ValueError, match="runs"):
        call.kernel.gather(call.block, runs, count, table)


def test_gather_refuses_wrong_tables() -> None:
    """Each outcome has a tuple of bytes."""
    call = Call()
    runs = bytearray(struct.pack("QQ", 8, 0))
    for table, error in (
        ((), IndexError),
        ((None,), TypeError),
        ((("1 ",),), TypeError),
        ([(b"",)], TypeError),
    ):
        with pytest.raises(error):
            call.kernel.gather(call.block, runs, 1, table)  # type: ignore[arg-type]


def test_hop_refuses_nonsense() -> None:
    """The byte to hop to is one of the text's."""
    call = Call()
    for text, pivot in ((b"", 0), (b"ab", 2)):
        with pytest.raises(ValueError, match="text"):
            call.kernel.hop(call.block, text, pivot, call.runs, 1, 0)


@pytest.mark.parametrize("pivot", [0, 1, 2])
@pytest.mark.parametrize(
    "block", [b"abc", b"ab", b"c", b"xabc\nc", b"", b"abcabc\nab\nbc"]
)
def test_hop_stays_inside_the_block(block: bytes, pivot: int) -> None:
    """Even if that is no whole lines, or shorter than the text."""
    call = Call()
    assert call.kernel.hop(memoryview(block), b"abc", pivot, call.runs, 1, 0) >= 0
    assert call.kernel.hop(memoryview(block), b"abc", pivot, bytearray(), 1, 0) == (
        FULL if block else 0
    )
