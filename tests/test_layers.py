"""Who may import whom, read from the sources: imports point down, and few are pure.

Imports under `if TYPE_CHECKING:` do not count: they never happen.
"""

import ast
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

import harness
from s6log.__main__ import PROGRAMS

CHECKOUT = Path(__file__).parent.parent
PINNED = CHECKOUT / "fixtures" / "pinned-modules.txt"
PINNED_PROGRAMS = CHECKOUT / "fixtures" / "pinned-programs.txt"

PURE = (
    "s6log.script",
    "s6log.stream",
    "s6log.outputs.archive_names",
    "s6log.outputs.exposition",
    "s6log.outputs.rotation",
    "s6log.unix.getopt",
    "s6log.unix.tai64n",
    "supervisor.adoption.record",
    "supervisor.container.fix_attrs",
    *(f"supervisor.clients.{name}" for name in ("awaiting", "causes", "fields")),
    *(f"supervisor.clients.{name}" for name in ("reports", "table")),
    *(f"supervisor.scan.{name}" for name in ("effects", "entries", "machine")),
    *(f"supervisor.scan.{name}" for name in ("matching", "options", "orders")),
    "supervisor.scan.complaints",
    "supervisor.scan.roster",
    *(f"supervisor.service.{name}" for name in ("commands", "events", "machine")),
    *(f"supervisor.service.{name}" for name in ("signal_names", "status", "tally")),
    "supervisor.service.restarts",
    "supervisor.service.ends",
    "supervisor.service.transitions",
    "supervisor.container.settings",
    "supervisor.warm.recognize",
    "supervisor.warm.words",
)
"""Modules and folders that touch no descriptor, clock or environment."""

PURE_LIBRARY = {"array", "binascii", "bisect", "collections", "enum", "itertools"}
PURE_LIBRARY |= {"json", "re", "textwrap"}
"""What they may use of the standard library."""

SUPERVISING = ("supervisor.manual", "supervisor.service", "s6log.unix")

BELOW = {
    "s6log.unix": ("s6log.unix",),
    "s6log.script": PURE,
    "s6log.stream": PURE,
    "s6log.inputs": ("s6log.inputs", "s6log.unix"),
    "s6log.outputs": ("s6log.outputs", "s6log.stream", "s6log.script", "s6log.unix"),
    "s6log.gather": (
        *("s6log.gather", "s6log.inputs", "s6log.outputs", "s6log.stream"),
        *("s6log.script", "s6log.unix", "s6log.intake", "s6log.identity"),
        "s6log.kernels",
    ),
    "s6log.filters": ("s6log.filters", "s6log.stream", "s6log.unix"),
    "supervisor.adoption": ("supervisor.adoption", *SUPERVISING),
    "supervisor.chain": ("supervisor.chain", *SUPERVISING),
    "supervisor.clients": ("supervisor.clients", "supervisor.chain", *SUPERVISING),
    "supervisor.service": (*("supervisor.adoption", "supervisor.warm", *SUPERVISING),),
    "supervisor.warm.become": ("supervisor", "s6log"),
    "supervisor": ("supervisor", "s6log.unix"),
}
"""For each folder, what of ours its modules may import; `s6log` itself is free.

The first that fits counts. One module of the supervisor may import all of the
logger: the one that becomes it in a forked child.
"""

ENTRANCES = {*PROGRAMS.values(), "s6log.start"}
"""Modules that programs begin in: they alone may import each other and a daemon."""

INSIDE = ("s6log.cli", "s6log.logscript", "s6log.daemon", "s6log.readers", "s6log.ship")


def sources() -> dict[str, ast.Module]:
    """Parse every module of both packages, by its dotted name."""
    trees = {}
    for package in ("s6log", "supervisor"):
        for path in sorted((CHECKOUT / package).rglob("*.py")):
            name = ".".join(path.relative_to(CHECKOUT).with_suffix("").parts)
            trees[name.removesuffix(".__init__")] = ast.parse(path.read_text())
    return trees


MODULES = sources()


class Imports(ast.NodeVisitor):
    """Collects what a module imports: at once, and when its functions run."""

    def __init__(self, module: str) -> None:
        self.at_once: set[str] = set()
        self.later: set[str] = set()
        self._depth = 0
        self.visit(MODULES[module])

    def visit_Import(self, node: ast.Import) -> None:
        """Note `import a, b`."""
        self._note(alias.name for alias in node.names)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Note `from a import b`, where b may be a module too."""
        assert node.module is not None
        assert node.level == 0, "imports are absolute"
        names = [f"{node.module}.{alias.name}" for alias in node.names]
        modules = [name for name in names if name in MODULES]
        self._note(modules if len(modules) == len(names) else [node.module, *modules])

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Look into a function, whose imports come later."""
        self._depth += 1
        self.generic_visit(node)
        self._depth -= 1

    def visit_If(self, node: ast.If) -> None:
        """Pass over what only type checkers see."""
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for child in node.orelse:
                self.visit(child)
        else:
            self.generic_visit(node)

    def _note(self, names: Iterable[str]) -> None:
        (self.later if self._depth else self.at_once).update(names)


def all_imports(module: str) -> set[str]:
    """Give what a module imports, at once or later."""
    found = Imports(module)
    return found.at_once | found.later


def is_within(module: str, places: Iterable[str]) -> bool:
    """Tell whether a module is one of the places or in such a folder."""
    return any(module == place or module.startswith(place + ".") for place in places)


def is_ours(module: str) -> bool:
    """Tell whether a module belongs to one of the two packages."""
    return is_within(module, ("s6log", "supervisor"))


@pytest.mark.parametrize("module", [name for name in MODULES if is_within(name, PURE)])
def test_a_pure_module_imports_only_pure_ones(module: str) -> None:
    """No os, no clock, no descriptors, at first or second hand."""
    allowed = {name for name in all_imports(module) if is_within(name, PURE)}
    assert all_imports(module) - allowed <= PURE_LIBRARY


@pytest.mark.parametrize("module", [name for name in MODULES if is_within(name, PURE)])
def test_a_pure_module_opens_nothing(module: str) -> None:
    """Nor does it print or ask."""
    names = {n.id for n in ast.walk(MODULES[module]) if isinstance(n, ast.Name)}
    assert not names & {"open", "print", "input", "__import__"}


@pytest.mark.parametrize("module", [name for name in MODULES if is_within(name, BELOW)])
def test_imports_point_down(module: str) -> None:
    """Each folder uses only itself and what is below it."""
    folder = next(place for place in BELOW if is_within(module, [place]))
    ours = {name for name in all_imports(module) if is_ours(name)} - {"s6log"}
    assert {name for name in ours if not is_within(name, BELOW[folder])} == set()


@pytest.mark.parametrize("module", sorted(set(MODULES) - ENTRANCES))
def test_only_entrances_import_what_programs_are(module: str) -> None:
    """A daemon or a command line is nobody's library."""
    assert not [name for name in all_imports(module) if is_within(name, INSIDE)]


@pytest.mark.parametrize("module", MODULES)
def test_third_party_modules_are_imported_where_they_are_used(module: str) -> None:
    """At the head of a module there is the standard library, and ours."""
    at_once = {name.partition(".")[0] for name in Imports(module).at_once}
    assert at_once <= sys.stdlib_module_names | {"s6log", "supervisor"}


def loaded(*command: str, cwd: Path, codes: Iterable[int] = ()) -> set[str]:
    """Run Python with arguments and give the modules it imported.

    It succeeds, or ends with one of some codes.
    """
    ended = subprocess.run(
        [*harness.PYTHON, "-X", "importtime", *command],
        cwd=cwd,
        env={"PATH": os.defpath},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode in (0, *codes)
    lines = [
        line for line in ended.stderr.splitlines() if line.startswith("import time")
    ]
    return {line.rpartition("|")[2].strip() for line in lines[1:]}


def pinned() -> set[str]:
    """Read the names in the fixture; `#` begins a comment."""
    lines = PINNED.read_text().splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def test_a_logger_without_patterns_imports_what_is_pinned(tmp_path: Path) -> None:
    """Start-up time is a feature: whoever adds a module here should know it."""
    bare = loaded("-c", "pass", cwd=tmp_path)
    script = ["n3", "s100000", "t", "T", "pname", "./log", "2", "=status", "1"]
    more = loaded(str(harness.LAUNCHER), "s6-log", *script, cwd=tmp_path) - bare
    assert more - pinned() == set()
    assert {name for name in pinned() - more if is_ours(name)} == set()


def pinned_programs() -> dict[str, set[str]]:
    """Read which modules each program may import, `*` standing for all of them."""
    lines = PINNED_PROGRAMS.read_text().splitlines()
    found: dict[str, set[str]] = {}
    for line in lines:
        if not line.startswith("#"):
            program, _, modules = line.partition(": ")
            found.setdefault(program, set()).update(modules.split())
    common = found.pop("*")
    return {program: modules | common for program, modules in found.items()}


SMALL = {
    "with-contenv": (["no-such-program"], (111, 127)),
    "printcontenv": (["NO_SUCH_VARIABLE"], (1,)),
    "with-retries": (["true"], ()),
    "logutil-service": (["/proc/none"], (111, 100, 127)),
}
"""Programs that are to start fast, with words for them, and their exit codes."""


@pytest.mark.parametrize("program", SMALL)
def test_a_small_program_imports_what_is_pinned(program: str, tmp_path: Path) -> None:
    """As it is used: with-contenv for each start of a service."""
    words, codes = SMALL[program]
    bare = loaded("-c", "pass", cwd=tmp_path)
    command = (str(harness.LAUNCHER), program, *words)
    more = loaded(*command, cwd=tmp_path, codes=codes) - bare
    wanted = pinned_programs()[program] | {"grp", "pwd"}
    assert more - wanted == set()
    assert {name for name in wanted - more if is_ours(name)} == set()
