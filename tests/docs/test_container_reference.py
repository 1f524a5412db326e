"""The reference of s6-init says what its own tables say, and what it does."""

import re
from pathlib import Path

from inits import Image, Start, booted, needs_boxes
from pages import CHECKOUT, read, table
from supervisor.container import init, places
from supervisor.container.command import FORWARDED
from supervisor.container.settings import NUMBERS, TEXTS

PAGE = CHECKOUT / "docs" / "reference" / "s6-init.md"
MEANINGS = {
    init.STOP: "stop",
    init.RESCAN: "look for services, and end those that are gone",
    init.REAP: "reap",
    init.NOTHING: "nothing",
}


def test_variables_are_those_that_are_read() -> None:
    """Each with its default."""
    rows = table(PAGE, "Variable", "Default", "Meaning")
    described = {name.strip("`"): default.strip("`") for name, default, _ in rows}
    numbers = {name: str(default) for name, default in NUMBERS.items()}
    texts = {name: default.decode() for name, default in TEXTS.items()}
    assert described == {**numbers, **texts}
    assert len(rows) == len(described)


def test_signals_are_those_that_are_handled() -> None:
    """What each means, and whether the command may have it."""
    rows = table(PAGE, "Signal", "Meaning", "With S6_CMD_RECEIVE_SIGNALS")
    assert {row[0].removeprefix("SIG") for row in rows} == set(init.SIGNALS)
    for name, meaning, forwarded in rows:
        short = name.removeprefix("SIG")
        assert meaning.partition(", but ")[0] == MEANINGS[init.SIGNALS[short]]
        assert (forwarded == "the command's") == (short in FORWARDED)


def test_every_place_is_named() -> None:
    """All that is made or read in a container, as `places` has it."""
    text = "\n".join(read(PAGE).prose)
    constants = {n: v for n, v in vars(places).items() if isinstance(v, bytes)}
    paths = [value.decode() for value in constants.values() if value[:1] == b"/"]
    assert len(paths) > 10
    assert [path for path in paths if path not in text] == []
    stops = [name.decode() for name in places.STOP_COMMANDS]
    assert [name for name in stops if name not in text] == []


@needs_boxes
def test_lines_are_those_that_are_said(tmp_path: Path) -> None:
    """In their order, with nothing in between."""
    (shown,) = [b.text for b in read(PAGE).blocks if b.language == "text lines"]
    assert re.search(r"\.\.\. $", shown, re.MULTILINE)
    image = Image(tmp_path / "image")
    image.file("/etc/fix-attrs.d/01-srv", "/srv false root 0644 0755\n")
    image.script("/etc/cont-init.d/01-prepare", "true")
    image.script("/etc/cont-finish.d/01-tidy", "true")
    image.service("quiet")
    # Of the machine, too: but there is hardly anything to sync.
    start = Start(env={"S6_SYNC_DISKS": "1"})
    with booted(image, tmp_path, "true", start=start) as box:
        assert box.ended() == 0
    assert box.out == shown + "\n"
