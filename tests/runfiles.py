"""Run files executed by the kernel, with stand-ins that tell what they were given."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import harness

FILE = Path(__file__).parent.parent / "fixtures" / "warm-runs.json"
NAME = "foo/log"

# Each word ended by a NUL; s6-setuidgid goes on with the program it is given.
TELL = '#!/bin/sh\nfor word in "${0##*/}" "$@"; do printf \'%s\\000\' "$word"; done\n'
TELL_AND_GO_ON = """#!/bin/sh
printf '%s\\000' "${0##*/}" "$1"
shift
exec "$@"
"""
STAND_INS = {
    "s6-log": TELL,
    "s6-logscript": TELL,
    "logutil-service": TELL,
    "s6-setuidgid": TELL_AND_GO_ON,
}


@dataclass(frozen=True)
class Run:
    """A row of the table: what the text becomes, or that it is executed."""

    about: str
    text: bytes
    program: bytes | None
    arguments: list[bytes]
    user: bytes | None
    chain: tuple[bytes, ...]

    @property
    def words(self) -> list[bytes]:
        """What the stand-ins tell, one after the other."""
        assert self.program is not None
        before = [] if self.user is None else [b"s6-setuidgid", self.user]
        return [*before, self.program, *self.arguments]


def _row(row: dict[str, str | list[str]]) -> Run:
    def text(key: str) -> bytes | None:
        value = row.get(key)
        return value.encode("latin-1") if isinstance(value, str) else None

    def texts(key: str) -> list[bytes]:
        return [word.encode("latin-1") for word in row.get(key, [])]

    run, about = text("run"), row["about"]
    assert run is not None
    assert isinstance(about, str)
    program, chain = text("program"), tuple(texts("chain"))
    return Run(about, run, program, texts("arguments"), text("user"), chain)


RUNS = [_row(row) for row in json.loads(FILE.read_text())["runs"]]
WARM = [run for run in RUNS if run.program is not None]


class Stand:
    """A service directory, and a folder of stand-ins that comes first on the PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        for name, text in STAND_INS.items():
            (self.bin / name).write_text(text)
            (self.bin / name).chmod(0o755)

    def told(self, run: bytes, start: Sequence[str] = ("./run",)) -> list[bytes]:
        """Execute a run file, or something that gets its path; give the words told."""
        path = self.folder / "run"
        path.unlink(missing_ok=True)
        path.write_bytes(run)
        path.chmod(0o755)
        ended = subprocess.run(
            [*start, NAME],
            cwd=self.folder,
            env={"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": "/home/x"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=harness.DEADLINE_S,
            check=True,
        )
        assert ended.stderr == b""
        return ended.stdout.split(b"\0")[:-1]
