"""Bytes that wait: every one leaves once, in order."""

from hypothesis import given
from hypothesis import strategies as st

from s6log.outputs.outbox import IOV_MAX, PIECE_BYTES, Backlog, Outbox

LINE = st.binary(max_size=30).map(lambda text: text.replace(b"\n", b" ") + b"\n")
LINES = st.lists(LINE, min_size=1, max_size=4).map(b"".join)


def content(outbox: Outbox) -> bytes:
    """Look at what a small outbox holds."""
    return b"".join(outbox.views()) if outbox.size else b""


def filled(*pieces: bytes) -> Outbox:
    """Make an outbox of whole lines."""
    outbox = Outbox(Backlog())
    for piece in pieces:
        outbox.add(b"", piece, 0, len(piece))
    return outbox


def test_what_is_added_is_copied() -> None:
    """The buffer it came in is used again for the next block."""
    buffer = bytearray(b"..one\n..")
    outbox = Outbox(Backlog())
    outbox.add(b"head ", buffer, 2, 6)
    buffer[:] = b"?" * len(buffer)
    assert content(outbox) == b"head one\n"
    assert outbox.size == 9


def test_the_backlog_counts_all_outboxes() -> None:
    """A logger asks one number whether anything waits."""
    backlog = Backlog()
    one, other = Outbox(backlog), Outbox(backlog)
    one.add(b"a ", b"line\n", 0, 5)
    other.add(b"", b"line\n", 0, 5)
    assert backlog.size == 12
    one.take(3)
    assert backlog.size == 9
    other.clear()
    assert (backlog.size, one.size, other.size) == (4, 4, 0)
    one.take(4)
    assert backlog.size == 0


@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from([b"", b"head "]), LINES),
            st.tuples(st.just(b""), st.integers(0, 120)),
        ),
        max_size=30,
    )
)
def test_an_outbox_is_a_queue(
    steps: list[tuple[bytes, bytes | int]],
) -> None:
    """Whatever is added and taken, in any order and size."""
    outbox = Outbox(Backlog())
    expected = b""
    for head, what in steps:
        if isinstance(what, bytes):
            outbox.add(head, what, 0, len(what))
            expected += head + what
        else:
            count = min(what, len(expected))
            outbox.take(count)
            expected = expected[count:]
        assert outbox.size == len(expected)
        assert content(outbox) == expected


def test_large_pieces_stay_apart() -> None:
    """Small ones are joined; one writev(2) takes them by the dozen."""
    large = b"x" * (PIECE_BYTES - 1) + b"\n"
    outbox = filled(*[large] * (IOV_MAX + 3))
    views = outbox.views()
    assert [len(view) for view in views] == [PIECE_BYTES] * IOV_MAX
    del views
    for _ in range(IOV_MAX + 3):
        piece, start = outbox.first()
        assert (bytes(piece), start) == (large, 0)
        outbox.take(PIECE_BYTES)
    assert outbox.size == 0
    many = filled(*[b"line\n"] * 1000)
    assert len(many.views()) == 1


def test_the_first_piece_may_have_begun_to_leave() -> None:
    """Whoever writes it goes on behind that."""
    outbox = filled(b"one\ntwo\n")
    outbox.take(2)
    assert outbox.first() == (bytearray(b"one\ntwo\n"), 2)
    assert bytes(outbox.to_line_end(0)) == b"e\n"


@given(st.lists(LINE, min_size=1, max_size=8), st.integers(0, 80), st.data())
def test_a_line_end_is_found_within_the_limit(
    lines: list[bytes], limit: int, data: st.DataObject
) -> None:
    """As many whole lines as fit; else the first one alone, however long."""
    whole = b"".join(lines)
    outbox = filled(whole)
    outbox.take(data.draw(st.integers(0, len(whole) - 1)))
    rest = content(outbox)
    ends = [end for end in range(1, len(rest) + 1) if rest[end - 1 : end] == b"\n"]
    fitting = [end for end in ends if end <= limit]
    assert bytes(outbox.to_line_end(limit)) == rest[: max(fitting, default=ends[0])]


def test_what_is_cleared_is_forgotten() -> None:
    """And what comes later is as new."""
    outbox = filled(b"one\n")
    outbox.take(1)
    outbox.clear()
    assert outbox.size == 0
    outbox.add(b"", b"two\n", 0, 4)
    assert content(outbox) == b"two\n"
