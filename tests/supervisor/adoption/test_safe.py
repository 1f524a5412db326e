"""What a dead supervisor has left with its keeper: taken, replaced or let go."""

from pathlib import Path

import pytest

from harness import Pipe
from keepers import await_pipes, do, keeper_of, kill, name_of, supervising
from watching import descriptors

MAKE = "from supervisor.adoption.safe import Safe; safe = Safe(keeper)"


@pytest.mark.parametrize(
    ("line", "still_open"),
    [
        ("safe.take(b'a key')", 1),
        ("safe.keep(b'a key', [0])", 0),
        ("safe.drop(b'a key')", 0),
        ("safe.clear()", 0),
    ],
)
def test_what_was_left_is_closed_by_whom_it_belongs_to(
    folder: Path, line: str, still_open: int
) -> None:
    """Whoever has taken it; else it is, when it is replaced or nobody claims it."""
    with Pipe() as pipe:
        with supervising(folder, (pipe.write,)) as first:
            do(first, "keeper.start()")
            do(first, f"keeper.keep(b'a key', [{pipe.write}])")
            kill(first)
        with supervising(folder) as second:
            do(second, MAKE)
            do(second, line)
            names = list(descriptors(second.pid).values())
            assert names.count(name_of(pipe.write)) == still_open
            do(second, "safe.end()")


def test_what_was_kept_anew_is_not_let_go(folder: Path) -> None:
    """When all that nobody has claimed is."""
    with Pipe() as pipe:
        ends = (pipe.read, pipe.write)
        with supervising(folder, ends) as first:
            do(first, "keeper.start()")
            do(first, f"keeper.keep(b'a key', [{pipe.read}])")
            keeper = keeper_of(first)
            kill(first)
        with supervising(folder, ends) as second:
            do(second, MAKE)
            do(second, f"safe.keep(b'a key', {ends})")
            do(second, "safe.clear()")
            await_pipes(keeper, 2)
            do(second, "safe.end()")
