"""The diagrams of a rotation and of a service are those of the tables behind them."""

import pytest

from pages import CHECKOUT, read
from s6log.outputs.rotation import TABLES, Result, Step
from supervisor.service import events
from supervisor.service.transitions import TABLE

PAGE = CHECKOUT / "docs" / "explanation" / "rotation-states.md"
NAMES = {text: name for name, text in vars(Step).items() if name.isupper()}


def diagram(table: dict[tuple[str, str], str]) -> str:
    """Draw the way of a rotation in Mermaid's language.

    A step that failed and is done again is not drawn: nearly all have that.
    """
    states = []
    arrows = [f"    [*] --> {NAMES[Step.SYNC]}"]
    step = Step.SYNC
    while step != Step.SETTLED:
        states.append(step)
        following, failed = table[step, Result.DONE], table[step, Result.FAILED]
        arrows.append(f"    {NAMES[step]} --> {NAMES[following]}")
        if failed != step:
            arrows.append(f"    {NAMES[step]} --> {NAMES[failed]}: failed")
        step = following
    states.append(step)
    arrows.append(f"    {NAMES[step]} --> [*]")
    boxes = [f'    state "{step}" as {NAMES[step]}' for step in states]
    return "\n".join(["stateDiagram-v2", *boxes, *arrows])


@pytest.mark.parametrize("processor", TABLES)
def test_diagram_is_that_of_the_table(processor: bool) -> None:
    """Without and with a processor; when it fails, it shows what to paste."""
    drawn = [b.text for b in read(PAGE).blocks if b.language == "mermaid"]
    assert drawn[processor] == diagram(TABLES[processor])


SERVICE_PAGE = CHECKOUT / "docs" / "explanation" / "service-states.md"
OURS = ("LASTDOWN", "DRAINFINISH")
STATES = ("DOWN", "UP", "FINISH", "LASTUP", "LASTFINISH", *OURS, "ENDED")
"""Those of a service, by the names of their constants."""


def service_diagram(draining: bool) -> str:
    """Draw the ways of a service: those that s6 has, or those around draining.

    What leaves a service where it is is not drawn.
    """
    names = {getattr(events, name): name for name in STATES}
    ways: dict[tuple[str, str], list[str]] = {}
    for (state, event), (following, _) in TABLE.items():
        way = names[state], names[following]
        if state != following and draining == bool({*way} & {*OURS}):
            ways.setdefault(way, []).append(event)
    drawn = {name for way in ways for name in way}
    boxes = [f'    state "{s}" as {n}' for s, n in names.items() if n in drawn]
    arrows = [
        f"    {before} --> {after}: {', '.join(happenings)}"
        for (before, after), happenings in ways.items()
    ]
    ends = ["    ENDED --> [*]"]
    if not draining:
        ends.insert(0, "    [*] --> DOWN")
    return "\n".join(["stateDiagram-v2", *boxes, *ends, *arrows])


@pytest.mark.parametrize("draining", [False, True])
def test_diagram_of_a_service_is_that_of_the_table(draining: bool) -> None:
    """First what s6 has, then what we add; when it fails, it shows what to paste."""
    drawn = [b.text for b in read(SERVICE_PAGE).blocks if b.language == "mermaid"]
    assert drawn[draining] == service_diagram(draining)


def test_the_page_explains_every_state() -> None:
    """And nothing else: one row in its table for each."""
    lines = SERVICE_PAGE.read_text().splitlines()
    rows = [line.split("|")[1].strip() for line in lines if line.startswith("| ")]
    assert rows[1:] == [getattr(events, name) for name in STATES]
