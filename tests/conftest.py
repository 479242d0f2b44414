"""Fixtures that several rooms use."""

import os
from pathlib import Path

# Before torch is imported: a second thread gains nothing on networks of this size, and loses much on a busy machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

REPOSITORY = Path(__file__).parents[1]

LONGEST_ID = 16  # bytes that are shown in a test's name


@pytest.fixture(scope="session")
def emidec_dir() -> Path:
    """Folder of EMIDEC cases: $EMIDEC, else ../shared/data/emidec beside the repository; skips where neither is."""
    folder = Path(os.environ.get("EMIDEC") or REPOSITORY.parent / "shared" / "data" / "emidec")
    if not any(folder.glob("Case_*/Images")):
        pytest.skip("EMIDEC is not here; set EMIDEC to its folder (docs/emidec.md says where to get it)")
    return folder


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a case with a file's content by its number: an archive says when it was made, and workers disagree."""
    return argname if isinstance(val, bytes) and len(val) > LONGEST_ID else None
