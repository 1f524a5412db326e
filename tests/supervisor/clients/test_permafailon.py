"""s6-permafailon: the same verdicts as Debian's, on the same tallies."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import harness
from chains import agree
from harness import Outcome, Program, Stage, wait_until
from standins import SECOND_NS, add_tally
from supervising import Ear, service_directory, status, supervise, wait_down
from supervisor.service.tally import MOST, Death

TOOL = "s6-permafailon"
Find = Callable[[str], Program]
GO_ON = ["echo", "going", "on"]

DEATHS = st.builds(
    lambda age_s, code, signal: (age_s, 128 + signal if signal else code, signal),
    age_s=st.integers(0, 20).map(lambda tens: 10 * tens + 5),
    code=st.sampled_from([0, 1, 7, 111, 137, 143, 255]),
    signal=st.just(0) | st.just(0) | st.sampled_from([9, 15]),
)
WORDS = st.sampled_from(
    ["7", "1-111", "0", "137", "SIGTERM", "kill", "SIG9", "143-255"]
)
SECONDS = st.integers(0, 21).map(lambda tens: 10 * tens)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a service directory for all the examples of a test."""
    directory = tmp_path_factory.mktemp("service")
    (directory / "supervise").mkdir()
    return directory


def write(directory: Path, deaths: list[tuple[int, int, int]]) -> None:
    """Write a tally: seconds ago, exit code, signal."""
    now_ns = time.time_ns()
    records = (Death(now_ns - age * SECOND_NS, *how) for age, *how in deaths)
    add_tally(directory, records)


@settings(max_examples=60)
@given(
    deaths=st.lists(DEATHS, max_size=8).map(lambda d: sorted(d, reverse=True)),
    seconds=SECONDS,
    count=st.integers(1, 4),
    words=st.lists(WORDS, max_size=3),
)
def test_verdicts_are_those_of_s6(
    service: Path,
    deaths: list[tuple[int, int, int]],
    seconds: int,
    count: int,
    words: list[str],
) -> None:
    """Exit 125 with the same line, or the program."""
    write(service, deaths)
    arguments = [str(seconds), str(count), ",".join(words), *GO_ON]
    outcome = agree(TOOL, arguments, Stage(service))
    assert outcome.code in (0, 125)
    assert (outcome.code == 0) == (outcome.out == b"going on\n")


TALLY = [(100, 7, 0), (50, 143, 15), (10, 143, 15), (5, 137, 9), (2, 9, 0)]
LISTS = (
    *("", "7", "7SIGTERM", "0-255", "SIGTERM, SIGKILL;9", "1-9 SIGTERM,SIGKILL"),
    *("256", "9-7", "9-", "9-999", "foo", "SIG", "SIG0", "SIG65", "SIG32", ",", ",1"),
    *("1-5-9", "SIG15", "sig9", "SIGCLD SIGIOT SIGIO", "+1", "7x", "term", "1,,2"),
)


@pytest.mark.parametrize("words", LISTS)
def test_lists_are_read_as_in_s6(service: Path, words: str) -> None:
    """And refused as there."""
    write(service, TALLY)
    agree(TOOL, ["600", "1", words, *GO_ON], Stage(service))
    agree(TOOL, ["60", "2", words, *GO_ON], Stage(service))


@pytest.mark.parametrize(
    "words",
    [
        "",
        "60",
        "60 1",
        "x 1 9 echo",
        "60 x 9 echo",
        "60 0 9 echo",
        "-1 1 9 echo",
        "-- 60 1 9 echo",
        "4294967295 1 9 echo",
        "4294967296 1 9 echo",
        "060 01 9 echo",
        "600 5000 0-255 echo on",
        "60 1 9",
        "60 9 9",
        "60 9 9 nonexistent-program",
        "60 9 9 ./supervise",
    ],
)
def test_command_lines_are_read_as_in_s6(service: Path, words: str) -> None:
    """Usage, numbers, and programs that are missing or cannot be executed."""
    write(service, TALLY)
    agree(TOOL, words.split(), Stage(service))


@pytest.mark.parametrize("content", [None, b"", b"abc", bytes(14 * (MOST + 1))])
def test_without_a_tally_the_program_runs(
    tmp_path: Path, content: bytes | None
) -> None:
    """With a warning, unless it is just empty."""
    (tmp_path / "supervise").mkdir()
    if content is not None:
        (tmp_path / "supervise" / "death_tally").write_bytes(content)
    outcome = agree(TOOL, ["60", "1", "0-255", *GO_ON], Stage(tmp_path))
    assert (outcome.code, outcome.out) == (0, b"going on\n")
    assert (b"warning" in outcome.err) == (content != b"")


def test_outside_of_a_service_directory_the_program_runs(tmp_path: Path) -> None:
    """There is nothing to read, which is warned of."""
    outcome = agree(TOOL, ["60", "1", "0-255", *GO_ON], Stage(tmp_path))
    text = b"unable to stat supervise/death_tally: No such file or directory\n"
    assert outcome == Outcome(0, b"going on\n", b"s6-permafailon: warning: " + text)


def test_a_service_fails_for_good(tmp_path: Path, find_supervisor: Find) -> None:
    """Its finish script becomes us, and its supervisor gives it up after two deaths."""
    judge = " ".join(harness.ours(TOOL).argv)
    with (
        service_directory(
            tmp_path, "s", "exit 7", f"exec {judge} 60 2 1-9 true"
        ) as directory,
        supervise(find_supervisor("s6-supervise"), directory),
        Ear(directory) as ear,
    ):
        ear.wait_for(b"OD")
        wait_down(directory)
        wait_until(lambda: not status(directory).want_up, "it to be given up")
        tally = (directory / "supervise" / "death_tally").read_bytes()
        assert len(tally) == 2 * 14
