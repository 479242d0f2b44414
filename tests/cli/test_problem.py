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
        (("--series-rules", "rules.yml"), "The series rules have 2 wrong entries"),
        (("--series-rules", "rules.yml"), "line 4: view is sax, lax or other, not 'round'"),
        ((), "The input holds no DICOM image"),
    ],
)
def test_options_that_index_refuses_are_told_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCARNET_DEIDENTIFY_KEY", raising=False)
    (tmp_path / "studies.csv").write_text("accession_number\n1\n")
    (tmp_path / "rules.yml").write_text("- kind: lge\n  name: a|b\n  why: x\n- view: round\n  name: x\n  why: x\n")
    done = CliRunner().invoke(index, [str(tmp_path), "--out", "index", *options, "--problem", "problem.txt"])
    assert done.exit_code == 0, done.output
    assert words in (tmp_path / "problem.txt").read_text()


@pytest.mark.parametrize(
    ("cases", "words"),
    [
        ("wrong.csv", "2 of the samplesheet's 2 rows are wrong"),
        ("wrong.csv", "line 3: image 'gone.nii.gz' is not a file"),
        (".", "--fold 7 is not one of the 5 folds, which count from 0."),
        ("dicomweb+https://pacs/x?PatientName=DOE", "a DICOMweb server has no labelled cases"),
    ],
)
def test_what_folds_refuses_is_told_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cases: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("wrong.csv").write_text("case,image,labels,patient\na,cases.csv,cases.csv,\nb,gone.nii.gz,gone.nii.gz,\n")
    fold = "0" if cases == "wrong.csv" else "7"
    options = ("--out", "folds.csv", "--fold", fold, "--problem", "problem.txt")
    done = CliRunner().invoke(folds, [cases, *options])
    assert done.exit_code == 0, done.output
    assert words in Path("problem.txt").read_text()
    assert "DOE" not in Path("problem.txt").read_text()
