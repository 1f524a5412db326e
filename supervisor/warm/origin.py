"""Finds out whether a run file, executed, becomes the very logger of this package.

Follows what would be executed as far as that can be known without doing it:
interpreter, PATH, launcher, library, Python. In doubt the answer is no. So it is
after an upgrade, since whoever restarts a logger then wants the new one.
"""

import os
import stat

from supervisor.warm.recognize import EXECLINEB, LOGGER, basename, is_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from supervisor.warm.recognize import Command

SOURCES = (b".py", b".so")
LAUNCHER = b"bin/s6-log"  # in the package; all launchers are this text
LAUNCH = b"s6log/launch.py"  # what a launcher gives to Python, in its library

# Debian's execlineb is a script that puts execline's programs on the PATH.
ELF = b"\x7fELF"
EXECLINE = b"/usr/lib/execline/bin"
EXECLINE_WRAPPER = b"""\
#!%(bin)b/execlineb -S0
%(bin)b/importas -D /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
PATH PATH
%(bin)b/export PATH %(bin)b:${PATH}
%(bin)b/exec -a $0 %(bin)b/execlineb $@
""" % {b"bin": EXECLINE}

# Options and functions that bash takes from its environment, as /bin/sh too.
FOR_BASH = (b"SHELLOPTS", b"BASHOPTS", b"BASH_FUNC_")


class Origin:
    """The files of the package at `package`, and the Python at `python`.

    Made before the package is imported: a file that changes meanwhile counts as
    changed. OSError when it cannot be made.
    """

    __slots__ = ("_for_all", "_launcher", "_package", "_python", "_seen")

    def __init__(self, package: bytes, python: bytes) -> None:
        self._package = os.path.realpath(package)
        self._python = python
        self._launcher = _content(self._package + b"/" + LAUNCHER)
        self._seen = {path: _look(path) for path in _sources(self._package)}
        self._for_all = all(mode & stat.S_IROTH for mode, *_ in self._seen.values())
        self._seen[python] = _look(python)

    def unchanged(self) -> bool:
        """Tell whether all files still are what they were at first."""
        try:
            return all(_look(path) == seen for path, seen in self._seen.items())
        except OSError:
            return False

    def environment(
        self, command: "Command", given: "Mapping[bytes, bytes]"
    ) -> "Mapping[bytes, bytes] | None":
        """Give the environment that this logger would have, were the file executed.

        `given` is that of the run file. None when another program would run, or
        none, or when it cannot be known. PWD, which shells set, is left alone.
        """
        try:
            changed = _by_interpreter(command.interpreter, given)
            if changed is None or not self._is_reached(command, changed[b"PATH"]):
                return None
        except OSError:
            return None
        return changed

    def _is_reached(self, command: "Command", path: bytes) -> bool:
        folders = path.split(b":")
        if not all(_find(name, folders) for name in command.chain):
            return False
        for_all = command.user is not None
        if not command.is_logutil:
            return self._is_ours(command.logger, folders, for_all)
        # It looks for s6-log as we do, and becomes another user only if it can.
        for_all = os.geteuid() == 0
        names = (command.logger, LOGGER)
        return all(self._is_ours(name, folders, for_all) for name in names)

    def _is_ours(self, name: bytes, folders: "Sequence[bytes]", for_all: bool) -> bool:
        """Tell whether a program is the launcher of our package; `for_all` users."""
        launcher = _find(name, folders)
        if launcher is None:
            return False
        target = os.path.realpath(launcher) if os.path.islink(launcher) else launcher
        if basename(target) != basename(name) or _content(target) != self._launcher:
            return False
        python = self._python_of(target, folders)
        if python is None:
            return False
        return not for_all or self._is_open_to_all((launcher, python))

    def _python_of(self, launcher: bytes, folders: "Sequence[bytes]") -> bytes | None:
        """Give the Python that a launcher starts, if that is ours with our package.

        The launcher takes the first library that has a Python. Here all there are
        must lead to the same: lib64 often is a link to lib.
        """
        bin_folder = os.path.dirname(launcher)
        python = None
        for version, launch in _libraries(bin_folder + b"/.."):
            if os.path.realpath(os.path.dirname(launch)) != self._package:
                return None
            python = _find(version, (bin_folder, *folders))
            if python is None or not os.path.samefile(python, self._python):
                return None
        return python

    def _is_open_to_all(self, files: "Sequence[bytes]") -> bool:
        """Tell whether any user could execute these files and read the package.

        A user who cannot reach the first logger on the PATH gets another one.
        """
        paths = {*files, *map(os.path.realpath, files), self._package + b"/x"}
        folders = {folder for path in paths for folder in _above(path)}
        needed = (*files, *folders)
        return self._for_all and all(
            os.stat(path).st_mode & stat.S_IXOTH for path in needed
        )


def _by_interpreter(
    interpreter: bytes, given: "Mapping[bytes, bytes]"
) -> "Mapping[bytes, bytes] | None":
    """Give the environment that an interpreter makes of one; None when in doubt."""
    if b"PATH" not in given or any(name.startswith(FOR_BASH) for name in given):
        return None
    if is_path(interpreter, EXECLINEB):
        text = _content(interpreter)
        if text == EXECLINE_WRAPPER:
            return {**given, b"PATH": EXECLINE + b":" + given[b"PATH"]}
        return given if text.startswith(ELF) else None
    return given if os.access(interpreter, os.X_OK) else None


def _find(program: bytes, folders: "Sequence[bytes]") -> bytes | None:
    """Find a program as shells and execvp(3) do; None when it may be otherwise.

    They differ in what they do with a folder that is no absolute path, with `%` in
    dash, and with a file that is there but not executable.
    """
    places = (program,) if program.startswith(b"/") else folders
    for place in places:
        if not place.startswith(b"/") or b"%" in place:
            return None
        path = place if place == program else place + b"/" + program
        try:
            mode = os.stat(path).st_mode
        except (FileNotFoundError, NotADirectoryError):
            continue
        return path if stat.S_ISREG(mode) and os.access(path, os.X_OK) else None
    return None


def _libraries(prefix: bytes) -> "Iterator[tuple[bytes, bytes]]":
    """Give what `PREFIX/lib*/python3*/*-packages/s6log/launch.py` stands for.

    With each path the name of the Python in it, as python3.11.
    """
    for lib in _entries(prefix, b"lib", b""):
        for python in _entries(lib, b"python3", b""):
            for packages in _entries(python, b"", b"-packages"):
                launch = packages + b"/" + LAUNCH
                if os.path.exists(launch):
                    yield basename(python), launch


def _entries(folder: bytes, start: bytes, end: bytes) -> list[bytes]:
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    wanted = [name for name in names if name.startswith(start) and name.endswith(end)]
    return [folder + b"/" + name for name in wanted]


def _sources(package: bytes) -> "Iterator[bytes]":
    for folder, _, names in os.walk(package):
        for name in names:
            if name.endswith(SOURCES):
                yield folder + b"/" + name


def _look(path: bytes) -> tuple[int, ...]:
    """Give the mode of a file and what tells that it has changed."""
    found = os.stat(path)
    times = found.st_mtime_ns, found.st_ctime_ns
    return found.st_mode, found.st_dev, found.st_ino, found.st_size, *times


def _above(path: bytes) -> "Iterator[bytes]":
    """Give the directories that a path leads through."""
    while path != b"/":
        path = os.path.dirname(path)
        yield path


def _content(path: bytes) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read()
