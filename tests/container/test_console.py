"""What an engine shows of a container: raw or tagged lines, and what is logged."""

import json
import re

import pytest

from boxes import FINISH, SERVICES, Boxes, stages
from engines import Options

NAMES = ("web", "worker", "mail")
COUNT = 20000
LINE = "line {} of {}, with enough behind it to be cut if anything cuts lines"
LAST = "{} has written its last"
TAGGED = re.compile(r"(\S+) +\| (.*)")
CATCH_ALL = "/run/uncaught-logs"


def expected(name: str) -> list[str]:
    """Give what a service of the image writes."""
    return [*(LINE.format(n, name) for n in range(COUNT)), LAST.format(name)]


def test_three_services_on_one_output(boxes: Boxes) -> None:
    """Under load: each line is whole, in order, and says whose it is."""
    box = boxes.start("console")
    for name in NAMES:
        box.wait_for(LAST.format(name))
    assert box.stop() == 0
    found: dict[str, list[str]] = {name: [] for name in (*NAMES, "s6-init")}
    for line in box.out:
        match = TAGGED.fullmatch(line)
        assert match, line
        found[match[1]].append(match[2])
    assert box.err == []
    for name in NAMES:
        # The last one goes another way, by descriptor 2.
        assert sorted(found[name]) == sorted(expected(name))
        assert [line for line in found[name] if line.startswith("line ")] == (
            expected(name)[:-1]
        )
    assert found["s6-init"][-3:] == list(FINISH)


def test_objects(boxes: Boxes) -> None:
    """Each line is one, and knows its service and its stream."""
    box = boxes.start("console", options=Options(env={"S6_CONSOLE": "json"}))
    for name in NAMES:
        box.wait_for(LAST.format(name))
    assert box.stop() == 0
    records = [json.loads(line) for line in box.out]
    for name in NAMES:
        of_name = [record for record in records if record["service"] == name]
        assert len(of_name) == COUNT + 1
        last = [record for record in of_name if record["msg"] == LAST.format(name)]
        assert [record["stream"] for record in last] == ["stderr"]
    own = [record["msg"] for record in records if record["service"] == "s6-init"]
    assert own[-3:] == list(FINISH)


@pytest.mark.parametrize("level", ["0", "1", "2"])
def test_levels_of_logging(boxes: Boxes, level: str) -> None:
    """0: no catch-all logger; 1: it copies to the output; 2: it alone has the lines."""
    env = {"S6_LOGGING": level, "S6_LOGGING_SCRIPT": "n3 s100000 T"}
    box = boxes.start("command", "sleep", "1000", options=Options(env=env))
    caught = ["grep", "-E", r"^[0-9-]{10} [0-9:.]+  ", f"{CATCH_ALL}/current"]
    if level == "0":
        box.wait_for(SERVICES[1])
        assert box.try_("test", "-e", CATCH_ALL).returncode == 1
    else:
        box.wait_until("grep", "-F", SERVICES[1], f"{CATCH_ALL}/current")
        lines = box.do(*caught).splitlines()
        texts = [line[31:] for line in lines]
        assert "cache: ready" in texts
        assert SERVICES[1] in texts
    assert box.stop() == 0
    assert ("cache: ready" in box.out) == (level != "2")
    assert (stages(box.out)[-3:] == list(FINISH)) == (level != "2")
    if level == "2":
        assert box.out == []
    assert box.err == []
