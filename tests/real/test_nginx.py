"""Objects posted to a real nginx, by a loop around curl that a user may copy."""

import json
from collections import Counter
from pathlib import Path

import pytest

from commands import Feeding, feeding
from harness import Program, wait_until
from numbered import WHOLE, lines
from receivers import POST, Receiver, needed
from watching import children, facts

COUNT = 3000
MOST_LINES = 500
PAUSE_S = 0.05
REFUSALS = ["429", "503", "444"]


def script(nginx: Receiver) -> list[str]:
    """Post each line as an object."""
    for program in ("bash", "curl"):
        needed(program, program)
    url = f"http://127.0.0.1:{nginx.port}/ingest"
    return ["@tag=web", "@json", f"@pipe=exec {POST} {url} {PAUSE_S}"]


def batches(nginx: Receiver) -> list[list[int]]:
    """Give the numbers of lines in each request that was answered with 2xx."""
    found: list[list[int]] = [[]]
    for text in nginx.lines("bodies"):
        if not text:
            found.append([])  # behind each body
            continue
        record = json.loads(text)
        assert record["service"] == "web"
        match = WHOLE.fullmatch(record["msg"].encode())
        assert match
        found[-1].append(int(match[1]))
    return found[:-1]


def received(nginx: Receiver) -> list[int]:
    """Give the numbers of all lines, in the order in which they came."""
    return [number for batch in batches(nginx) for number in batch]


def answer(nginx: Receiver, status: str) -> None:
    """Let nginx answer so from now on."""
    (nginx.folder / f"answer-{status}").touch()


def relent(nginx: Receiver) -> None:
    """Let nginx take everything again."""
    for path in nginx.folder.glob("answer-*"):
        path.unlink()


def wait_for_answers(nginx: Receiver, status: str, count: int) -> None:
    """Wait until nginx has answered so, so often."""
    wait_until(
        lambda: nginx.lines("statuses").count(status) >= count, f"{count} of {status}"
    )


def wait_for_pause(fed: Feeding) -> None:
    """Wait until the loop waits before it tries again."""

    def pausing() -> bool:
        found = children(fed.command("post"))
        return "sleep" in [facts(pid).get("Name") for pid in found]

    wait_until(pausing, "a pause")


@pytest.mark.parametrize("options", [["-t0"], ["-bt0"]], ids=["", "-b"])
def test_every_line_arrives(
    ours: Program, nginx: Receiver, options: list[str], tmp_path: Path
) -> None:
    """Once, in order, in few requests."""
    nginx.start()
    with feeding(ours, tmp_path, *options, *script(nginx)) as fed:
        fed.feed(lines(0, COUNT))
        assert fed.end() == 0
        assert fed.said() == []
    assert received(nginx) == list(range(COUNT))
    assert max(map(len, batches(nginx))) <= MOST_LINES
    assert len(batches(nginx)) < COUNT // 100
    assert set(nginx.lines("statuses")) == {"204"}


def test_a_line_does_not_wait_for_others(
    ours: Program, nginx: Receiver, tmp_path: Path
) -> None:
    """It is posted after a second or so, though the input goes on."""
    nginx.start()
    with feeding(ours, tmp_path, "-t0", *script(nginx)) as fed:
        fed.feed(lines(0, 1))
        wait_until(lambda: received(nginx) == [0], "a line")
        assert fed.end() == 0


@pytest.mark.parametrize("status", REFUSALS)
def test_what_is_not_taken_is_offered_again(
    ours: Program, nginx: Receiver, status: str, tmp_path: Path
) -> None:
    """Until it is; nothing is missing, and nothing comes twice."""
    answer(nginx, status)
    nginx.start()
    with feeding(ours, tmp_path, "-t0", *script(nginx)) as fed:
        fed.feed(lines(0, COUNT // 2))
        wait_for_answers(nginx, status, 3)
        assert received(nginx) == []
        relent(nginx)
        wait_until(lambda: len(received(nginx)) > MOST_LINES, "some lines")
        answer(nginx, status)
        fed.feed(lines(COUNT // 2, COUNT))
        fed.pipe.end()
        wait_for_answers(nginx, status, 5)
        relent(nginx)
        assert fed.end() == 0
        assert fed.said() == []
    assert received(nginx) == list(range(COUNT))
    assert Counter(nginx.lines("statuses"))[status] >= 5


def test_nginx_that_is_not_there(
    ours: Program, nginx: Receiver, tmp_path: Path
) -> None:
    """At first, and once more in between."""
    with feeding(ours, tmp_path, "-t0", *script(nginx)) as fed:
        fed.feed(lines(0, COUNT // 2))
        wait_for_pause(fed)
        nginx.start()
        wait_until(lambda: len(received(nginx)) == COUNT // 2, "half of the lines")
        nginx.stop()
        fed.feed(lines(COUNT // 2, COUNT))
        wait_for_pause(fed)
        nginx.start()
        assert fed.end() == 0
        assert fed.said() == []
    assert received(nginx) == list(range(COUNT))


def test_end_while_nginx_refuses(
    ours: Program, nginx: Receiver, tmp_path: Path
) -> None:
    """The logger ends after `-t`; the loop goes on alone, and loses nothing."""
    answer(nginx, "503")
    nginx.start()
    with feeding(ours, tmp_path, "-t100", *script(nginx)) as fed:
        fed.feed(lines(0, COUNT // 10))
        wait_for_answers(nginx, "503", 1)
        assert fed.end() == 0
        (goes_on,) = fed.said()
        assert "it goes on, as pid " in goes_on
        relent(nginx)
        wait_until(lambda: len(received(nginx)) >= COUNT // 10, "all lines")
    assert received(nginx) == list(range(COUNT // 10))


def test_what_is_refused_for_good_is_kept(
    ours: Program, nginx: Receiver, tmp_path: Path
) -> None:
    """In a file, and the next lines go on."""
    answer(nginx, "400")
    nginx.start()
    with feeding(ours, tmp_path, "-t0", *script(nginx)) as fed:
        fed.feed(lines(0, 10))
        fed.wait_for("answers 400")
        relent(nginx)
        fed.feed(lines(10, 20))
        assert fed.end() == 0
        assert len(fed.said()) == 1
    assert received(nginx) == list(range(10, 20))
    texts = (tmp_path / "refused").read_text().splitlines()
    refused = [json.loads(text)["msg"] for text in texts]
    assert "".join(f"{text}\n" for text in refused).encode() == lines(0, 10)


def test_loop_that_is_killed(ours: Program, nginx: Receiver, tmp_path: Path) -> None:
    """The next one goes on with what is in the pipe: a batch may be missing."""
    answer(nginx, "429")
    nginx.start()
    with feeding(ours, tmp_path, "-t0", "r20", *script(nginx)) as fed:
        fed.feed(lines(0, COUNT))
        wait_for_answers(nginx, "429", 2)
        fed.kill("post")
        relent(nginx)
        assert fed.end() == 0
    found = sorted(received(nginx))
    assert found == list(range(found[0], COUNT))
    assert found[0] <= MOST_LINES
