"""Applies the files of fix-attrs.d: owners and modes of files, also in volumes.

From the first wildcard on, and in a tree that is walked, no symbolic link is
followed, and each step begins at a descriptor: whoever may write there cannot lead us
elsewhere, now or meanwhile. A link itself gets an owner, but has no mode. What comes
before that is the author's: links are followed there. What fails is told, and the
rest is done.
"""

import os
import stat

from supervisor.chain import accounts
from supervisor.container.fix_attrs import Accounts, Rule, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Warn = Callable[[bytes, OSError | None], None]

DONE, FAILED = 0, 1
FOLLOW = os.O_PATH | os.O_CLOEXEC
STAY = FOLLOW | os.O_NOFOLLOW
LIST = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
MOST_WARNINGS = 10  # of one file: a volume that is read-only may hold very much


def apply_file(path: bytes, hidden: bool, warn: "Warn") -> int:
    """Do what a file of fix-attrs.d says; give 0, or 1 when something failed.

    `hidden`: what begins with a dot in a directory is meant, too.
    """
    report = Report(path, warn)
    try:
        with open(path, "rb", buffering=0) as file:
            text = file.readall()
    except OSError as error:
        report.fail(b"unable to read " + path, error)
        return FAILED
    for rule in parse(text, Accounts(accounts.user, primary_group, accounts.group)):
        if isinstance(rule, Rule):
            apply(rule, hidden, report)
        else:
            report.fail(report.line(*rule))
    report.sum_up()
    return FAILED if report.failures else DONE


def primary_group(name: bytes) -> int | None:
    """Look up the number of a user's own group."""
    ids = accounts.account(name)
    return None if ids is None else ids.gid


class Report:
    """What has failed of one file's rules, and who is told."""

    __slots__ = ("_file", "_warn", "failures")

    def __init__(self, file: bytes, warn: "Warn") -> None:
        self._file = file
        self._warn = warn
        self.failures = 0

    def line(self, number: int, text: bytes) -> bytes:
        """Say something of a line."""
        return b"%s: line %d: %s" % (self._file, number, text)

    def note(self, text: bytes) -> None:
        """Say what is no failure."""
        self._warn(text, None)

    def fail(self, text: bytes, error: OSError | None = None) -> None:
        """Say what has failed, unless too much has."""
        self.failures += 1
        if self.failures <= MOST_WARNINGS:
            self._warn(text, error)

    def sum_up(self) -> None:
        """Say how much has not been said."""
        more = self.failures - MOST_WARNINGS
        if more > 0:
            self._warn(b"%s: %d more failures" % (self._file, more), None)


def apply(rule: Rule, hidden: bool, report: Report) -> None:
    """Do what a line says, with all that its path stands for.

    A path may lead through links, as its author knows; what a pattern finds may have
    been put there by anybody.
    """
    walk = Walk(rule, hidden, report)
    if rule.is_pattern:
        from supervisor.container.pattern import find

        try:
            for directory, folder, name in find(rule.path, report.fail):
                walk.go(os.dup(directory), folder, name, STAY)
        except OSError as error:
            report.fail(b"unable to search " + rule.path, error)
    elif os.path.lexists(rule.path):
        folder, name = split(rule.path)
        try:
            directory = os.open(folder, FOLLOW)
        except OSError as error:
            report.fail(b"unable to open " + folder, error)
        else:
            walk.go(directory, folder, name, FOLLOW)
    else:
        # As in s6-overlay, where it is passed over: a volume may be missing.
        report.note(report.line(rule.number, b"there is no " + rule.path))


class Walk:
    """The paths of a rule, each with what is below it.

    Without recursion, as a tree may be deeper than Python likes. Each directory that
    is open is a level: its descriptor, its path, and the names that wait in it.
    """

    __slots__ = ("_hidden", "_levels", "_report", "_rule")

    def __init__(self, rule: Rule, hidden: bool, report: Report) -> None:
        self._rule = rule
        self._hidden = hidden
        self._report = report
        self._levels: list[tuple[int, bytes, list[bytes]]] = []

    def go(self, directory: int, folder: bytes, name: bytes, flags: int) -> None:
        """Change what has a name in a directory, and is below if the rule says so.

        `directory` is its descriptor, which is closed, and `folder` its path.
        """
        self._levels.append((directory, folder, [name]))
        while self._levels:
            directory, folder, names = self._levels[-1]
            if names:
                self._try(directory, folder, names.pop(), flags)
                flags = STAY
            else:
                os.close(directory)
                self._levels.pop()

    def _try(self, directory: int, folder: bytes, name: bytes, flags: int) -> None:
        path = folder + name
        try:
            fd = os.open(name, flags, dir_fd=directory)
            try:
                found = os.fstat(fd)
                if stat.S_ISLNK(found.st_mode):
                    self._change_link(directory, name)
                    return
                self._change(fd, found)
                if self._rule.recurse and stat.S_ISDIR(found.st_mode):
                    self._enter(fd, path + b"/")
            finally:
                os.close(fd)
        except OSError as error:
            self._report.fail(b"unable to change " + path, error)

    def _change(self, fd: int, found: os.stat_result) -> None:
        """Give a file or directory its owner and its mode, where it has others.

        Through /proc, which leads to the very file, where open(2) would do more
        than look: a FIFO has a writer then, a device may do anything.
        """
        rule, way = self._rule, f"/proc/self/fd/{fd}"
        mode = rule.dmode if stat.S_ISDIR(found.st_mode) else rule.fmode
        changes = (found.st_uid, found.st_gid) != (rule.uid, rule.gid)
        if changes:
            os.chown(way, rule.uid, rule.gid)
        # After the owner, whose change takes set-user-id bits away (chown(2)).
        if mode is not None and (changes or stat.S_IMODE(found.st_mode) != mode):
            os.chmod(way, mode)

    def _change_link(self, directory: int, name: bytes) -> None:
        ids = self._rule.uid, self._rule.gid
        os.chown(name, *ids, dir_fd=directory, follow_symlinks=False)

    def _enter(self, fd: int, path: bytes) -> None:
        """Go on in a directory that has been changed."""
        opened = os.open(".", LIST, dir_fd=fd)
        names = map(os.fsencode, os.listdir(opened))
        wanted = [name for name in names if self._hidden or not name.startswith(b".")]
        self._levels.append((opened, path, sorted(wanted, reverse=True)))


def split(path: bytes) -> tuple[bytes, bytes]:
    """Give the directory of a path, with its slash, and the name in it."""
    path = path.rstrip(b"/")
    if not path:
        return b"/", b"."
    folder, slash, name = path.rpartition(b"/")
    return (folder + slash) or b"./", name
