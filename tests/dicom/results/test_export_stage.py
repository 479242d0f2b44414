"""The stage EXPORT: what goes into the files of odd sources, what is refused in words, and what is the same again."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from dicom_series import make_series, save
from exported_study import Labelled, judge, label, read_by_dcmqi
from pydicom import dcmread
from pydicom.dataset import Dataset

from scarnet_cli.dicom.batch import Batch
from scarnet_cli.dicom.results.export_stage import export_studies
from scarnet_cli.dicom.results.export_study import read_sources, scan_in, write_results
from scarnet_cli.errors import MachineError
from scarnet_cli.image.volume import same_grid
from scarnet_cli.stage.execution import Execution
from scarnet_cli.stage.folder import StudyFolder
from scarnet_cli.tables.parquet import read_table

MADE = datetime(2026, 3, 4, 5, 6, 7)
FILES = ("seg.dcm", "report.dcm")


@pytest.fixture
def study(tmp_path: Path) -> Labelled:
    save(make_series(), tmp_path / "in")
    return label(tmp_path / "in", tmp_path)


def written(study: Labelled, out: Path, made: datetime = MADE, **changes: str) -> list[bytes]:
    scan = scan_in(study.record | changes)
    write_results(study.labels, scan, read_sources(study.entry, study.root), StudyFolder(out), made)
    return [(out / name).read_bytes() for name in FILES]


def uids(out: Path) -> set[str]:
    found = [dcmread(out / name) for name in FILES]
    return {str(uid) for dataset in found for uid in (dataset.SOPInstanceUID, dataset.SeriesInstanceUID)}


def rows(out: Path) -> list[dict[str, object]]:
    return read_table(out / "exports.parquet").to_pylist()


def test_the_same_study_gives_the_same_bytes(study: Labelled, tmp_path: Path) -> None:
    assert written(study, tmp_path / "a") == written(study, tmp_path / "b")


def test_uids_follow_from_images_and_model_and_not_from_the_clock(study: Labelled, tmp_path: Path) -> None:
    written(study, tmp_path / "a")
    written(study, tmp_path / "later", MADE.replace(year=2027))
    written(study, tmp_path / "other", model_sha256="ff" * 32)
    assert len(uids(tmp_path / "a")) == 4
    assert uids(tmp_path / "later") == uids(tmp_path / "a")
    assert uids(tmp_path / "other").isdisjoint(uids(tmp_path / "a"))


def test_an_archive_files_them_with_the_patient_and_the_study(study: Labelled) -> None:
    folder = study.export()
    for name in FILES:
        dataset = dcmread(folder / name)
        assert dataset.PatientName == "Secret^Person"
        assert (dataset.PatientID, dataset.PatientBirthDate) == ("S-1", "19440229")
        assert (dataset.StudyInstanceUID, dataset.StudyDate) == ("1.2.840.99.7.1", "20210304")
    assert dcmread(folder / "seg.dcm").FrameOfReferenceUID == "1.2.840.99.7.1.9"
    assert rows(folder.parents[1]) == [
        {
            "study_id": study.study_id,
            "segmentation_uid": dcmread(folder / "seg.dcm").SOPInstanceUID,
            "report_uid": dcmread(folder / "report.dcm").SOPInstanceUID,
            "code": None,
            "message": None,
        }
    ]


def test_values_that_the_standard_does_not_allow_are_left_empty(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def spoil(dataset: Dataset) -> None:
        dataset.PatientBirthDate, dataset.PatientSex, dataset.StudyTime = "29.2.44", "male", "noon"
        dataset.PatientAge, dataset.AccessionNumber = "81", "A-7"

    study = odd_study(tmp_path, spoil)
    with caplog.at_level(logging.DEBUG):
        folder = study.export()
    for name in FILES:
        dataset = dcmread(folder / name)
        assert [dataset.PatientBirthDate, dataset.PatientSex, dataset.StudyTime] == ["", "", ""]
        assert "PatientAge" not in dataset
        assert dataset.AccessionNumber == "A-7"
        assert errors_of(folder / name) == []
    assert "PatientBirthDate of the source is not what the standard allows" in caplog.text
    assert not [secret for secret in ("Secret", "29.2.44", "male,", "noon") if secret in caplog.text]


def test_a_source_without_what_the_standard_asks_for_is_exported(tmp_path: Path) -> None:
    def strip(dataset: Dataset) -> None:
        for keyword in ("PatientName", "PatientID", "PatientBirthDate", "StudyDate", "FrameOfReferenceUID"):
            delattr(dataset, keyword)
        del dataset.SliceThickness

    study = odd_study(tmp_path, strip)
    folder = study.export()
    assert [errors_of(folder / name) for name in FILES] == [[], []]
    assert dcmread(folder / "seg.dcm").PatientID == ""
    assert same_grid(read_by_dcmqi(folder / "seg.dcm", tmp_path / "itk"), study.labels)


def test_illegal_uids_are_referred_to_as_they_are(tmp_path: Path) -> None:
    def spoil(dataset: Dataset) -> None:
        dataset.StudyInstanceUID = "1.2.840.099.7.1"
        dataset.SOPInstanceUID = f"1.2.840.0{dataset.InstanceNumber}"

    study = odd_study(tmp_path, spoil)
    path = study.export() / "seg.dcm"
    segmentation = dcmread(path)
    assert segmentation.StudyInstanceUID == "1.2.840.099.7.1"
    (series,) = segmentation.ReferencedSeriesSequence
    referred = [item.ReferencedSOPInstanceUID for item in series.ReferencedInstanceSequence]
    assert referred == [f"1.2.840.0{n}" for n in range(1, 8)]
    assert same_grid(read_by_dcmqi(path, tmp_path / "itk"), study.labels)


@pytest.mark.parametrize(
    ("character_sets", "name"),
    [
        (["ISO_IR 100"], "Müller^Jörg"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"),
        (["GB18030"], "Wang^XiaoDong=王^小东"),
        (["ISO_IR 999"], "Smith^Jane"),
    ],
)
def test_names_in_any_character_set_come_out_in_unicode(tmp_path: Path, character_sets: list[str], name: str) -> None:
    known = ["ISO_IR 100"] if character_sets == ["ISO_IR 999"] else character_sets
    datasets = make_series()
    for dataset in datasets:
        dataset.SpecificCharacterSet, dataset.PatientName = known, name
    for path in save(datasets, tmp_path / "in"):
        path.write_bytes(path.read_bytes().replace(b"ISO_IR 100", character_sets[0].encode().ljust(10)))
    folder = label(tmp_path / "in", tmp_path).export()
    for file in FILES:
        dataset = dcmread(folder / file)
        assert dataset.SpecificCharacterSet == "ISO_IR 192"
        assert str(dataset.PatientName) == name
        assert errors_of(folder / file) == []


def test_a_study_that_came_as_nifti_is_a_row_that_says_so(tmp_path: Path, study: Labelled) -> None:
    image = study.work / "convert" / "studies" / study.study_id / "image.nii.gz"
    (tmp_path / "sheet.csv").write_text(f"study,dicom\nmine,{image}\n")
    given = label(tmp_path / "sheet.csv", tmp_path / "given")
    (failure,) = export_studies(Batch(given.root, [given.entry]), given.results, tmp_path / "out")
    assert failure.code == "no_dicom_source"
    (row,) = rows(tmp_path / "out")
    assert (row["study_id"], row["segmentation_uid"], row["code"]) == ("mine", None, "no_dicom_source")
    assert str(row["message"]).startswith("The study was given as NIfTI")
    assert not (tmp_path / "out" / "studies").exists()


def test_images_that_changed_are_refused_and_other_files_stay(study: Labelled) -> None:
    moved = make_series()
    for dataset in moved:
        dataset.ImagePositionPatient = [float(v) + 30.0 for v in dataset.ImagePositionPatient]
    save(moved, study.root)
    unsized = tuple(replace(s, size=None, mtime_ns=None) for s in study.entry.sources)  # or these would tell
    entry = replace(study.entry, sources=unsized)
    kept = study.work / "out" / "studies" / study.study_id / "image.nii.gz"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"a result")
    (failure,) = export_studies(Batch(study.root, [entry]), study.results, study.work / "out")
    assert failure.code == "changed_file"
    assert [path.name for path in kept.parent.iterdir()] == ["image.nii.gz"]


def test_a_file_that_is_gone_is_named_by_no_path(study: Labelled) -> None:
    next(study.root.glob("*.dcm")).unlink()
    with pytest.raises(MachineError, match="is gone") as caught:
        export_studies(Batch(study.root, [study.entry]), study.results, study.work / "out", Execution(isolate=True))
    assert ".dcm" not in str(caught.value)


def odd_study(tmp_path: Path, change: Callable[[Dataset], None]) -> Labelled:
    datasets = make_series()
    for dataset in datasets:
        change(dataset)
    save(datasets, tmp_path / "in")
    return label(tmp_path / "in", tmp_path)


def errors_of(path: Path) -> list[str]:
    return [line for line in judge(path) if line.startswith("Error")]
