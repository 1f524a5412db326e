"""A /run of its own for programs that look there: a mount namespace, for root."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from chains import behind, without_launcher
from harness import Program

UNSHARE = ("unshare", "--mount", "--propagation=private", "sh", "-c")
SETUP = 'mount --bind "$0" /run && exec "$@"'
ENVIRONMENT = Path("s6/container_environment")


def may_mount() -> bool:
    """Tell whether this process may have a mount namespace."""
    words = (*UNSHARE, SETUP, "/run", "true")
    return subprocess.call(words, stderr=subprocess.DEVNULL) == 0


needs_mounts = pytest.mark.skipif(
    not may_mount(), reason="only who may mount things has another /run"
)


def within(run: Path, program: Program) -> Program:
    """Let a program have a folder for its /run."""
    return behind((*UNSHARE, SETUP, str(run)), program)


def ours(tool: str, run: Path) -> Program:
    """Give our program of that name, with a folder for its /run.

    Without its launcher, a shell that adds PWD to the environment.
    """
    return within(run, without_launcher(tool))


def fill(run: Path, files: Mapping[str | bytes, bytes]) -> Path:
    """Make the directory of a container's environment; give its path."""
    folder = run / ENVIRONMENT
    folder.mkdir(parents=True)
    for name, content in files.items():
        text = name if isinstance(name, str) else name.decode(errors="surrogateescape")
        (folder / text).write_bytes(content)
    return folder
