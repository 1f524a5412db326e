"""Every command in the documentation is run, and does what the page says.

The blocks of one page are tried in their order, as a reader would, in a folder
of their own. In what a command is to print one stamp, date, age or number 47xx (a
pid) stands for any other, a row of blanks for a longer or shorter one, `...` for any
part of a line, and a line `...` for any lines.
"""

import contextlib
import itertools
import re
import shlex
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

import pagedocker
from pagedocker import Docker
from pages import PAGES, Block, name, read
from reader import Reader
from scanning import namespaces_allowed

ELSEWHERE = {
    "python3 -m venv /opt/s6log": "`make test` makes an environment of its own,",
    "/opt/s6log/bin/pip install .": "and what it installs there is what it tests",
    "tail -F log/current | s6-tai64nlocal": "goes on for ever",
    ".venv/bin/python tests/bench/bench.py --quick --cell t": "needs s6, and the "
    "machine to itself",
    ".venv/bin/python tests/bench/fanout.py --quick --cell @tag": "likewise",
    ".venv/bin/python tests/bench/supervision.py --part trees --size 100": "likewise",
    "PYTHONPATH=tests .venv/bin/python tests/bench/containers.py": "likewise",
}
"""Commands that are not run here, and why."""

AS_ROOT = re.compile(r"\b(s6-setuidgid|s6-applyuidgid|unshare)\b")
"""Commands that are not run where one is not root, or has no PID namespaces."""

NEEDED = {
    "docs/how-to/feed-rsyslog.md": ("/usr/sbin/rsyslogd", "socat", "logger"),
    "docs/how-to/post-to-http.md": ("bash", "curl"),
}
"""Programs of others that pages are about; without them the page is skipped."""

LOOKING = {
    *("cat", "echo", "grep", "head", "ls", "sort", "tail", "wc", "s6-tai64nlocal"),
    *("s6-svdt", "s6-svok", "s6-svperms", "s6-svstat", "php"),
}
"""Programs that only look: what they are to show may be there in a moment only."""

STAMP = r"@[0-9a-f]{24}"
DATE = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9}"
RFC3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"
SECONDS = r"\d+ seconds"
FULL = r"(?<=full for )\d+(?= s)"
AGE = r"(?<=  )\d+s(?=  )"
MASKS = {
    r"^\.\.\.\n": r"(?:.*\n)*",
    r"\.\.\.": ".*",
    STAMP: STAMP,
    DATE: DATE,
    RFC3339: RFC3339,
    SECONDS: SECONDS,
    FULL: FULL,
    AGE: AGE,
    r"\b47\d\d\b": r"\d+",
    " {2,}": " {2,}",
}
"""What stands for more than itself in expected output, and for what."""

MASK = re.compile("|".join(f"({mask})" for mask in MASKS), re.MULTILINE)

PROMPT, MORE = "$ ", "> "


@pytest.mark.parametrize("page", [p for p in PAGES if read(p).blocks], ids=name)
def test_commands_do_what_the_page_says(
    page: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """All of them succeed, and print what is shown.

    Without an engine for containers those that are about them are left out; so are
    those that somebody else than root, or without PID namespaces, cannot run.
    """
    for program in NEEDED.get(name(page), ()):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    blocks = read(page).blocks
    without = ""
    with Reader(tmp_path) as reader, contextlib.ExitStack() as stack:
        if any(map(pagedocker.is_for_docker, blocks)):
            docker = request.getfixturevalue("docker")
            if isinstance(docker, str):
                without = f"no containers here: {docker}"
                blocks = [b for b in blocks if not pagedocker.is_for_docker(b)]
            else:
                stack.enter_context(offered(docker, reader))
        for block in blocks:
            check(reader, block)
    if without:
        pytest.skip(without)


def check(reader: Reader, block: Block) -> None:
    """Do what a reader does with a block."""
    if block.file:
        check_file(reader, block)
    elif AS_ROOT.search(block.text) and not namespaces_allowed():
        pass
    elif block.language == "sh":
        check_commands(reader, block)
    elif block.language == "console":
        check_session(reader, block)


@contextlib.contextmanager
def offered(docker: Docker, reader: Reader) -> Iterator[None]:
    """Have docker on the reader's PATH; in the end, remove all containers."""
    label = uuid.uuid4().hex
    reader.install("docker", docker.script(label))
    reader.install("git", pagedocker.git())
    # Two pages may well call an image or a container the same.
    with docker.names():
        try:
            yield
        finally:
            docker.remove(label)


def check_file(reader: Reader, block: Block) -> None:
    """Make the file; if it becomes a logger, that must have a valid script.

    One that opens a FIFO as its input would wait for somebody to open it too.
    """
    path = reader.save(block)
    logs = "s6-log" in block.text and "<fifo" not in block.text
    if logs and block.text.startswith("#!"):
        code, output = reader.explain(path)
        assert code == 0, f"{block.place}: {output}"
        assert "What happens to a line" in output, block.place


def check_commands(reader: Reader, block: Block) -> None:
    """Run a block as one script."""
    if set(block.text.splitlines()) <= set(ELSEWHERE):
        return
    code, output = reader.run(block.text)
    assert code == 0, f"{block.place}: {output}"


def check_session(reader: Reader, block: Block) -> None:
    """Run the commands of a session and compare what they print."""
    for command, expected in session(block):
        shown = pattern(expected)
        if only_looks(command):
            code, output = reader.look(command, shown.fullmatch)
        else:
            code, output = reader.run(command)
        where = f"{block.place}: {command}"
        assert code == 0, f"{where}\n{output}"
        # What goes on in the background may say something at any time.
        as_shown = command.endswith("&") or shown.fullmatch(output)
        assert as_shown, f"{where}\n{output}"


def only_looks(command: str) -> bool:
    """Tell whether all programs of a command only look at what is there."""
    return {looker(words) for words in parts(command) if words} <= LOOKING


def parts(command: str) -> Iterator[list[str]]:
    """Give the words of each simple command."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|;&\n")
    lexer.whitespace, lexer.whitespace_split = " \t", True
    between = set(lexer.punctuation_chars)
    for divides, words in itertools.groupby(lexer, lambda word: set(word) <= between):
        if not divides:
            yield list(words)


def looker(words: list[str]) -> str:
    """Give the program of a simple command; in a container, that there."""
    if words[:2] == ["docker", "logs"]:
        return "cat"
    if words[:2] == ["docker", "exec"]:
        return words[3]
    return words[0]


def session(block: Block) -> Iterator[tuple[str, str]]:
    """Give each command with what it is to print."""
    for part in re.split(r"^\$ ", block.text + "\n", flags=re.MULTILINE)[1:]:
        command, *lines = part.split("\n")
        while lines[0].startswith(MORE):
            command += "\n" + lines.pop(0).removeprefix(MORE)
        yield command, "\n".join(lines)


def pattern(expected: str) -> re.Pattern[str]:
    """Make of expected output what has to match."""
    parts = []
    start = 0
    for match in MASK.finditer(expected):
        parts += [re.escape(expected[start : match.start()])]
        parts += [list(MASKS.values())[(match.lastindex or 0) - 1]]
        start = match.end()
    return re.compile("".join(parts) + re.escape(expected[start:]))


def test_nothing_is_left_out_for_nothing() -> None:
    """Each command that is not run here is in the documentation."""
    lines = {
        line
        for page in PAGES
        for block in read(page).blocks
        if block.language == "sh"
        for line in block.text.splitlines()
    }
    assert set(ELSEWHERE) - lines == set()


@pytest.mark.parametrize(
    ("expected", "output"),
    [
        ("@40000000663c0aad1dcd6500 a\n", "@400000006789abcdef012345 a\n"),
        ("2024-05-08 23:28:08.500000000  a\n", "2026-01-01 00:00:00.000000001  a\n"),
        ("a\n...\nb\n", "a\nb\n"),
        ("a\n...\nb\n", "a\nx\ny\nb\n"),
        ("a ... b\n", "a whole world b\n"),
        ("up (pid 4711) 2 seconds\n", "up (pid 99999) 0 seconds\n"),
        ("web  up  5s  4711  -\n", "web  up  17s    99  -\n"),
        ("2024-05-08T23:28:08.500Z\n", "2026-01-01T00:00:00+01:00\n"),
        ("(buffer full for 4 s)\n", "(buffer full for 12 s)\n"),
    ],
)
def test_masks_stand_for_more(expected: str, output: str) -> None:
    """Stamps, dates and dots may differ from what the page shows."""
    assert pattern(expected).fullmatch(output)


@pytest.mark.parametrize(
    ("expected", "output"),
    [
        *(("a.b\n", "axb\n"), ("a ... b\n", "a\nb\n"), ("a\n", "a\nb\n")),
        *(("", "a\n"), ("a  b\n", "a b\n"), ("5 s\n", "6 s\n"), ("4811\n", "4812\n")),
    ],
)
def test_all_else_must_be_as_it_is_shown(expected: str, output: str) -> None:
    """Nothing but a mask matches something else."""
    assert not pattern(expected).fullmatch(output)
