"""Figures of several contenders side by side, and what ours should reach."""

from dataclasses import dataclass
from math import isnan, nan
from statistics import median

from contenders import OUR_SUPERVISOR, OURS, REAL
from report import table

Taken = dict[str, float]
"""What one run has shown, by name."""


@dataclass(frozen=True)
class Figure:
    """One figure: its name among those taken, its unit, and the most it may be.

    `times` says that the limit is a multiple of what the real s6 needs in the same
    round. `judged` are the contenders that it is a limit for.
    """

    name: str
    unit: str
    most: float | None = None
    times: bool = False
    judged: tuple[str, ...] = (OURS,)

    def limit(self) -> str:
        """Give the limit as text."""
        if self.most is None:
            return ""
        return f"{self.most:g} times {REAL}" if self.times else f"{self.most:g}"


BOTH = (OUR_SUPERVISOR, OURS)


class Contest:
    """The rounds of one comparison; in each, every contender had a turn."""

    def __init__(self, title: str, figures: tuple[Figure, ...]) -> None:
        self.title = title
        self.figures = figures
        self.rounds: list[dict[str, Taken]] = []

    def rows(self, names: tuple[str, ...]) -> list[tuple[str, ...]]:
        """Give a row for each figure that anyone has taken, a column for each name."""
        return [
            (
                f"{self.title}{figure.name}, {figure.unit}".rstrip(", "),
                *(self.cell(figure, name) for name in names),
                figure.limit(),
                self.verdict(figure),
            )
            for figure in self.figures
            if not all(isnan(self.value(figure, name)) for name in names)
        ]

    def cell(self, figure: Figure, name: str) -> str:
        """Give a value, and how many times s6's it is where that is what counts."""
        value = self.value(figure, name)
        if isnan(value):
            return ""
        text = f"{value:.3g}" if value < 1000 else f"{value:.0f}"
        if figure.times and name != REAL and not isnan(self.ratio(figure, name)):
            text += f" ({self.ratio(figure, name):.2f})"
        return text

    def verdict(self, figure: Figure) -> str:
        """Say whether all that are judged keep the limit; nothing if none ran."""
        judge = self.ratio if figure.times else self.value
        values = [judge(figure, name) for name in figure.judged]
        known = [value for value in values if not isnan(value)]
        if figure.most is None or not known:
            return ""
        return "yes" if max(known) <= figure.most else "no"

    def value(self, figure: Figure, name: str) -> float:
        """Give the median of the rounds."""
        taken = (seen.get(name, {}).get(figure.name, nan) for seen in self.rounds)
        return middle([value for value in taken if not isnan(value)])

    def ratio(self, figure: Figure, name: str) -> float:
        """Give the median of the ratios to s6, each from one round."""
        pairs = [
            (seen.get(name, {}).get(figure.name, nan), seen[REAL][figure.name])
            for seen in self.rounds
            if figure.name in seen.get(REAL, {})
        ]
        return middle([ours / real for ours, real in pairs if not isnan(ours)])


def middle(values: list[float]) -> float:
    """Give the median, or nan of nothing."""
    return median(values) if values else nan


def side_by_side(contests: list[Contest], names: tuple[str, ...]) -> str:
    """Lay out all contests in one table."""
    rows = [row for contest in contests for row in contest.rows(names)]
    return table(("figure", *names, "at most", "met"), rows)
