"""An image without anything, for tests to put things into."""

from pathlib import Path

import pytest

from inits import Image


@pytest.fixture
def image(tmp_path: Path) -> Image:
    """Give an image without anything."""
    return Image(tmp_path / "image")
