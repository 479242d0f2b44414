"""Fixtures of the tests that run Nextflow."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from nextflow_launch import BIN, PATIENCE_S


@pytest.fixture(scope="session")
def make_phantoms() -> Callable[..., None]:
    """Return a function that writes phantoms as DICOM; study number n is the same in a cohort of any size."""

    def make(out: Path, studies: int, *, broken: int = 0) -> None:
        command = [BIN / "scarnet", "phantom", "--studies", str(studies), "--broken", str(broken), "--out", out]
        subprocess.run(command, check=True, timeout=PATIENCE_S)

    return make
