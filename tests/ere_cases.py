"""The table of regular expressions in `fixtures/ere-cases.json`, as objects."""

import json
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parent.parent / "fixtures" / "ere-cases.json"


@dataclass(frozen=True)
class Case:
    """One pattern: what becomes of it, and what glibc says about some lines.

    `verdict` is valid, invalid, or refused: glibc takes it and we do not.
    """

    about: str
    pattern: bytes
    verdict: str
    matched: tuple[bytes, ...]
    missed: tuple[bytes, ...]


def _lines(texts: list[str]) -> tuple[bytes, ...]:
    return tuple(text.encode("latin-1") for text in texts)


CASES = [
    Case(
        row["about"],
        row["pattern"].encode("latin-1"),
        row["verdict"],
        _lines(row.get("matched", [])),
        _lines(row.get("missed", [])),
    )
    for row in json.loads(FILE.read_text())["cases"]
]
SUBJECTS = list(dict.fromkeys(case.about for case in CASES))


def about(subject: str, verdict: str = "") -> list[Case]:
    """Give the cases about a subject, all or those with one verdict."""
    return [
        case
        for case in CASES
        if case.about == subject and (not verdict or case.verdict == verdict)
    ]
