"""What is shipped in weights/: every file listed, described, and all together small."""

import hashlib
import re
from pathlib import Path

import pytest

from scarnet_cli.model.store import SHIPPED, files_in, read_weights_file

FILES = files_in(SHIPPED)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_weights_file_is_listed_and_its_card_has_the_same_digest(path: Path) -> None:
    file = read_weights_file(path)
    digest = hashlib.sha256(file.path.read_bytes()).hexdigest()
    assert (file.listed, file.sha256, file.spec.trained) == (True, digest, True)
    assert f"- Digest (SHA-256): `{digest}`\n" in file.path.with_suffix(".md").read_text()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_card_says_network_data_training_figures_limits_and_licence(path: Path) -> None:
    card = path.with_suffix(".md").read_text()
    assert card.startswith(f"# {path.name}\n")
    for topic in ("Network", "Data", "Made by", "Figures", "Limits", "Licence"):
        assert re.search(rf"^(- {topic}:|## {topic}$)", card, re.MULTILINE), f"the card lacks {topic}"
    assert re.search(r"^- Licence: .+LICENSE\.md", card, re.MULTILINE)


def test_all_weights_together_stay_under_32_mb() -> None:
    assert sum(path.stat().st_size for path in FILES) <= 32e6
