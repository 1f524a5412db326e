"""A container at rest: nobody wakes up, nothing is left open."""

import select
from pathlib import Path

import pytest

from harness import wait_until
from inits import SLEEP, Booted, Image, Start, booted, needs_boxes
from watching import children, descriptors, facts, switches

pytestmark = needs_boxes

QUIET_S = 0.5


def everybody(pid: int) -> list[int]:
    """Give a process and all that descend from it."""
    found = [pid]
    for one in found:
        found += children(one)
    return found


def name_of(box: Booted, pid: int) -> str:
    """Give the name of a process in a container, by its number there."""
    return box.path(f"/proc/{pid}/comm").read_text().strip()


def is_quiet(pid: int) -> bool:
    """Tell whether none of them wakes up for a while."""
    before = {one: switches(facts(one)) for one in everybody(pid)}
    select.select([], [], [], QUIET_S)
    return before == {one: switches(facts(one)) for one in everybody(pid)}


@pytest.mark.parametrize(
    "variables",
    [{}, {"S6_CONSOLE": "json"}, {"S6_CONSOLE": "tag", "S6_LOGGING": "1"}],
    ids=["raw", "json", "tag and logging"],
)
def test_nobody_wakes_up(
    image: Image, tmp_path: Path, variables: dict[str, str]
) -> None:
    """When all is up, and nothing happens."""
    for name in ("one", "two"):
        image.service(name, "echo up; " + SLEEP, log_run="exec s6-log -b 1")
        image.service(f"un{name}", "echo up; " + SLEEP)
    start = Start(env=variables)
    with booted(image, tmp_path, "sleep", "1000", start=start) as box:
        wait_until(lambda: box.out.count("up") >= 4, "everybody's first word")
        wait_until(lambda: is_quiet(box.pid), "half a second of rest")
        assert box.stop() == 0
    assert box.err == ""  # no limit was reached


def test_nobody_has_more_open_than_they_should(image: Image, tmp_path: Path) -> None:
    """Scripts, services, loggers and the command: three descriptors each."""
    start = Start(env={"S6_KILL_GRACETIME": "10"})
    show = "ls /proc/self/fd | wc -l > /srv/"
    image.script("/etc/cont-init.d/1", show + "script")
    image.service("web", f"{show}web; {SLEEP}", log_run=f"{show}log; {SLEEP}")
    with booted(image, tmp_path, "sleep", "1000", start=start) as box:
        for name in ("script", "web", "log"):
            path = box.path(f"/srv/{name}")
            wait_until(lambda path=path: path.exists() and bool(path.read_text()), name)  # type: ignore[misc]
            assert path.read_text() == "4\n"  # with that of the listing itself
        pid = int(box.path("/run/s6/cmdpid").read_text())
        wait_until(lambda: name_of(box, pid) == "sleep", "the command")
        (command,) = [
            one
            for one in everybody(box.pid)
            if facts(one)["NSpid"].split()[-1] == str(pid)
        ]
        assert sorted(descriptors(command)) == [0, 1, 2]
        assert box.stop() == 0
