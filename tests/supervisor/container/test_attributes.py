"""Owners and modes of real files, as the files of fix-attrs.d say."""

import os
import pwd
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from chains import needs_root
from s6log.unix.messages import reason
from supervisor.container.attributes import MOST_WARNINGS, apply_file

ME = f"{os.getuid()}:{os.getgid()}"
OTHER = (12345, 23456)
THEM = "12345:23456"


class Files:
    """A tree of files, and a file of fix-attrs.d that is about it."""

    def __init__(self, folder: Path) -> None:
        self.top = folder / "top"
        self.rules = folder / "01-rules"
        self.outside = folder / "outside"
        self.said: list[str] = []
        (self.top / "sub/deep").mkdir(parents=True)
        for name in ("file", ".hidden", "sub/file", "sub/deep/file", "sub/.hidden"):
            (self.top / name).write_text("")
        self.outside.mkdir()
        (self.outside / "secret").write_text("")
        for path in (self.top, *self.top.rglob("*"), *self.outside.rglob("*")):
            path.chmod(0o700 if path.is_dir() else 0o600)

    def warn(self, text: bytes, error: OSError | None) -> None:
        """Hear what goes wrong."""
        why = b"" if error is None else b": " + reason(error)
        self.said.append((text + why).decode().replace(str(self.top.parent), ""))

    def apply(self, *lines: str, hidden: bool = False) -> int:
        """Write lines, in which TOP stands for the tree, and apply them."""
        text = "".join(line.replace("TOP", str(self.top)) + "\n" for line in lines)
        self.rules.write_text(text)
        return apply_file(os.fsencode(self.rules), hidden, self.warn)

    def modes(self) -> dict[str, str]:
        """Give the modes of all that is in the tree."""
        paths = [self.top, *self.top.rglob("*")]
        return {
            os.path.relpath(path, self.top): f"{stat.S_IMODE(path.lstat().st_mode):o}"
            for path in paths
        }

    def changed(self, mode: str) -> set[str]:
        """Give the names that have a mode."""
        return {name for name, found in self.modes().items() if found == mode}

    def owned(self, *ids: int) -> set[str]:
        """Give the names that belong to somebody."""
        paths = [self.top, *self.top.rglob("*")]
        owners = {path: (path.lstat().st_uid, path.lstat().st_gid) for path in paths}
        return {
            os.path.relpath(path, self.top)
            for path, owner in owners.items()
            if owner == ids
        }


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Make a tree."""
    return Files(tmp_path)


def test_a_tree_gets_modes(files: Files) -> None:
    """Directories one, files the other; hidden names are passed over."""
    assert files.apply(f"TOP true {ME} 0640 0751") == 0
    assert files.changed("751") == {".", "sub", "sub/deep"}
    assert files.changed("640") == {"file", "sub/file", "sub/deep/file"}
    assert files.changed("600") == {".hidden", "sub/.hidden"}
    assert files.said == []


def test_hidden_names_are_for_those_who_ask(files: Files) -> None:
    """S6_FIX_ATTRS_HIDDEN."""
    assert files.apply(f"TOP true {ME} 0640 -", hidden=True) == 0
    assert {".hidden", "sub/.hidden"} <= files.changed("640")


def test_a_path_may_be_hidden(files: Files) -> None:
    """What is named is meant."""
    assert files.apply(f"TOP/.hidden false {ME} 0640 0751") == 0
    assert files.changed("640") == {".hidden"}


@pytest.mark.parametrize(
    ("path", "mode", "names"),
    [
        ("TOP", "751", {"."}),
        ("TOP/", "751", {"."}),
        ("TOP/file", "640", {"file"}),
        ("TOP/*", "640", {"file"}),
        ("TOP/*", "751", {"sub"}),
        ("TOP/*/f?le", "640", {"sub/file"}),
        ("TOP/[!s]*", "640", {"file"}),
        ("TOP/.*", "640", {".hidden"}),
        ("TOP/*/", "751", {"sub"}),
        ("TOP/*/.", "751", {"sub"}),
        ("TOP//*//*le", "640", {"sub/file"}),
        ("TOP/s*/deep/f*", "640", {"sub/deep/file"}),
        ("TOP/s*/deep/none", "640", set()),
        ("TOP/f*/file", "640", set()),
        ("TOP/**", "640", {"file"}),
        ("TOP/*/[.]hidden", "640", set()),
        ("TOP/*/.hidden", "640", {"sub/.hidden"}),
    ],
)
def test_without_recursion_only_paths_count(
    path: str, mode: str, names: set[str], files: Files
) -> None:
    """One, or what a pattern stands for."""
    assert files.apply(f"{path} false {ME} 0640 0751") == 0
    assert files.changed(mode) == names


def test_a_dash_leaves_modes_alone(files: Files) -> None:
    """Of files or of directories."""
    before = files.modes()
    assert files.apply(f"TOP true {ME} - -") == 0
    assert files.modes() == before
    files.apply(f"TOP true {ME} - 0750")
    assert files.changed("600") == {
        *("file", "sub/file", "sub/deep/file", ".hidden", "sub/.hidden")
    }


def test_lines_follow_one_another(files: Files) -> None:
    """The last one counts."""
    lines = (f"TOP true {ME} 0640 0750", "# and then", f"TOP/sub true {ME} 0644 0755")
    assert files.apply(*lines) == 0
    assert files.changed("644") == {"sub/file", "sub/deep/file"}
    assert files.changed("640") == {"file"}


@needs_root
def test_owners_are_given(files: Files) -> None:
    """To files, directories, and links themselves; not to what is hidden."""
    (files.top / "sub/link").symlink_to(files.outside)
    assert files.apply(f"TOP true {THEM} - -") == 0
    assert files.owned(*OTHER) == {
        *(".", "file", "sub", "sub/file", "sub/deep", "sub/deep/file", "sub/link")
    }
    nobody = pwd.getpwnam("nobody")
    assert files.apply("TOP/file false nobody,1:1 - -") == 0
    assert files.owned(nobody.pw_uid, nobody.pw_gid) == {"file"}


@needs_root
def test_set_user_id_survives_the_change_of_owner(files: Files) -> None:
    """The owner changes first: that takes such bits away."""
    assert files.apply(f"TOP true {THEM} 06755 02755") == 0
    assert files.changed("6755") == {"file", "sub/file", "sub/deep/file"}
    assert files.changed("2755") == {".", "sub", "sub/deep"}


def test_links_in_a_tree_lead_nowhere(files: Files) -> None:
    """Neither to files nor to directories, and dangling ones are no failure."""
    (files.top / "to-file").symlink_to(files.outside / "secret")
    (files.top / "to-folder").symlink_to(files.outside)
    (files.top / "to-nothing").symlink_to("nowhere")
    assert files.apply(f"TOP true {ME} 0644 0755", f"TOP/* true {ME} 0644 0755") == 0
    assert stat.S_IMODE((files.outside / "secret").stat().st_mode) == 0o600
    assert stat.S_IMODE(files.outside.stat().st_mode) != 0o644


def test_a_path_that_is_a_link_is_followed(files: Files) -> None:
    """Whoever wrote it knows where it leads: /var/log may be on a volume."""
    (files.top / "to-folder").symlink_to(files.outside)
    assert files.apply(f"TOP/to-folder true {ME} 0644 0755") == 0
    assert stat.S_IMODE((files.outside / "secret").stat().st_mode) == 0o644


def test_a_pattern_leads_through_no_link(files: Files) -> None:
    """What is behind a wildcard may be a user's: a link there leads to anything."""
    (files.outside / "sub").mkdir(0o700)
    (files.outside / "sub/secret").write_text("")
    (files.outside / "sub/secret").chmod(0o600)
    (files.top / "sub/conf").symlink_to(files.outside)
    (files.top / "user").symlink_to(files.outside)
    rules = ("*/conf/secret", "*/secret", "*/conf/*", "*/conf/", "user*/", "*/c*/sub/*")
    assert files.apply(*[f"TOP/{rule} true {ME} 0666 0777" for rule in rules]) == 0
    for path in (files.outside, *files.outside.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) not in {0o666, 0o777}
    assert files.said == []


@needs_root
def test_a_link_that_a_pattern_finds_gets_an_owner(files: Files) -> None:
    """As its last name: itself, and not what it leads to."""
    (files.top / "sub/conf").symlink_to(files.outside)
    assert files.apply(f"TOP/*/conf true {THEM} 0666 0777") == 0
    assert files.owned(*OTHER) == {"sub/conf"}
    assert files.outside.stat().st_uid == os.getuid()


def test_links_before_a_pattern_are_the_author_s(files: Files) -> None:
    """/var/log may be on a volume."""
    (files.top / "to-folder").symlink_to(files.outside)
    assert files.apply(f"TOP/to-folder/* false {ME} 0644 -") == 0
    assert stat.S_IMODE((files.outside / "secret").stat().st_mode) == 0o644


def test_a_pattern_that_leads_back_up_is_none(files: Files) -> None:
    """Where that is, whoever may move the directory decides."""
    assert files.apply(f"TOP/*/../file false {ME} 0640 -") == 1
    assert files.said == [
        f"/01-rules: line 1: no way back up from a pattern: {path}"
        for path in ["/top/*/../file"]
    ]


def test_a_pattern_may_be_relative(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To wherever we are."""
    monkeypatch.chdir(files.top)
    files.rules.write_text(f"*/f* false {ME} 0640 -\n[f]* false {ME} 0640 -\n")
    assert apply_file(os.fsencode(files.rules), False, files.warn) == 0
    assert files.changed("640") == {"file", "sub/file"}


def test_a_pattern_may_meet_what_cannot_be_looked_into(files: Files) -> None:
    """It is named, and the rest is done: here, a link to itself before the pattern."""
    (files.top / "loop").symlink_to("loop")
    lines = (f"TOP/loop/* false {ME} 0640 -", f"TOP/f* false {ME} 0640 -")
    before = len(os.listdir("/proc/self/fd"))
    assert files.apply(*lines) == 1
    why = "Too many levels of symbolic links"
    assert files.said == [f"unable to look into /top/loop/: {why}"]
    assert files.changed("640") == {"file"}
    assert len(os.listdir("/proc/self/fd")) == before


def test_whoever_may_write_there_cannot_lead_us_away(files: Files) -> None:
    """While a tree is walked its directories are exchanged for links."""
    sub, aside, link = (files.top / name for name in ("sub", "aside", "link"))
    link.symlink_to(files.outside)
    over = threading.Event()

    def exchange() -> None:
        while not over.is_set():
            sub.rename(aside)
            link.rename(sub)
            sub.rename(link)
            aside.rename(sub)

    hostile = threading.Thread(target=exchange)
    hostile.start()
    try:
        for _ in range(300):
            files.apply(f"TOP true {ME} 0644 0755", f"TOP/*/secret false {ME} 0644 -")
    finally:
        over.set()
        hostile.join()
    assert stat.S_IMODE((files.outside / "secret").stat().st_mode) == 0o600


def test_special_files_are_only_looked_at(files: Files) -> None:
    """To open a FIFO would wait, or wake somebody."""
    os.mkfifo(files.top / "fifo", 0o600)
    assert files.apply(f"TOP true {ME} 0640 -") == 0
    assert "fifo" in files.changed("640")


def test_a_directory_that_is_closed_is_opened(files: Files) -> None:
    """Its mode comes before what is in it."""
    (files.top / "sub").chmod(0)
    assert files.apply(f"TOP true {ME} 0640 0750") == 0
    assert "sub/deep/file" in files.changed("640")


def test_a_tree_may_be_deep(files: Files) -> None:
    """Deeper than calls go in Python; up to as many descriptors as there are."""
    here = os.open(files.top, os.O_PATH)
    for _ in range(500):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_PATH, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    before = len(os.listdir("/proc/self/fd"))
    assert files.apply(f"TOP true {ME} 0640 0751") == 0
    assert len(files.changed("751")) == 503
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_is_missing_is_told_and_no_failure(files: Files) -> None:
    """A volume need not be there; a pattern need not match."""
    lines = (f"TOP/none true {ME} - -", f"TOP/none* true {ME} - -")
    assert files.apply(*lines) == 0
    assert files.said == ["/01-rules: line 1: there is no /top/none"]


def test_a_line_that_is_none_fails(files: Files) -> None:
    """And the others are done."""
    lines = ("TOP true", f"TOP/file false {ME} 0640 -", "TOP true no-such-user - -")
    assert files.apply(*lines) == 1
    assert files.changed("640") == {"file"}
    assert files.said == [
        "/01-rules: line 1: 5 words are wanted, not 2",
        "/01-rules: line 3: unknown user: no-such-user",
    ]


def missing(files: Files) -> None:
    """Take the file away."""
    files.rules.unlink()


def folder(files: Files) -> None:
    """Put a directory in its place."""
    files.rules.unlink()
    files.rules.mkdir()


@pytest.mark.parametrize(
    ("change", "why"),
    [(missing, "No such file or directory"), (folder, "Is a directory")],
)
def test_a_file_that_cannot_be_read_fails(
    change: Callable[[Files], None], why: str, files: Files
) -> None:
    """It is named."""
    files.rules.write_text("")
    change(files)
    assert apply_file(os.fsencode(files.rules), False, files.warn) == 1
    assert files.said == [f"unable to read /01-rules: {why}"]


def test_too_much_is_summed_up(files: Files) -> None:
    """A broken file has one line for each mistake, up to some number."""
    assert files.apply(*(["TOP true"] * (MOST_WARNINGS + 5))) == 1
    assert len(files.said) == MOST_WARNINGS + 1
    assert files.said[-1] == "/01-rules: 5 more failures"


def test_what_fails_in_a_tree_is_named_and_the_rest_done(files: Files) -> None:
    """Whatever the kernel says no to: here, to change what it made itself."""
    text = f"/proc/self/status false {THEM} 0777 -\n"
    files.rules.write_text(text + f"{files.top}/file false {ME} 0640 -\n")
    assert apply_file(os.fsencode(files.rules), False, files.warn) == 1
    (said,) = files.said
    assert said.startswith("unable to change /proc/self/status: ")
    assert files.changed("640") == {"file"}


@pytest.mark.parametrize("path", ["/top/none/x", "/top/file/x"])
def test_a_place_that_cannot_be_reached_is_missing(path: str, files: Files) -> None:
    """Through a file no path leads."""
    name = path.removeprefix("/top")
    assert files.apply(f"TOP{name} false {ME} - -") == 0
    assert files.said == [f"/01-rules: line 1: there is no {path}"]
