"""s6-svdt and s6-svdt-clear: death tallies, beside Debian's programs."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import harness
from chains import agree, become, needs_root
from harness import Outcome, Stage, wait_until
from standins import NOW_NS, SECOND_NS, add_tally
from supervising import make_service, service_directory, supervise, tell, wait_up
from supervisor.service.tally import MOST, RECORD_BYTES, Death
from watching import facts

SHOW, CLEAR = "s6-svdt", "s6-svdt-clear"
EXITS = st.builds(
    Death,
    when_ns=st.integers(NOW_NS - 10**18, NOW_NS),
    code=st.integers(0, 255),
    signal=st.just(0),
)
KILLS = st.builds(
    lambda when_ns, signal: Death(when_ns, 128 + signal, signal),
    when_ns=st.integers(NOW_NS - 10**18, NOW_NS),
    signal=st.integers(1, 64),
)
OPTIONS = st.sampled_from(
    ["", "-s", "-S", "-sS", "-Ss", "-n0", "-n 1", "-sn3", "-n 99"]
)


def tally_of(directory: Path) -> Path:
    """Name the file."""
    return directory / "supervise" / "death_tally"


def prepare(directory: Path, deaths: list[Death]) -> Path:
    """Make a service directory with a tally."""
    (directory / "supervise").mkdir(parents=True, exist_ok=True)
    add_tally(directory, deaths)
    return directory


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder for all the examples of a test."""
    return tmp_path_factory.mktemp("tallies")


@settings(max_examples=50)
@given(st.lists(EXITS | KILLS, max_size=8), OPTIONS)
def test_any_tally_reads_as_in_s6(
    folder: Path, deaths: list[Death], options: str
) -> None:
    """Oldest first; the last so many; signals by name or number."""
    prepare(folder / "s", deaths)
    outcome = agree(SHOW, [*options.split(), "s"], Stage(folder))
    assert outcome.code == 0


def test_deaths_of_a_real_service(tmp_path: Path) -> None:
    """An exit, and a signal, as the supervisor saw them."""
    with (
        service_directory(tmp_path, "s", "[ ! -e exit ] || exit 7\nexec sleep 99") as s,
        supervise(harness.oracle("s6-supervise"), s),
    ):
        pid = wait_up(s)
        wait_until(lambda: facts(pid)["Name"] == "sleep", "the script to be through")
        (s / "exit").touch()
        tell(s, b"k")
        wait_until(lambda: tally_of(s).stat().st_size >= 28, "two deaths")
        (s / "exit").unlink()
        assert wait_up(s) != pid
        lines = agree(SHOW, ["s"], Stage(tmp_path)).out.decode().splitlines()
    assert [line.split(maxsplit=1)[1] for line in lines[:2]] == [
        "signal SIGKILL",
        "exitcode 7",
    ]


def test_more_than_s6_keeps_are_not_shown(tmp_path: Path) -> None:
    """4096, the newest."""
    deaths = [Death(NOW_NS + n * SECOND_NS, n % 256, 0) for n in range(MOST + 1)]
    prepare(tmp_path / "s", deaths)
    lines = agree(SHOW, ["s"], Stage(tmp_path)).out.splitlines()
    assert len(lines) == MOST
    assert lines[0].endswith(b" exitcode 1")


@pytest.mark.parametrize(
    "words", ["", "-x s", "-n s", "-n x s", "-n -1 s", "-n 4294967296 s", "nowhere"]
)
def test_mistakes_are_told_as_in_s6(tmp_path: Path, words: str) -> None:
    """Usage, and directories that are none."""
    prepare(tmp_path / "s", [])
    assert agree(SHOW, words.split(), Stage(tmp_path)).code in (100, 111)


def test_of_no_deaths_nothing_is_read(tmp_path: Path) -> None:
    """With -n 0 the directory need not even be there."""
    assert agree(SHOW, ["-n", "0", "nowhere"], Stage(tmp_path)).code == 0


@pytest.mark.parametrize("content", [None, b"", b"x" * (RECORD_BYTES + 1)])
def test_what_is_no_tally_is_an_empty_one(
    tmp_path: Path, content: bytes | None
) -> None:
    """Missing, empty, of an odd size. Ours leaves it so; the real one empties it."""
    for name in ("ours", "real"):
        prepare(tmp_path / name, [])
        tally_of(tmp_path / name).unlink()
        if content is not None:
            tally_of(tmp_path / name).write_bytes(content)
    ours = become(harness.ours(SHOW), ["ours"], Stage(tmp_path))
    assert ours == become(harness.oracle(SHOW), ["real"], Stage(tmp_path))
    assert ours == Outcome(0, b"", b"")
    assert tally_of(tmp_path / "real").read_bytes() == b""
    found = tally_of(tmp_path / "ours")
    assert (found.read_bytes() if found.exists() else None) == content


def test_a_full_disk_is_told_of(tmp_path: Path) -> None:
    """When what is shown cannot be written."""
    prepare(tmp_path / "s", [Death(NOW_NS, 1, 0)])
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        assert agree(SHOW, ["s"], Stage(tmp_path, stdout=full)).code == 111
    finally:
        os.close(full)


def test_clearing_leaves_an_empty_tally(tmp_path: Path) -> None:
    """Also where there was none; nothing else is left behind."""
    for deaths in ([Death(NOW_NS, 1, 0)], []):
        prepare(tmp_path / "s", deaths)
        assert agree(CLEAR, ["s"], Stage(tmp_path)) == Outcome(0, b"", b"")
        assert os.listdir(tmp_path / "s" / "supervise") == ["death_tally"]
        assert tally_of(tmp_path / "s").read_bytes() == b""


def test_clearing_replaces_the_file(tmp_path: Path) -> None:
    """A reader that has it open still sees all of what it began to read."""
    prepare(tmp_path / "s", [Death(NOW_NS, 1, 0)])
    with tally_of(tmp_path / "s").open("rb") as reader:
        assert become(harness.ours(CLEAR), ["s"], Stage(tmp_path)).code == 0
        assert len(reader.read()) == RECORD_BYTES


@pytest.mark.parametrize("words", [[], ["nowhere"], ["-x"], ["s", "extra"]])
def test_clearing_takes_the_first_word_for_a_directory(
    tmp_path: Path, words: list[str]
) -> None:
    """Whatever it is."""
    make_service(tmp_path / "s")
    assert agree(CLEAR, words, Stage(tmp_path)).code in (100, 111)


@needs_root
def test_what_may_not_be_read(tmp_path: Path) -> None:
    """Permissions are told of; where nothing can be made, there is nothing to read."""
    tmp_path.chmod(0o755)
    prepare(tmp_path / "s", [Death(NOW_NS, 1, 0)])
    tally_of(tmp_path / "s").chmod(0o600)
    nobody = ("setpriv", "--reuid=65534", "--clear-groups")
    assert agree(SHOW, ["s"], Stage(tmp_path), start=nobody).code == 111
    assert agree(CLEAR, ["s"], Stage(tmp_path), start=nobody).code == 111
