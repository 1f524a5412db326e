"""Whether executing a run file would run this very package, by the files there are."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import harness
from supervisor.warm.origin import EXECLINE, Origin
from supervisor.warm.recognize import Command, recognize

LAUNCHER = harness.LAUNCHER.parent / "bin" / "s6-log"
PYTHON = f"python3.{sys.version_info.minor}"
LAUNCH = "import sys\nprint(__file__, *sys.argv[1:])\n"
SH = b"#!/bin/sh\n"


class Place:
    """A prefix with a small s6log in it, and an origin that has seen it.

    `python` stands for the interpreter, in a folder that anybody can reach.
    """

    def __init__(self, folder: Path) -> None:
        for above in (folder, *folder.parents[:3]):
            above.chmod(above.stat().st_mode | 0o055)
        self.folder = folder
        self.bin = folder / "pre fix" / "bin"
        self.bin.mkdir(parents=True)
        self.other = folder / "other"
        self.other.mkdir()
        self.python = folder / PYTHON
        self.python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        self.python.chmod(0o755)
        (self.bin / PYTHON).symlink_to(self.python)
        self.launcher = self.bin / "s6-log"
        shutil.copy(LAUNCHER, self.launcher)
        for name in ("s6-logscript", "logutil-service"):
            shutil.copy(LAUNCHER, self.bin / name)
        self.site = self.bin.parent / "lib" / PYTHON / "site-packages"
        self.package = self.site / "s6log"
        (self.package / "bin").mkdir(parents=True)
        shutil.copy(LAUNCHER, self.package / "bin" / "s6-log")
        (self.package / "launch.py").write_text(LAUNCH)
        (self.package / "part").mkdir()
        self.module = self.package / "part" / "module.py"
        self.module.write_text("")
        self.origin = Origin(os.fsencode(self.package), os.fsencode(self.python))
        self.environment = {b"PATH": os.fsencode(f"{self.bin}:/usr/bin:/bin")}

    def put_first(self, *folders: str | Path) -> None:
        """Put folders before the others on the PATH."""
        path = self.environment[b"PATH"].decode()
        self.environment[b"PATH"] = ":".join([*map(str, folders), path]).encode()

    def program(self, path: Path) -> None:
        """Put some program somewhere."""
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)

    def reached(self, text: bytes) -> dict[bytes, bytes] | None:
        """Give the environment that a run file's logger would have, if it is ours."""
        command = recognize(text, b"foo")
        assert isinstance(command, Command)
        found = self.origin.environment(command, self.environment)
        return None if found is None else dict(found)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Make the prefix."""
    return Place(tmp_path)


def nothing(_: Place) -> None:
    """Leave it as it is."""


def link(place: Place) -> None:
    """Link to it from a folder that is on the PATH."""
    (place.other / "s6-log").symlink_to(place.launcher)
    place.environment[b"PATH"] = os.fsencode(f"{place.other}:/usr/bin:/bin")


def chain_of_links(place: Place) -> None:
    """Link to a link, of another name, through a folder that is a link."""
    (place.folder / "folder").symlink_to(place.bin)
    (place.other / "logger").symlink_to("../folder/s6-log")
    (place.other / "s6-log").symlink_to("logger")
    place.environment[b"PATH"] = os.fsencode(f"{place.other}:/usr/bin:/bin")


def lib64(place: Place) -> None:
    """Make lib64 a link to lib, as virtual environments do."""
    (place.bin.parent / "lib64").symlink_to("lib")


def python_elsewhere(place: Place) -> None:
    """Have the Python on the PATH only, as with `pip install --prefix`."""
    (place.bin / PYTHON).rename(place.other / PYTHON)
    place.put_first(place.other)


def empty_folders(place: Place) -> None:
    """Have folders on the PATH that do not exist, or are files, or empty."""
    place.put_first("/nowhere", place.python, place.other)


GOOD = [nothing, link, chain_of_links, lib64, python_elsewhere, empty_folders]


@pytest.mark.parametrize("change", GOOD)
def test_it_is_ours(change: Callable[[Place], None], place: Place) -> None:
    """And executing it does run the package, and with that Python."""
    change(place)
    assert place.reached(SH + b"exec s6-log x\n") == place.environment
    told = subprocess.run(
        ["/bin/sh", "-c", 'exec s6-log "$@"', "sh", "x"],
        env={**place.environment, b"PYTHONHASHSEED": b"0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    launch, _, rest = told.partition("launch.py")
    assert os.path.samefile(launch, place.package)
    assert rest == " s6-log x\n"


def another_first(place: Place) -> None:
    """Put another s6-log before it."""
    place.program(place.other / "s6-log")
    place.put_first(place.other)


def not_executable_first(place: Place) -> None:
    """Put a file before it that shells pass over, each in its way."""
    (place.other / "s6-log").write_text("")
    place.put_first(place.other)


def directory_first(place: Place) -> None:
    """Put a directory of its name before it."""
    (place.other / "s6-log").mkdir()
    place.put_first(place.other)


def relative_folder(place: Place) -> None:
    """Look into the service directory first."""
    place.put_first("bin")


def empty_folder(place: Place) -> None:
    """Look into the service directory first, or nowhere."""
    place.put_first("")


def percent(place: Place) -> None:
    """Use what dash may take for %func."""
    place.put_first("/x%func")


def no_path(place: Place) -> None:
    """Leave it to the shell where to look."""
    del place.environment[b"PATH"]


def bash_function(place: Place) -> None:
    """Define a function, as bash exports it."""
    place.environment[b"BASH_FUNC_s6-log%%"] = b"() { echo; }"


def bash_options(place: Place) -> None:
    """Turn options of bash on."""
    place.environment[b"SHELLOPTS"] = b"xtrace"


def edited_launcher(place: Place) -> None:
    """Change a byte of the launcher."""
    text = place.launcher.read_text()
    place.launcher.write_text(text.replace("readlink -f", "readlink -e"))


def other_program(place: Place) -> None:
    """Give the name to another of our programs."""
    (place.other / "s6-log").symlink_to(place.bin / "s6-logscript")
    place.put_first(place.other)


def no_library(place: Place) -> None:
    """Leave it to Python where to look, as with an editable installation."""
    place.site.rename(place.folder / "elsewhere")


def second_library(place: Place) -> None:
    """Install another s6log for another Python beside it."""
    other = place.bin.parent / "lib" / "python3.0" / "site-packages" / "s6log"
    shutil.copytree(place.package, other)


def other_library(place: Place) -> None:
    """Replace the package by another."""
    shutil.copytree(place.package, place.other / "s6log")
    shutil.rmtree(place.package)
    place.package.symlink_to(place.other / "s6log")


def other_python(place: Place) -> None:
    """Replace the Python beside the launcher."""
    (place.bin / PYTHON).unlink()
    place.program(place.bin / PYTHON)


def no_python(place: Place) -> None:
    """Remove the Python; there may be one of its name on the PATH."""
    (place.bin / PYTHON).unlink()


def no_launcher(place: Place) -> None:
    """Uninstall it."""
    place.launcher.unlink()


BAD = [
    *(another_first, not_executable_first, directory_first, relative_folder),
    *(empty_folder, percent, no_path, bash_function, bash_options, edited_launcher),
    *(other_program, no_library, second_library, other_library, other_python),
    *(no_python, no_launcher),
]


@pytest.mark.parametrize("change", BAD)
def test_it_may_be_another(change: Callable[[Place], None], place: Place) -> None:
    """Then it has to be executed."""
    change(place)
    assert place.reached(SH + b"exec s6-log x\n") is None


def test_a_path_is_not_looked_for(place: Place) -> None:
    """It is ours, or it is not."""
    place.environment[b"PATH"] = b"/usr/bin:/bin"
    path = os.fsencode(place.launcher).replace(b" ", b"\\ ")
    assert place.reached(SH + b"exec " + path + b" x\n") is not None
    another_first(place)
    path = os.fsencode(place.other / "s6-log")
    assert place.reached(SH + b"exec " + path + b" x\n") is None


def test_the_programs_before_it_have_to_be_there(place: Place) -> None:
    """Whosever they are: s6-setuidgid does the same in s6."""
    text = SH + b"exec s6-setuidgid nobody s6-log x\n"
    place.environment[b"PATH"] = os.fsencode(place.bin)
    assert place.reached(text) is None
    place.program(place.bin / "s6-setuidgid")
    assert place.reached(text) is not None
    (place.bin / "s6-setuidgid").chmod(0o644)
    assert place.reached(text) is None


@pytest.mark.parametrize("closed", ["bin", "site", "package", "module", "launcher"])
def test_another_user_has_to_reach_it(closed: str, place: Place) -> None:
    """Else that user would get another s6-log, or none."""
    place.program(place.bin / "s6-setuidgid")
    text = SH + b"exec s6-setuidgid nobody s6-log x\n"
    assert place.reached(text) is not None
    path: Path = getattr(place, closed)
    path.chmod(path.stat().st_mode & 0o770)
    origin = Origin(os.fsencode(place.package), os.fsencode(place.python))
    command = recognize(text, b"foo")
    assert command is not None
    assert origin.environment(command, place.environment) is None


def test_a_logscript_is_found_in_the_same_way(place: Place) -> None:
    """By env, or by its path."""
    assert place.reached(b"#!/usr/bin/env s6-logscript\n") == place.environment
    place.environment[b"PATH"] = b"/usr/bin:/bin"
    assert place.reached(b"#!/usr/bin/env s6-logscript\n") is None
    (place.folder / "s6-logscript").symlink_to(place.bin / "s6-logscript")
    path = os.fsencode(place.folder / "s6-logscript")
    assert place.reached(b"#!" + path + b"\n") is not None


LOGUTIL = SH + b"exec logutil-service x\n"


def test_logutil_service_is_ours_with_the_logger_that_it_executes(
    place: Place,
) -> None:
    """Both have to be: the first executes the second, which the PATH leads to."""
    assert place.reached(LOGUTIL) == place.environment
    for name in ("s6-log", "logutil-service"):
        other = place.other / name
        place.program(other)
        place.put_first(place.other)
        assert place.reached(LOGUTIL) is None
        other.unlink()
        assert place.reached(LOGUTIL) is not None
        (place.bin / name).rename(place.other / "aside")
        assert place.reached(LOGUTIL) is None
        (place.other / "aside").rename(place.bin / name)


def test_logutil_service_may_have_a_path(place: Place) -> None:
    """Then s6-log is found by the PATH all the same."""
    path = os.fsencode(place.bin / "logutil-service").replace(b" ", b"\\ ")
    text = SH + b"exec " + path + b" x\n"
    assert place.reached(text) is not None
    place.environment[b"PATH"] = b"/usr/bin:/bin"
    assert place.reached(text) is None


@pytest.mark.parametrize("closed", ["bin", "site", "package", "module", "launcher"])
def test_logutil_service_changes_users_where_it_can(closed: str, place: Place) -> None:
    """Root has to be sure that nobody can reach the logger."""
    path: Path = getattr(place, closed)
    path.chmod(path.stat().st_mode & 0o770)
    origin = Origin(os.fsencode(place.package), os.fsencode(place.python))
    command = recognize(LOGUTIL, b"foo")
    assert command is not None
    found = origin.environment(command, place.environment)
    assert (found is None) is (os.geteuid() == 0)


def test_execlineb_may_change_the_path(place: Place) -> None:
    """As Debian's does: what it adds is where the logger is looked for, too."""
    interpreter = shutil.which("execlineb")
    if interpreter is None:
        pytest.skip("execlineb is not installed (Debian: execline)")
    printed = subprocess.run(
        [interpreter, "-P", "-c", "env"],
        env=place.environment,
        capture_output=True,
        check=True,
    ).stdout
    variables = dict(line.split(b"=", 1) for line in printed.splitlines())
    text = f"#!{interpreter} -P\ns6-log x\n".encode()
    assert place.reached(text) == variables
    if Path(EXECLINE.decode()).is_dir():
        direct = b"#!" + EXECLINE + b"/execlineb -P\ns6-log x\n"
        assert place.reached(direct) == place.environment


def test_an_execlineb_that_is_not_known_may_do_anything(place: Place) -> None:
    """Only a binary, or Debian's text."""
    place.program(place.other / "execlineb")
    path = os.fsencode(place.other / "execlineb")
    assert place.reached(b"#!" + path + b" -P\ns6-log x\n") is None


def rewrite(place: Place) -> None:
    """Give a module other contents of the same length."""
    place.module.write_text("")


def remove(place: Place) -> None:
    """Remove a module."""
    place.module.unlink()


def replace(place: Place) -> None:
    """Put another file in a module's place, as pip does, with its old time."""
    status = place.module.stat()
    new = place.folder / "new"
    new.write_text("")
    os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))
    new.rename(place.module)


def upgrade_python(place: Place) -> None:
    """Replace the interpreter."""
    text = place.python.read_text()
    place.python.unlink()
    place.python.write_text(text)


def upgrade_all(place: Place) -> None:
    """Move the whole package away."""
    place.package.rename(place.folder / "old")


@pytest.mark.parametrize(
    "change", [rewrite, remove, replace, upgrade_python, upgrade_all]
)
def test_what_changes_is_noticed(change: Callable[[Place], None], place: Place) -> None:
    """Whatever was loaded before is not what would be executed now."""
    assert place.origin.unchanged()
    change(place)
    assert not place.origin.unchanged()


def test_what_python_keeps_does_not_matter(place: Place) -> None:
    """Compiled files come and go."""
    (place.package / "__pycache__").mkdir()
    (place.package / "__pycache__" / "module.pyc").write_text("")
    assert place.origin.unchanged()


def test_without_its_launcher_there_is_nothing_to_compare(place: Place) -> None:
    """It is installed with the package."""
    (place.package / "bin" / "s6-log").unlink()
    with pytest.raises(FileNotFoundError):
        Origin(os.fsencode(place.package), os.fsencode(place.python))
