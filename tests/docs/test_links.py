"""Every relative link in the documentation leads somewhere."""

from pathlib import Path

import pytest

from pages import CHECKOUT, PAGES, name, read


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    """The file is there, and so is the heading behind a `#`."""
    broken = []
    for link in read(page).links:
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        known = not anchor or (target.is_file() and anchor in read(target).anchors)
        if not (target.exists() and known):
            broken.append(link)
    assert broken == []


def test_every_page_can_be_found() -> None:
    """Each page of docs/ is linked from docs/README.md, and that from README.md."""
    index = CHECKOUT / "docs" / "README.md"
    linked = {(index.parent / link).resolve() for link in read(index).links}
    pages = {page for page in PAGES if page.is_relative_to(index.parent)} - {index}
    assert pages - linked == set()
    assert "docs/README.md" in read(CHECKOUT / "README.md").links
