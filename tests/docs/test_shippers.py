"""What stands in the how-to pages about shippers, and lines as they find them."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness import Program, Stage, run
from pages import CHECKOUT

HOW_TO = CHECKOUT / "docs" / "how-to"
PAGES = ("json-for-loki.md", "json-for-fluent-bit-and-otel.md")
OTEL = re.compile(r"layout: '([^']+)'")
INPUT = (
    b'plain "text"\n{"level":"info","msg":"own"}\n{"ts":"mine","service":"x"}\n'
    b"caf\xe9\n\x1b[31mred\n{}\n{half\n" + b"x" * 20_000 + b"\n"
)


def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Make an object; a member that is there twice is what some parsers refuse."""
    found = dict(pairs)
    assert len(found) == len(pairs)
    return found


@pytest.fixture
def lines(ours: Program, tmp_path: Path) -> list[str]:
    """Lines of a container's standard output, as the pages have it."""
    stage = Stage(tmp_path, env={"S6_SERVICE": "web"})
    ended = run(ours, ["-l", "0", "@json", "1"], INPUT, stage)
    assert ended.code == 0
    return ended.out.decode().splitlines()


def test_each_line_is_one_object_without_doubles(lines: list[str]) -> None:
    """Strictly: Vector's and Loki's parsers take nothing else."""
    entries = [json.loads(line, object_pairs_hook=once) for line in lines]
    assert len(entries) == INPUT.count(b"\n")
    assert all(isinstance(entry, dict) for entry in entries)
    assert all({"ts", "service", "stream"} <= entry.keys() for entry in entries)


def test_docker_and_cri_wrap_it_and_it_comes_out_again(lines: list[str]) -> None:
    """In the member `log` of docker's object, and behind four words of CRI."""
    for line in lines:
        wrapped = json.dumps({"log": line + "\n", "stream": "stdout", "time": "t"})
        assert json.loads(json.loads(wrapped)["log"]) == json.loads(line)
        cri = f"2026-11-29T00:22:46.123456789Z stdout F {line}"
        assert json.loads(cri.split(" ", 3)[3]) == json.loads(line)


def test_the_time_has_the_layout_that_the_pages_name(lines: list[str]) -> None:
    """That of OpenTelemetry, and RFC 3339 for the others."""
    (layout,) = OTEL.findall((HOW_TO / PAGES[1]).read_text())
    now = datetime.now(UTC)
    for line in lines:
        stamp = json.loads(line)["ts"]
        if stamp != "mine":
            read = datetime.strptime(stamp, layout).replace(tzinfo=UTC)
            assert read == datetime.fromisoformat(stamp)
            assert abs((now - read).total_seconds()) < 60


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_name_members_that_there_are(page: str) -> None:
    """In their configurations: `ts` and `service` at least."""
    text = (HOW_TO / page).read_text()
    assert {"ts", "service"} <= set(re.findall(r"\b(ts|service|stream|msg)\b", text))
