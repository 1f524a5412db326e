"""The bench of containers: what it measures is there, and judged."""

from pathlib import Path

from containers import HEADINGS, Containers, Figure
from inits import needs_boxes
from report import table


@needs_boxes
def test_containers_are_measured(tmp_path: Path) -> None:
    """One boot and one stop: each figure has a value that can be."""
    containers = Containers(tmp_path)
    containers.boot()
    containers.stop_idle()
    for figure in (containers.cpu, containers.wall, containers.idle):
        (taken,) = figure.taken
        assert 0 < taken < 60_000, figure.name


def test_targets_are_judged_by_the_median() -> None:
    """Below is met."""
    met, missed = Figure("a", 24, [30, 23, 22]), Figure("b", 24, [24, 24, 1])
    assert met.row() == ("a", "23.0", "22.0", "30.0", "< 24", "yes")
    assert missed.row()[-1] == "no"
    assert table(HEADINGS, [met.row()]).count("\n") == 3
