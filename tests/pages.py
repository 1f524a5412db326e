"""Read the documentation: its pages, their fenced blocks, links and headings.

Blocks of these kinds are tried by tests/docs/test_commands.py:

- `sh`: commands, all of which must succeed;
- `sh file=NAME`, or another language: a file that the reader is told to make;
- `console`: lines after `$ ` are commands (`> ` continues one), the others are
  what they print.

Whatever else stands in a block is for the eyes only.
"""

import re
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

CHECKOUT = Path(__file__).parent.parent
PAGES = [
    *sorted(CHECKOUT.glob("*.md")),
    *sorted((CHECKOUT / "docs").rglob("*.md")),
]

FENCE = re.compile(r"( *)(`{3,})([^`]*)")
LINK = re.compile(r"\[[^]]*]\(([^)\s]+)\)")
HEADING = re.compile(r"#+ +(.*)")
CODE = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: `file` is what it is to be saved as, or nothing."""

    page: Path
    line: int
    language: str
    file: str
    text: str

    @property
    def place(self) -> str:
        """Say where the block is, for messages."""
        return f"{name(self.page)}, line {self.line}"


@dataclass(frozen=True)
class Page:
    """What a page is made of; `prose` has its lines outside of blocks."""

    blocks: list[Block]
    prose: list[str]

    @property
    def links(self) -> list[str]:
        """Give the targets of the links, as they are written."""
        return LINK.findall(CODE.sub("", "\n".join(self.prose)))

    @property
    def headings(self) -> list[str]:
        """Give the texts of the headings, whatever their level."""
        return [match[1] for line in self.prose if (match := HEADING.match(line))]

    @property
    def anchors(self) -> set[str]:
        """Give what a link may put behind `#`, made as GitHub makes it."""
        texts = (re.sub(r"[^\w\- ]", "", text.lower()) for text in self.headings)
        return {text.replace(" ", "-") for text in texts}


def name(page: Path) -> str:
    """Name a page as a reader sees it in the checkout."""
    return str(page.relative_to(CHECKOUT))


def read(path: Path) -> Page:
    """Take a page apart."""
    blocks: list[Block] = []
    prose: list[str] = []
    lines = enumerate(path.read_text().splitlines(), 1)
    for number, line in lines:
        opening = FENCE.fullmatch(line)
        if opening is None:
            prose.append(line)
            continue
        indent, fence, info = opening.groups()
        inside = []
        for _, text in lines:
            if text == indent + fence:
                break
            inside.append(text.removeprefix(indent))
        language, _, file = info.partition(" file=")
        blocks.append(Block(path, number, language, file, "\n".join(inside)))
    return Page(blocks, prose)


def table(path: Path, *columns: str) -> list[list[str]]:
    """Give the cells of a page's table with these headings, row by row."""
    lines = iter(read(path).prose)
    for line in lines:
        if line.startswith("|") and cells(line) == list(columns):
            next(lines)  # the line below the headings
            return [cells(row) for row in takewhile(lambda x: x.startswith("|"), lines)]
    raise LookupError(f"no table with the headings {columns}")


def cells(line: str) -> list[str]:
    """Split a row of a table, where a bar inside a cell has a backslash before it."""
    inner = re.split(r"(?<!\\)\|", line)[1:-1]
    return [cell.strip().replace(r"\|", "|") for cell in inner]
