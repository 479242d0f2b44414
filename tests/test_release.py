import re
from pathlib import Path

from scarnet_cli import __version__

ROOT = Path(__file__).resolve().parents[1]


def test_every_file_that_names_the_version_names_the_same() -> None:
    patterns = {
        "nextflow.config": rf"version = '{re.escape(__version__)}'",
        "bin/scarnet": rf"(?m)^# ScarNet {re.escape(__version__)} ",
        "CITATION.cff": rf"(?m)^version: {re.escape(__version__)}$",
        "CHANGELOG.md": rf"\b{re.escape(__version__)}\b",
    }
    for name, pattern in patterns.items():
        assert re.search(pattern, (ROOT / name).read_text()), f"{name} does not name version {__version__}"


def test_every_weights_file_has_a_model_card_and_a_digest() -> None:
    weights = sorted((ROOT / "weights").glob("*.safetensors"))
    listed = (ROOT / "weights/SHA256SUMS").read_text() if weights else ""
    for path in weights:
        assert path.with_suffix(".md").is_file(), f"{path.name} has no model card"
        assert path.name in listed, f"{path.name} is not in SHA256SUMS"
    assert sum(path.stat().st_size for path in weights) <= 32e6
