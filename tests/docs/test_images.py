"""The images in the documentation: their files, and what cannot be built here.

Those on Alpine are compared with those on Debian, which are built and run.
"""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines import IMAGES
from pagedocker import STAND_INS
from pages import CHECKOUT, PAGES, Block, name, read
from s6log.__main__ import PROGRAMS
from supervisor.container.settings import NUMBERS, TEXTS, Settings

HOW_TO = CHECKOUT / "docs" / "how-to"
RECIPE = HOW_TO / "nginx-with-php-fpm.md"
POD = HOW_TO / "kubernetes.md"
INSTRUCTIONS = {"ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "FROM", "RUN", "USER"}
PACKAGES = re.compile(r"\b(apt-get|apk)\b")
ALPINE = "python:3-alpine"
BY_PIP = re.compile(r"pip install (/src|/wheels/\*\.whl) && s6-init --install")
CLONE = "$ git clone ~/s6log "
LISTEN = re.compile(r".*(listen |nginx\.sock).*\n")  # in tests on a socket, too
LISTS = re.compile(r"command: (\[.*\])\}")
VARIABLE = re.compile(r"\{name: (S6_\w+), value: (\S+|\".*\")\}")

SAVED = [
    block
    for page in PAGES
    for block in read(page).blocks
    if block.language == "dockerfile" and block.file
]


def instructions(text: str) -> list[list[str]]:
    """Give the instructions of a Containerfile: a name, and the rest."""
    lines = text.replace("\\\n", " ").splitlines()
    return [line.split(maxsplit=1) for line in lines if line[:1] not in ("", "#")]


def place(block: Block) -> str:
    """Name a block in a test."""
    return f"{name(block.page)}-{block.file}"


@pytest.mark.parametrize("block", SAVED, ids=place)
def test_an_image_is_made_of_what_is_there(block: Block) -> None:
    """Known instructions, on a known base; what is copied is on the page."""
    parsed = instructions(block.text)
    assert {instruction for instruction, _ in parsed} <= INSTRUCTIONS
    assert parsed[0][0] == "FROM"
    known = [name.removeprefix("localhost/") for n in STAND_INS.values() for name in n]
    bases = {rest.split()[0] for what, rest in parsed if what == "FROM"}
    assert bases <= {*known, ALPINE}
    folder = Path(block.file).parent
    for source in sources(parsed):
        assert is_made(block, folder / source), source
    entry = [json.loads(rest) for what, rest in parsed if what == "ENTRYPOINT"]
    assert entry == [["/init"]]
    runs = [rest for what, rest in parsed if what == "RUN"]
    assert [rest for rest in runs if BY_PIP.fullmatch(rest)]


def sources(parsed: list[list[str]]) -> Iterator[str]:
    """Give what is copied out of the context."""
    for instruction, rest in parsed:
        if instruction == "COPY" and not rest.startswith("--from="):
            yield from rest.split()[:-1]


def is_made(image: Block, folder: Path) -> bool:
    """Tell whether there is something in a folder when an image is built."""
    for block in read(image.page).blocks:
        if block.file and Path(block.file).is_relative_to(folder):
            return True
        if block.language != "console":
            continue
        made = f"{CLONE}{folder}\n" if folder.name == "s6log" else str(folder)
        if made in block.text:
            return True
    return False


@pytest.mark.parametrize(
    "block", [b for b in SAVED if b.file.endswith(".alpine")], ids=place
)
def test_alpine_differs_in_its_packages_only(block: Block) -> None:
    """Nobody builds it here: it is what is built on Debian, but for packages."""
    blocks = read(block.page).blocks
    (debian,) = [b for b in blocks if b.file == block.file.removesuffix(".alpine")]
    assert rest_of(block) == rest_of(debian)


def rest_of(block: Block) -> list[list[str]]:
    """Give what does not depend on the distribution."""
    return [
        [instruction, rest]
        for instruction, rest in instructions(block.text)
        if instruction != "FROM" and not PACKAGES.search(rest)
    ]


def test_the_recipe_is_that_of_the_tested_image() -> None:
    """The services, their loggers and their configuration; but for where it listens."""
    image = IMAGES / "second-article"
    shown = {b.file: b.text + "\n" for b in read(RECIPE).blocks if b.file}
    dockerfiles = {shown.pop("Dockerfile"), shown.pop("Dockerfile.alpine")}
    assert len(dockerfiles) == 2
    for file, text in shown.items():
        there = (image / file).read_text()
        assert LISTEN.sub("", text) == LISTEN.sub("", there), file
    files = (path for path in image.rglob("*") if path.is_file())
    names = {str(path.relative_to(image)) for path in files}
    assert names == {*shown, "Containerfile"}


def test_the_pod_asks_for_what_there_is() -> None:
    """Programs, services, variables; and its limits add up to less than it waits."""
    blocks = read(POD).blocks
    (pod,) = [block.text for block in blocks if block.language == "yaml"]
    services = {f"/run/service/{Path(b.file).parent.name}" for b in blocks if b.file}
    for command in LISTS.findall(pod):
        program, *_, service = re.sub(r'[][",]', "", command).split()
        assert program in PROGRAMS
        assert service in services
    chosen = {key: shlex.split(value)[0] for key, value in VARIABLE.findall(pod)}
    assert set(chosen) <= {*NUMBERS, *TEXTS}
    assert len(chosen) == pod.count("{name: S6_")
    settings = Settings({k.encode(): v.encode() for k, v in chosen.items()})
    most_ms = settings.slowest_stop_ms(0)
    patience = re.search(r"terminationGracePeriodSeconds: (\d+)", pod)
    assert patience is not None
    assert most_ms <= 1000 * int(patience[1])
