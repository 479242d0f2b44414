"""Corrected label maps are found by study, and listed for the batch that the study is in."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from dicom_series import make_series, save

from scarnet_cli.cli.main import cli
from scarnet_cli.dicom.identity import study_id_from_uid
from scarnet_cli.errors import InputError
from scarnet_cli.tables.parquet import read_table

FIRST, SECOND = (study_id_from_uid(f"1.2.840.99.7.{i}") for i in range(2))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two studies."""
    for i in range(2):
        save(make_series(study=f"1.2.840.99.7.{i}", series=f"1.2.840.99.8.{i}"), tmp_path / "in" / str(i))
    (tmp_path / "corrected").mkdir()
    return tmp_path / "in"


def index(source: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["index", str(source), *arguments], catch_exceptions=False)


def listed(out: Path) -> list[tuple[str, str, str]]:
    (maps,) = json.loads((out / "label_maps.json").read_text()).values()
    return [(row["study_id"], row["source"], Path(row["path"]).name) for row in maps]


def test_files_are_named_after_studies_and_the_rest_is_told(source: Path, tmp_path: Path) -> None:
    out, corrected = tmp_path / "out", tmp_path / "corrected"
    for name in (f"{FIRST}.seg.nrrd", "0123456789abcdef.nii.gz", "notes.txt", f"._{SECOND}.nii.gz"):
        (corrected / name).touch()
    done = index(source, "--out", str(out), "--corrected", str(corrected))
    assert listed(out) == [(FIRST, "corrected", f"{FIRST}.seg.nrrd")]
    assert "not read: 1, see unread.parquet" in done.stderr
    (row,) = read_table(out / "unread.parquet").to_pylist()
    assert (row["reason"], row["count"]) == ("no_study", 1)
    assert "0123456789abcdef" not in json.dumps(row)

    batch = next((out / "batches").iterdir()).read_bytes()
    index(source, "--out", str(out))
    assert listed(out) == []
    assert next((out / "batches").iterdir()).read_bytes() == batch  # CONVERT does not see corrections


def test_label_maps_of_which_none_is_of_a_study_are_refused(source: Path, tmp_path: Path) -> None:
    (tmp_path / "corrected" / FIRST).mkdir()  # as the results lie in OUT/studies
    (tmp_path / "corrected" / FIRST / "labels.nii.gz").touch()
    with pytest.raises(InputError, match=r"None of the 1 names .*; name each file after its study_id"):
        index(source, "--out", str(tmp_path / "out"), "--corrected", str(tmp_path / "corrected"))


def test_a_label_map_in_a_form_that_is_not_read_is_refused_but_for_one_beside_it(source: Path, tmp_path: Path) -> None:
    corrected = tmp_path / "corrected"
    for name in (f"{FIRST}.nii.gz", f"{FIRST}.mha", f"{SECOND}.txt"):
        (corrected / name).touch()
    arguments = ("--out", str(tmp_path / "out"), "--corrected", str(corrected))
    assert index(source, *arguments).exit_code == 0
    (corrected / f"{SECOND}.mha").touch()
    with pytest.raises(InputError, match=f"label maps of {SECOND} are in a form that is not read; save them"):
        index(source, *arguments)


def test_a_folder_for_each_reader_and_the_chosen_reader_first(source: Path, tmp_path: Path) -> None:
    out, corrected = tmp_path / "out", tmp_path / "corrected"
    for name in (f"ben/{FIRST}.nii.gz", f"anna/{FIRST}.dcm", f"ben/{SECOND}.nii", f"{SECOND}.nii.gz", "notes/a.txt"):
        (corrected / name).parent.mkdir(exist_ok=True)
        (corrected / name).touch()

    def readers(*options: str) -> dict[str, list[str | None]]:
        index(source, "--out", str(out), "--corrected", str(corrected), *options)
        (maps,) = json.loads((out / "label_maps.json").read_text()).values()
        return {study: [row["reader"] for row in maps if row["study_id"] == study] for study in (FIRST, SECOND)}

    # what lies outside of the readers' folders is measured before any reader's
    assert readers() == {FIRST: ["anna", "ben"], SECOND: [None, "ben"]}
    assert readers("--reader", "ben") == {FIRST: ["ben", "anna"], SECOND: [None, "ben"]}


def test_readers_who_are_not_there_or_have_no_name_for_a_table_are_refused(source: Path, tmp_path: Path) -> None:
    arguments, corrected = ("--out", str(tmp_path / "out")), tmp_path / "corrected"
    assert "there are no readers without --corrected" in index(source, *arguments, "--reader", "anna").stderr
    (corrected / "ben").mkdir()
    (corrected / "ben" / f"{FIRST}.nii.gz").touch()
    with pytest.raises(InputError, match="is of the reader anna; there are ben"):
        index(source, *arguments, "--corrected", str(corrected), "--reader", "anna")
    (corrected / "ben").rename(corrected / "Dr. Ben")
    with pytest.raises(InputError, match="names the reader in the tables: its name is not a valid name"):
        index(source, *arguments, "--corrected", str(corrected))


def test_two_label_maps_of_one_study_are_refused(source: Path, tmp_path: Path) -> None:
    for suffix in (".nii.gz", ".NRRD"):
        (tmp_path / "corrected" / f"{FIRST}{suffix}").touch()
    with pytest.raises(InputError, match=f"more than one of {FIRST}; leave one"):
        index(source, "--out", str(tmp_path / "out"), "--corrected", str(tmp_path / "corrected"))


def test_a_samplesheet_gives_label_maps_and_a_corrected_one_goes_first(source: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "drawn.nii.gz", tmp_path / "corrected" / "b.dcm"):
        path.touch()
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("study,dicom,labels\na,in/0,drawn.nii.gz\nb,in/1,drawn.nii.gz\n")
    arguments = ("--out", str(tmp_path / "out"), "--previous", str(tmp_path / "out" / "index.parquet"))
    for _ in range(2):  # read, and remembered
        index(sheet, *arguments, "--corrected", str(tmp_path / "corrected"))
        assert listed(tmp_path / "out") == [("a", "given", "drawn.nii.gz"), ("b", "corrected", "b.dcm")]
    sheet.write_text("study,dicom,labels\na,in/0,gone.nii.gz\nb,in/1,\n")
    with pytest.raises(InputError, match="line 2: its labels are not a file"):
        index(sheet, *arguments)
