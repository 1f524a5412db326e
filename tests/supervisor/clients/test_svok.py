"""s6-svok: an exit code, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest

import harness
from chains import agree, needs_root
from harness import Program, Stage
from supervising import make_service, service_directory, supervise

TOOL = "s6-svok"
Find = Callable[[str], Program]


def test_it_knows_a_supervised_service(find_supervisor: Find, tmp_path: Path) -> None:
    """Before, meanwhile and afterwards: 1, 0, 1."""
    with service_directory(tmp_path) as service:
        assert agree(TOOL, ["service"], Stage(tmp_path)).code == 1
        with supervise(find_supervisor("s6-supervise"), service):
            assert agree(TOOL, ["service"], Stage(tmp_path)).code == 0
            assert agree(TOOL, ["service/", "more"], Stage(tmp_path)).code == 0
        assert agree(TOOL, ["service"], Stage(tmp_path)).code == 1


def test_a_lock_that_nobody_has_is_none(tmp_path: Path) -> None:
    """The file stays when a supervisor has gone."""
    (tmp_path / "d" / "supervise").mkdir(parents=True)
    (tmp_path / "d" / "supervise" / "lock").touch()
    assert agree(TOOL, ["d"], Stage(tmp_path)).code == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 100),
        ([""], 1),
        (["nowhere"], 1),
        (["--"], 1),
        (["-z"], 1),
        (["plain"], 1),
        (["file"], 111),
        (["odd"], 111),
        (["x" * 300], 111),
    ],
)
def test_it_says_what_the_real_one_says(
    tmp_path: Path, words: list[str], code: int
) -> None:
    """There are no options; what cannot be looked at is an error."""
    make_service(tmp_path / "plain")
    (tmp_path / "file").touch()
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "supervise").touch()
    outcome = agree(TOOL, words, Stage(tmp_path))
    assert (outcome.code, outcome.out) == (code, b"")


@needs_root
def test_what_may_not_be_looked_at_is_an_error(tmp_path: Path) -> None:
    """The supervise directory of another user, for example."""
    service = make_service(tmp_path / "s")
    (service / "supervise").mkdir(mode=0o700)
    tmp_path.chmod(0o755)
    user = ["setpriv", "--reuid", "65534", "--clear-groups"]
    outcomes = set()
    for program in (harness.ours(TOOL), harness.oracle(TOOL)):
        as_nobody = harness.Program("nobody", (*user, *program.argv))
        # From within: the folders above are not to be searched by others.
        outcomes.add(harness.run(as_nobody, ["."], b"", Stage(service)))
    text = b"s6-svok: fatal: unable to check .: Permission denied\n"
    assert outcomes == {harness.Outcome(111, b"", text)}
