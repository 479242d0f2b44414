"""Failed studies are tried again when that is asked for, and a later run keeps to the newer result."""

import ast
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from dicom_series import make_series, save

import scarnet_cli
from scarnet_cli.cli.main import cli
from scarnet_cli.dicom.identity import study_id_from_uid
from scarnet_cli.errors import InputError
from scarnet_cli.stage.run import write_failures
from scarnet_cli.tables.failures import CODES, Failure

FIRST, SECOND, CINE = (study_id_from_uid(f"1.2.840.99.7.{i}") for i in range(3))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where an index is written of two studies, and a third that INDEX fails."""
    for i, name in enumerate(("LGE_SAX", "LGE_SAX", "cine_sax")):
        save(make_series(name=name, study=f"1.2.840.99.7.{i}", series=f"1.2.840.99.8.{i}"), tmp_path / "in" / str(i))
    return tmp_path / "out"


def index(out: Path, codes: str | None = None, *arguments: str) -> Result:
    """Index as the pipeline does: with the memory of the last run and the failures that it ended with."""
    retry = () if codes is None else ("--retry-failed", codes, "--failures", str(out.parent / "failures.parquet"))
    previous = ("--previous", str(out / "index.parquet"))
    command = ["index", str(out.parent / "in"), "--out", str(out), *previous, *retry, *arguments]
    return CliRunner().invoke(cli, command, catch_exceptions=False)


def fail(out: Path, *failures: tuple[str, str]) -> None:
    """Write the table that a run ends with; one that runs later is not the same."""
    rows = [Failure(study, "convert", code, f"run of {len(failures)}") for study, code in failures]
    write_failures(rows, out.parent / "failures.parquet")


def retries(out: Path) -> dict[str, int | None]:
    (batch,) = (out / "batches").iterdir()
    return {study["study_id"]: study.get("retry") for study in json.loads(batch.read_text())["studies"]}


def test_a_study_that_failed_with_a_named_code_makes_another_batch_and_stays_in_it(out: Path) -> None:
    index(out)
    assert retries(out) == {FIRST: None, SECOND: None}
    fail(out, (FIRST, "timed_out"), (SECOND, "slice_gap"), (CINE, "no_lge_stack"))
    index(out, "crashed,timed_out")
    assert retries(out) == {FIRST: 1, SECOND: None}
    index(out, "crashed,timed_out")  # as after an interrupt: no run has ended since
    index(out)
    assert retries(out) == {FIRST: 1, SECOND: None}
    fail(out, (FIRST, "timed_out"), (SECOND, "slice_gap"))
    index(out, "all")
    assert retries(out) == {FIRST: 2, SECOND: 1}
    # What is remembered of retries is no file of the input: nothing is read or planned anew for it.
    assert "2 studies" not in index(out).stderr
    assert "; files: 21 image" in index(out).stderr


def test_an_unknown_code_is_told_with_those_that_there_are(out: Path) -> None:
    fail(out, (FIRST, "timed_out"), (SECOND, "timed_out"), (CINE, "of_a_later_version"))
    with pytest.raises(
        InputError, match=r"No study fails with time_out: .* In the last run: of_a_later_version \(1\), t"
    ):
        index(out, "time_out")
    assert index(out, "time_out", "--problem", str(out.parent / "problem.txt")).exit_code == 0
    assert "All there are: archive_too_large," in (out.parent / "problem.txt").read_text()
    assert index(out, "of_a_later_version").exit_code == 0


def test_a_file_that_is_no_table_of_failures_is_told(out: Path) -> None:
    (out.parent / "failures.parquet").write_bytes(b"cut")
    with pytest.raises(InputError, match="not a table of failures"):
        index(out, "all")
    assert index(out, None, "--retry-failed", "all").exit_code == 2


def test_every_code_that_a_study_can_fail_with_is_known() -> None:
    rooms = [
        Path(scarnet_cli.__file__).parent / room for room in ("dicom", "image", "infer", "quantify", "pacs", "cohort")
    ]
    calls = [node for room in rooms for path in room.rglob("*.py") for node in ast.walk(ast.parse(path.read_text()))]
    place = {"DicomError": 0, "QuantificationError": 0, "failed_study": 2, "Failure": 2}
    codes = {
        ast.literal_eval(call.args[place[call.func.id]])
        for call in calls
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and len(call.args) > place.get(call.func.id, 9)
        if isinstance(call.args[place[call.func.id]], ast.Constant)
    }
    of_results = {
        "ambiguous_reference",
        "no_dicom_source",
        "no_instance_uid",
        "not_stored",
    }  # cost no study, but its DICOM
    assert codes - of_results <= CODES
