"""--problem: what is wrong with the options themselves is told in that file, too."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from scarnet_cli.cli.folds import folds
from scarnet_cli.cli.index import index


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--batch-min", "9", "--batch-max", "4"), "9 is above --batch-max 4"),
        (("--retry-failed", "all"), "--retry-failed and --failures go together"),
        (("--deidentify",), "it needs a key, from which pseudonyms are derived"),
        (("--studies", "studies.csv"), "A study list goes with a DICOMweb server's address"),
    ],
)
def test_options_that_index_refuses_are_told_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCARNET_DEIDENTIFY_KEY", raising=False)
    (tmp_path / "studies.csv").write_text("accession_number\n1\n")
    done = CliRunner().invoke(index, [str(tmp_path), "--out", "index", *options, "--problem", "problem.txt"])
    assert done.exit_code == 0, done.output
    assert words in (tmp_path / "problem.txt").read_text()


@pytest.mark.parametrize(
    ("cases", "words"),
    [
        (".", "--fold 7 is not one of the 5 folds, which count from 0."),
        ("dicomweb+https://pacs/x?PatientName=DOE", "a DICOMweb server has no labelled cases"),
    ],
)
def test_what_folds_refuses_is_told_in_the_file(tmp_path: Path, cases: str, words: str) -> None:
    problem = tmp_path / "problem.txt"
    done = CliRunner().invoke(folds, [cases, "--out", "folds.csv", "--fold", "7", "--problem", str(problem)])
    assert done.exit_code == 0, done.output
    assert words in problem.read_text()
    assert "DOE" not in problem.read_text()
