"""What is compared: one cell a kind of work, with the ratio to reach.

Unless a cell is about small files, its directories keep everything, so that
every byte the two programs wrote can be compared.
"""

from dataclasses import dataclass
from enum import Enum

KEEP = ("n1000", "s16777216")

TEN = (
    "-",
    "+^(ERROR|WARN) ",
    '+\\] "(PUT|DELETE) /[a-z]+/',
    "+ 5[0-9][0-9] [0-9]+$",
    "-^[A-Z]+ 10\\.[0-9]+\\.[0-9]+\\.255 ",
    "+/item/[0-9]*77 ",
    '-HTTP/1\\.1" 404 ',
    "+(POST|PATCH) [^ ]*/item/[1-3]",
    "-:42:(0[0-9]|1[0-5]) ",
    "+ [0-9]{5,}$",
)


class Feed(Enum):
    """How the input reaches the pipe."""

    BLOCKS = "cat"
    LINES = "one write(2) per line"


@dataclass(frozen=True)
class Cell:
    """One comparison.

    `target` is how many times less CPU than s6-log is wanted; `times`, how
    often the input is fed in one run, more for what is quickly done: a run
    of a tenth of a second would measure little but start-up. `trimmed` says
    that the script keeps only the newest archives: then the programs differ
    in where the kept part begins, and the common tail is compared.
    """

    name: str
    script: tuple[str, ...]
    target: float
    kind: str = "access"
    times: int = 2
    options: tuple[str, ...] = ()
    feed: Feed = Feed.BLOCKS
    trimmed: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """What follows the program's name."""
        return (*self.options, "--", *self.script)


CELLS = (
    Cell("plain", (*KEEP, "./d"), 4.5, times=4),
    Cell("plain-20", (*KEEP, "./d"), 6, kind="short"),
    Cell("plain-1000", (*KEEP, "./d"), 3.5, kind="wide", times=4),
    Cell("plain-json", (*KEEP, "./d"), 4, kind="json", times=4),
    Cell("t", (*KEEP, "t", "./d"), 4),
    Cell("t-20", (*KEEP, "t", "./d"), 4.5, kind="short", times=1),
    Cell("T", (*KEEP, "T", "./d"), 5, times=1),
    Cell("t-T", (*KEEP, "t", "T", "./d"), 4, times=1),
    Cell("b-t", (*KEEP, "t", "./d"), 2.2, options=("-b",)),
    Cell("literal", (*KEEP, "-", "+ERROR", "t", "./d"), 5.5),
    Cell("two-ways", (*KEEP, "-", "+^(ERROR|WARN)", "./bad", "f", "./rest"), 4),
    Cell("status-5xx", (*KEEP, "-", "+ 5[0-9][0-9] ", "./d"), 2.8),
    Cell("no-debug", (*KEEP, "-DEBUG", "./d"), 3.3),
    Cell("ten", (*KEEP, *TEN, "./d"), 5, times=1),
    Cell("all-match", (*KEEP, "-", "+HTTP/1", "./d"), 2.5),
    Cell("three-dirs", (*KEEP, "./a", "./b", "./c"), 4),
    # -q: we are faster than the reader, and would say when reading stops for it.
    Cell("stdout-prefix", ("pweb:", "1"), 3, options=("-q",)),
    Cell("stdout-t", ("t", "1"), 3, options=("-q",)),
    Cell("alert-2%", (*KEEP, "-", "+ERROR", "2", "f", "./d"), 3),
    Cell("alert-all", ("2",), 1.7, times=1, options=("-q",)),
    Cell("status-file", ("=status",), 50, times=1),
    Cell("small-n10", ("s100000", "n10", "./d"), 2.5, trimmed=True, times=4),
    Cell("small-n1000-t", ("s100000", "n1000", "t", "./d"), 2.5, trimmed=True, times=1),
    Cell("nul", (*KEEP, "./d"), 3.3, kind="nul", times=4),
    Cell("long", (*KEEP, "./d"), 2, kind="huge", times=4),
    Cell("line-writes-t", (*KEEP, "t", "./d"), 1.3, feed=Feed.LINES),
)
