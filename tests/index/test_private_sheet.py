"""The private sheet: whose each study is, for its owner alone, and taken as input without giving anything away."""

import csv
import stat
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from dicom_series import make_series, save
from planted import holders
from pydicom.dataset import Dataset

from scarnet_cli.cli.samplesheet import samplesheet as command
from scarnet_cli.dicom.identity import study_id_from_uid
from scarnet_cli.index.index_input import IndexOptions, index_input
from scarnet_cli.index.records import Index
from scarnet_cli.index.write_index import write_index

UIDS = [f"1.2.840.99.7.{number}" for number in range(5)]
IDS = [study_id_from_uid(uid) for uid in UIDS]


def study(number: int, patient: str, day: str, *, slices: int = 7) -> list[Dataset]:
    series = make_series(slices, study=UIDS[number], series=f"1.2.840.99.8.{number}", seed=number)
    for dataset in series:
        dataset.PatientID, dataset.PatientName, dataset.StudyDate = patient, f"Müller^{patient}", day
        dataset.SpecificCharacterSet = "ISO_IR 192"
    return series


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    """Two visits of one patient in one folder, one study in a folder of its own, one in an archive, one without LGE."""
    root = tmp_path / "cohort"
    save(study(0, "S-2", "20210304"), root / "mixed" / "a")
    save(study(1, "S-2", "20220304"), root / "mixed" / "b")
    for path in (root / "mixed" / "b").iterdir():
        path.rename(root / "mixed" / "a" / f"b{path.name}")
    save(study(2, "S-1", "20210305"), root / "alone" / "deep")
    paths = save(study(3, "S-3", "20210306"), tmp_path / "packed")
    with zipfile.ZipFile(root / "packed.zip", "w") as archive:
        for path in paths:
            archive.write(path, path.name)
    save(study(4, "S-1", "20210307", slices=2), root / "few")
    return root


def written(cohort: Path, out: Path) -> list[dict[str, str]]:
    result = CliRunner().invoke(command, [str(cohort), "--out", str(out), "--jobs", "1"])
    assert result.exit_code == 0, result.output
    assert "5 studies of 3 patients, 1 without a stack to measure. It holds names" in result.output
    with out.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_each_study_has_a_row_that_says_whose_it_is_to_its_owner_alone(cohort: Path, tmp_path: Path) -> None:
    rows = written(cohort, tmp_path / "sheet.csv")
    assert stat.S_IMODE((tmp_path / "sheet.csv").stat().st_mode) == 0o600
    assert [row["study"] for row in rows] == [IDS[number] for number in (2, 4, 0, 1, 3)]
    assert [row["patient"] for row in rows] == ["P001", "P001", "P002", "P002", "P003"]
    places = [cohort / name for name in ("alone/deep", "few", "mixed/a", "mixed/a", "packed.zip")]
    assert [row["dicom"] for row in rows] == [str(place) for place in places]
    assert [row["private_patient_name"] for row in rows[2:4]] == ["Müller^S-2"] * 2
    assert [row["private_study_date"] for row in rows[2:4]] == ["20210304", "20220304"]
    assert rows[2]["private_description"] == "LGE_SAX_PSIR"
    assert [row["private_problem"] for row in rows] == ["", "no_lge_stack", "", "", ""]


def test_the_sheet_as_it_is_gives_the_studies_of_the_folder_and_no_table_a_name(cohort: Path, tmp_path: Path) -> None:
    written(cohort, tmp_path / "sheet.csv")
    of_folder = index_input(cohort, None, IndexOptions())
    of_sheet = index_input(tmp_path / "sheet.csv", None, IndexOptions())

    def ends(index: Index) -> list[tuple[str, str | None, tuple[str, ...]]]:
        return [
            (one.study_id, one.failure and one.failure.code, one.entry.chosen if one.entry else ())
            for one in index.studies
        ]

    assert ends(of_sheet) == ends(of_folder)
    assert {one.labels.patient for one in of_sheet.studies} == {"P001", "P002", "P003"}
    write_index(of_sheet, tmp_path / "index")
    secrets = [text.encode() for text in ("s-1", "s-2", "müller", "20220304", "2022-03-04", "private_")]
    tables = [path for path in (tmp_path / "index").rglob("*") if path.is_file()]
    assert holders(tables, secrets) == {}
    assert list(holders([tmp_path / "sheet.csv"], secrets).values()) == [[*secrets[:4], secrets[5]]]


def test_what_somebody_filled_in_is_not_overwritten_and_a_sheet_makes_no_sheet(cohort: Path, tmp_path: Path) -> None:
    (tmp_path / "filled.csv").write_text("study,dicom\n")
    result = CliRunner().invoke(command, [str(cohort), "--out", str(tmp_path / "filled.csv")])
    assert "filled.csv exists, and may be filled in already" in str(result.exception)
    (tmp_path / "given.csv").write_text(f"study,dicom\nA,{cohort / 'few'}\n")
    result = CliRunner().invoke(command, [str(tmp_path / "given.csv"), "--out", str(tmp_path / "new.csv")])
    assert "The input names its studies itself" in str(result.exception)


def test_a_row_names_its_study_where_a_folder_holds_several(cohort: Path, tmp_path: Path) -> None:
    rows = [f"two,{cohort / 'mixed'},", f"second,{cohort / 'mixed'},{UIDS[1]}", f"gone,{cohort / 'mixed'},{UIDS[2]}"]
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("\n".join(["study,dicom,study_instance_uid", *rows]) + "\n")
    found = {
        one.study_id: one.failure.code if one.failure else None
        for one in index_input(sheet, None, IndexOptions()).studies
    }
    assert found == {"two": "several_studies", "second": None, "gone": "not_found"}
