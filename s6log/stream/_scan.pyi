"""The inner loops of the selection, in C. Optional."""

LANES: int
"""Parts of a block that are walked side by side."""

def scan(
    block: memoryview,
    classes: bytes,
    table: memoryview,
    cursors: memoryview,
    runs: bytearray,
    start: int,
    merge: bool,
    /,
) -> int:
    """Follow the table (automaton.py) until all lanes have reached their end.

    The cursors (at, end, state, count of each lane) are zeros to begin with; then
    the block is cut at line ends into a part for each lane.

    Returns DONE with the runs of all lanes in order, their number in the first
    cursor's count; or FULL when a lane has no more room for runs; or the number
    of a lane whose next transition is missing. Call again to go on. Raises
    ValueError for what would lead out of a buffer.
    """

def hop(
    block: memoryview,
    text: bytes,
    pivot: int,
    runs: bytearray,
    hit: int,
    miss: int,
    /,
) -> int:
    """Record runs of lines that have the text (`hit`), and of others (`miss`).

    Only places with the byte text[pivot] are looked at. Returns the number of
    runs, or FULL when there is no room for them: call again with more.
    """

def gather(
    block: memoryview,
    runs: bytearray,
    count: int,
    table: tuple[tuple[bytes, ...], ...],
    /,
) -> bytes:
    """Do what Runs.gather describes, for the first `count` runs."""
