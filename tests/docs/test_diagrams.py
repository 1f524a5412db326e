"""The diagrams of a rotation are those of the tables that drive it."""

import pytest

from pages import CHECKOUT, read
from s6log.outputs.rotation import TABLES, Result, Step

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
