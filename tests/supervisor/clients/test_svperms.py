"""s6-svperms: permissions shown and set, beside Debian's program."""

import grp
import os
from pathlib import Path

import pytest

import harness
from chains import agree, become, needs_root
from harness import Outcome, Stage
from supervising import make_service

TOOL = "s6-svperms"
GROUPS = [group for group in grp.getgrall() if group.gr_gid != 0]
NAME, OTHER = (group.gr_name for group in GROUPS[:2])
NUMBER = f":{GROUPS[0].gr_gid}"

PATHS = ("supervise", "supervise/control", "event")
DEFAULT = (0o700, 0o600, 0o3730)


def service(parent: Path, name: str, modes: tuple[int, ...] = DEFAULT) -> Path:
    """Make what a supervisor leaves in a service directory, with these modes."""
    directory = make_service(parent / name)
    (directory / "supervise").mkdir()
    os.mkfifo(directory / "supervise" / "control")
    (directory / "event").mkdir()
    set_modes(directory, modes)
    return directory


def set_modes(directory: Path, modes: tuple[int, ...]) -> None:
    """Give the three files these modes."""
    for path, mode in zip(PATHS, modes, strict=True):
        (directory / path).chmod(mode)


def permissions(directory: Path) -> list[tuple[int, int]]:
    """Give mode and group of the three files."""
    found = [(directory / path).stat() for path in PATHS]
    return [(one.st_mode & 0o7777, one.st_gid) for one in found]


MODES = (
    DEFAULT,
    (0o710, 0o600, 0o1733),
    (0o711, 0o620, 0o3730),
    (0o710, 0o620, 0o3730),
    (0o2700, 0o4600, 0o3730),
    (0o700, 0o200, 0o3730),
    # incorrect
    (0o755, 0o600, 0o3730),
    (0o701, 0o600, 0o3730),
    (0o1700, 0o600, 0o3730),
    (0o4700, 0o600, 0o3730),
    (0o300, 0o600, 0o3730),
    (0o720, 0o600, 0o3730),
    (0o700, 0o644, 0o3730),
    (0o700, 0o640, 0o3730),
    (0o700, 0o700, 0o3730),
    (0o700, 0o610, 0o3730),
    (0o700, 0o600, 0o755),
    (0o700, 0o600, 0o733),
    (0o700, 0o600, 0o1730),
)


@pytest.mark.parametrize("modes", MODES, ids=lambda m: "-".join(f"{x:o}" for x in m))
def test_permissions_are_told_as_in_s6(tmp_path: Path, modes: tuple[int, ...]) -> None:
    """Who may, or that the modes are incorrect."""
    service(tmp_path, "s", modes)
    agree(TOOL, ["s"], Stage(tmp_path))
    agree(TOOL, ["-v", "s"], Stage(tmp_path))


@needs_root
def test_groups_are_told_by_name_where_they_have_one(tmp_path: Path) -> None:
    """Else by number."""
    made = service(tmp_path, "s", (0o710, 0o620, 0o3730))
    for path, gid in zip(PATHS, (GROUPS[0].gr_gid, 99999, 0), strict=True):
        os.chown(made / path, -1, gid)
    set_modes(made, (0o710, 0o620, 0o3730))
    outcome = agree(TOOL, ["s"], Stage(tmp_path))
    assert outcome.out.decode().splitlines() == [
        f"s status: group {NAME}",
        "s control: group 99999",
        "s events: group root",
    ]


CHANGES = (
    "-u",
    f"-g {NAME}",
    f"-g {NUMBER}",
    f"-G {NAME}",
    "-o",
    f"-O {NAME}",
    "-e",
    f"-E {NAME}",
    f"-v -G {NAME} -E {OTHER}",
    f"-vO{NAME} -e",
    "-ue",
    # the last of its kind counts
    f"-u -g {NAME}",
    f"-g {NAME} -u",
    f"-G {NAME} -g {OTHER}",
    f"-E {NAME} -e",
    f"-e -E {NAME}",
    "-o -u",
)


@needs_root
@pytest.mark.parametrize("options", CHANGES)
def test_changes_are_those_of_s6(tmp_path: Path, options: str) -> None:
    """Modes and groups, whatever they were before, of all services named."""
    outcomes, changed = [], []
    for program in (harness.ours(TOOL), harness.oracle(TOOL)):
        folder = tmp_path / program.name
        made = [service(folder, "a"), service(folder, "b", (0o711, 0o620, 0o1733))]
        for path in PATHS:
            os.chown(made[1] / path, 65534, 99999)
        set_modes(made[1], (0o711, 0o620, 0o1733))
        words = [*options.split(), "a", "b"]
        outcomes.append(become(program, words, Stage(folder)))
        changed.append([permissions(one) for one in made])
    assert changed[0] == changed[1]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0].code == 0
    assert (outcomes[0].out != b"") == ("v" in options.split(maxsplit=1)[0])


@needs_root
def test_an_owner_that_does_not_exist(tmp_path: Path) -> None:
    """Has no group to give files to: root's is taken, with a warning."""
    made = service(tmp_path, "s")
    os.chown(made / "event", 12345, 12345)
    outcome = become(harness.ours(TOOL), ["-e", "s"], Stage(tmp_path))
    text = b"unable to determine primary gid for the owner of s/event"
    warning = b"s6-svperms: warning: " + text + b" (using root instead)\n"
    assert outcome == Outcome(0, b"", warning)
    assert permissions(made)[2] == (0o1733, 0)
    # The real one ends the line with the error that there was none.
    os.chown(made / "event", 12345, 12345)
    real = become(harness.oracle(TOOL), ["-e", "s"], Stage(tmp_path))
    assert real.err == warning.replace(b"\n", b": Success\n")


MISTAKES = (
    "",
    "-v",
    "-x s",
    "-g",
    "-g : s",
    "-g :x s",
    "-g :-1 s",
    "-E :4294967296 s",
    "nowhere",
    "-v nowhere s",
    "-u nowhere",
    "-e nowhere",
    "file",
)


@pytest.mark.parametrize("words", MISTAKES)
def test_mistakes_are_told_as_in_s6(tmp_path: Path, words: str) -> None:
    """Usage, groups that are none, directories that are none."""
    service(tmp_path, "s")
    (tmp_path / "file").touch()
    assert agree(TOOL, words.split(), Stage(tmp_path)).code != 0


@pytest.mark.parametrize("name", ["no-such-group", ""])
def test_a_group_that_does_not_exist(tmp_path: Path, name: str) -> None:
    """In the words of s6 2.15, which has lost a colon since 2.11."""
    words = ["-g", name, "s"]
    service(tmp_path, "s")
    outcome = become(harness.ours(TOOL), words, Stage(tmp_path))
    text = f"unable to find entry for {name} in group database\n".encode()
    assert outcome == Outcome(100, b"", b"s6-svperms: fatal: " + text)
    real = become(harness.oracle(TOOL), words, Stage(tmp_path))
    assert real.err.replace(b": : ", b": ") == outcome.err


def test_what_is_of_another_kind_is_told_of(tmp_path: Path) -> None:
    """A file in the place of a directory, a directory in the place of a FIFO."""
    for name, path in enumerate(PATHS):
        made = service(tmp_path, str(name))
        if path == "supervise":
            (made / "supervise" / "control").unlink()
            (made / "supervise").rmdir()
            (made / "supervise").touch()
        elif path == "event":
            (made / "event").rmdir()
            (made / "event").touch()
        else:
            (made / path).unlink()
            (made / path).mkdir()
    outcome = agree(TOOL, ["0", "1", "2"], Stage(tmp_path))
    assert outcome.code == 1
    assert outcome.err.count(b" is not a ") == 3


@needs_root
def test_what_may_not_be_changed(tmp_path: Path) -> None:
    """Only the owner may, and root."""
    tmp_path.chmod(0o755)
    service(tmp_path, "s")
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    for words in (["-u", "s"], ["-e", "s"]):
        assert agree(TOOL, words, Stage(tmp_path), start=nobody).code == 111
