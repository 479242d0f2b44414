"""A small cohort on disk."""

from pathlib import Path

import pytest
from made_cohort import write_tables
from PIL import Image
from small_cohort import FAILURES, HEALTHY, SCARRED, SEGMENTS, SERIES


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """Return a directory as `scarnet gather` writes it."""
    write_tables(tmp_path / "tables", [SCARRED, HEALTHY], SEGMENTS, SERIES, FAILURES)
    return tmp_path / "tables"


@pytest.fixture
def studies(tmp_path: Path) -> Path:
    """Return a directory of studies as the pipeline publishes it; s2 has no picture."""
    folder = tmp_path / "studies" / "s1"
    folder.mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(folder / "overlay.png")
    return tmp_path / "studies"
