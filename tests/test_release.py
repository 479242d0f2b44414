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
