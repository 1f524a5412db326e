"""Tables for people: aligned, and Markdown at the same time."""

import shlex
from dataclasses import dataclass
from statistics import median

from cells import Cell
from running import Usage

HEADINGS = (
    "cell",
    "s6-log CPU s",
    "ours CPU s",
    "times less",
    "least-most",
    "target",
    "met",
    "wall, times less",
)


@dataclass(frozen=True)
class Result:
    """The runs of one cell by one of our variants, each beside s6-log's."""

    cell: Cell
    variant: str
    pairs: list[tuple[Usage, Usage]]

    @property
    def ratios(self) -> list[float]:
        """Give how many times less CPU each pair shows.

        Ratios are formed before medians: the two runs of a pair saw the same
        machine, the first and the last pair may not have.
        """
        return [theirs.cpu_s / ours.cpu_s for theirs, ours in self.pairs]

    def row(self) -> tuple[str, ...]:
        """Give the cells of the table's row."""
        ratio = median(self.ratios)
        wall = median(theirs.wall_s / ours.wall_s for theirs, ours in self.pairs)
        return (
            self.cell.name,
            f"{median(theirs.cpu_s for theirs, _ in self.pairs):.3f}",
            f"{median(ours.cpu_s for _, ours in self.pairs):.3f}",
            f"{ratio:.2f}",
            f"{min(self.ratios):.2f}-{max(self.ratios):.2f}",
            f"{self.cell.target:g}",
            "yes" if ratio >= self.cell.target else "no",
            f"{wall:.2f}",
        )


def table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Lay out a Markdown table with aligned columns."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    lines = [aligned(headings, widths), "|".join(["", *map(rule, widths), ""])]
    lines += (aligned(row, widths) for row in rows)
    return "\n".join(lines) + "\n"


def aligned(row: tuple[str, ...], widths: list[int]) -> str:
    """Pad one row, names to the left and figures to the right."""
    name, *figures = row
    cells = [name.ljust(widths[0])]
    cells += (
        text.rjust(width) for text, width in zip(figures, widths[1:], strict=True)
    )
    return f"| {' | '.join(cells)} |"


def rule(width: int) -> str:
    """Draw the line under a heading."""
    return "-" * (width + 2)


def legend(cells: tuple[Cell, ...]) -> str:
    """List what each cell runs, ready for a shell."""
    lines = (
        f"- {cell.name} ({cell.kind} {cell.times} times, {cell.feed.value}): "
        f"`s6-log {shlex.join(cell.words)}`\n"
        for cell in cells
    )
    return "".join(lines)
