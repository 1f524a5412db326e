"""Clients cannot tell whose supervisor answers: whole sessions, compared line by line.

Each session is held with the same clients on a tree under the real s6-svscan and on
one under ours, with the real clients and with ours: all four ways to mix. What they
print, say and return has to be the same.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

import harness
from harness import Process, Program, Stage, wait_until
from scanning import all_up, scanned
from supervising import make_service, supervised
from trying import asleep
from watching import children

READY = "echo >&3; exec 3>&-; exec sleep 1000"
FIELDS = "up,wantedup,normallyup,ready,paused,exitcode,signal,signum"

SESSIONS = {
    "down and up": f"""
        s6-svc -wD -d scan/foo
        s6-svstat -o {FIELDS} scan/foo
        s6-svstat scan/foo
        s6-svc -wu -u scan/foo
        s6-svstat -o {FIELDS} scan/foo
        s6-svstat scan/foo
        s6-svc -wd -D scan/foo
        s6-svstat -o {FIELDS} scan/foo
        s6-svc -wu -U scan/foo
        s6-svstat -o {FIELDS} scan/foo
        """,
    "restarts and signals": f"""
        s6-svc -wr -r scan/foo
        s6-svc -wD -O -k scan/foo
        s6-svstat -o up,signal scan/foo
        s6-svc -wu -o scan/foo
        s6-svc -wD -1 scan/foo
        s6-svstat -o {FIELDS} scan/foo
        s6-svdt -S scan/foo
        s6-svdt -s -n 2 scan/foo
        s6-svdt-clear scan/foo
        s6-svdt scan/foo
        s6-svc -wu -o scan/foo
        s6-svstat -o {FIELDS} scan/foo
        """,
    "a pause": f"""
        s6-svc -p scan/foo
        s6-svstat -o {FIELDS} scan/foo
        s6-svstat scan/foo
        s6-svc -c scan/foo
        s6-svstat -o paused scan/foo
        """,
    "readiness": f"""
        s6-svwait -U scan/ready
        s6-svc -wR -r scan/ready
        s6-svstat -o {FIELDS} scan/ready
        s6-svstat scan/ready
        s6-svc -wD -d scan/ready
        s6-svstat -o {FIELDS} scan/ready
        s6-svlisten1 -U scan/ready s6-svc -u scan/ready
        s6-svwait -t 100 -D scan/ready
        """,
    "failure": f"""
        s6-svlisten1 -U scan/fails s6-svc -u scan/fails
        s6-svstat -o {FIELDS} scan/fails
        s6-svc -wU -u scan/fails
        s6-svdt -S scan/fails
        """,
    "several": """
        s6-svwait -a -u scan/foo scan/ready scan/pair
        s6-svlisten -o -D scan/foo scan/ready "" s6-svc -d scan/ready
        s6-svlisten -a -D scan/foo scan/ready "" s6-svc -d scan/foo
        s6-svwait -t 100 -a -u scan/foo scan/pair
        s6-svwait -o -u scan/foo scan/pair
        """,
    "who is there": """
        s6-svok scan/foo
        s6-svok scan/pair/log
        s6-svok scan/nobody
        s6-svok spare
        s6-svstat spare
        s6-svc -u spare
        s6-svwait -t 100 -u spare
        s6-svscanctl -a spare
        s6-svc -d scan/nobody
        """,
    "links": f"""
        s6-svlink scan spare
        s6-svwait -t 20000 -u spare
        s6-svstat -o {FIELDS} scan/spare
        s6-svunlink -t 20000 scan spare
        s6-svok spare
        s6-svlink -d scan spare other
        s6-svstat -o up,wantedup scan/other
        s6-svlink scan missing
        s6-svunlink scan other
        s6-svunlink scan other
        """,
    "permissions": """
        s6-svperms -v scan/foo
        s6-svperms -o -e scan/foo
        s6-svperms -v scan/foo
        s6-svc -wD -d scan/foo
        s6-svperms -u -E root scan/foo
        s6-svperms -v scan/foo
        """,
    "the supervision ends": """
        s6-svc -wD -xd scan/pair
        s6-svscanctl -a scan
        s6-svstat -o up,wantedup scan/foo
        s6-svscanctl -h scan
        s6-svstat -o up,wantedup scan/foo
        s6-svscanctl -t scan
        """,
}
"""Lines for a shell, without any other syntax than its quotes."""

VARYING = (
    (re.compile(r"(p[gi]+d) \d+"), r"\1 N"),
    (re.compile(r"\d+ seconds"), "N seconds"),
    (re.compile(r"@[0-9a-f]{24}"), "@STAMP"),
)


@dataclass(frozen=True)
class Said:
    """What a client printed and said, and its exit code."""

    line: str
    code: int
    out: str
    err: str


def make_tree(folder: Path) -> Path:
    """Make services of several kinds, and one beside them."""
    scandir = folder / "scan"
    make_service(scandir / "foo")
    make_service(scandir / "ready", READY, notification_fd="3")
    make_service(scandir / "fails", "exit 3", "exit 125", down="", notification_fd="3")
    make_service(scandir / "pair")
    make_service(scandir / "pair" / "log", "exec cat")
    make_service(folder / "spare")
    return scandir


def client_words(maker: str, line: str) -> list[str]:
    """Divide a line into words; the names of programs become those of a maker."""
    words: list[str] = []
    for word in shlex.split(line):
        is_program = word.startswith("s6-")
        words += tool(maker, word).argv if is_program else (word,)
    return words


def tool(maker: str, name: str) -> Program:
    """Give a program of one of the two makers."""
    return harness.ours(name) if maker == "ours" else harness.oracle(name)


def settle(process: Process) -> None:
    """Wait until a supervisor, or all of them, have done what they were told."""
    wait_until(lambda: settled(process), "the supervisor to settle")


def settled(process: Process) -> bool:
    """Tell whether neither s6-svscan nor any s6-supervise has anything to do."""
    return all(map(asleep, (process.pid, *children(process.pid))))


def session(client: str, supervisor: str, text: str, folder: Path) -> list[Said]:
    """Hold a session, line by line; give what was said."""
    scandir = make_tree(folder)
    heard = []
    with scanned(tool(supervisor, "s6-svscan"), scandir) as process:
        all_up(scandir / "foo", scandir / "ready", scandir / "pair")
        wait_until(lambda: supervised(scandir / "fails"), "all services")
        for line in filter(None, map(str.strip, text.splitlines())):
            settle(process)
            words = client_words(client, line)
            program = Program(client, tuple(words))
            outcome = harness.run(program, [], b"", Stage(folder))
            out, err = (same(part, folder) for part in (outcome.out, outcome.err))
            heard.append(Said(line, outcome.code, out, err))
    return heard


def same(text: bytes, folder: Path) -> str:
    """Take out what is never the same twice."""
    shown = text.decode().replace(str(folder), ".")
    for pattern, instead in VARYING:
        shown = pattern.sub(instead, shown)
    return shown


@pytest.mark.parametrize("client", ["ours", "real"])
@pytest.mark.parametrize("name", SESSIONS)
def test_clients_cannot_tell(name: str, client: str, tmp_path: Path) -> None:
    """The same session with both supervisors."""
    heard = {}
    for supervisor in ("real", "ours"):
        folder = tmp_path / supervisor
        folder.mkdir()
        heard[supervisor] = session(client, supervisor, SESSIONS[name], folder)
    assert heard["ours"] == heard["real"]
