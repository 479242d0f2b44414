"""What fuzzing found once, each kept as it was found: every one ends in a value or in a refusal of ours.

The first word of a file's name is the target of fuzz/targets.py it was found with, the second what it raised.
"""

from pathlib import Path

import pytest
from hostile_files import watched

from fuzz import targets

KEPT = sorted((Path(__file__).parent / "hostile").glob("*.bin"))


def test_something_is_kept() -> None:
    assert KEPT


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_find_is_mended(path: Path) -> None:
    with watched():
        targets.run(path.name.split("-")[0], path.read_bytes())


@pytest.mark.parametrize("name", targets.TARGETS)
def test_every_target_takes_its_valid_inputs(name: str) -> None:
    for content in targets.seeds(name):
        targets.run(name, content)
