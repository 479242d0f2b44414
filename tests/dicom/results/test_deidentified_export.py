"""SEG and SR of de-identified studies: pseudonyms, new UIDs and moved dates only, referring to each other alike."""

from pathlib import Path

import pytest
from dicom_series import make_series, save
from exported_study import Labelled, judge, label
from planted import holders, plant, plant_shown, secrets_of
from pydicom import dcmread
from pydicom.dataset import Dataset

from scarnet_cli.dicom.batch import Batch
from scarnet_cli.dicom.deidentification.pseudonyms import Pseudonyms
from scarnet_cli.dicom.results.export_stage import export_studies
from scarnet_cli.errors import InputError
from scarnet_cli.index.index_input import IndexOptions, index_input
from scarnet_cli.tables.parquet import read_table

PSEUDONYMS = Pseudonyms(b"k" * 32)


@pytest.fixture
def sources() -> list[Dataset]:
    series = make_series()
    for dataset in series:
        plant(dataset)
        plant_shown(dataset)
        dataset.PatientSex, dataset.PatientAge = "F", "093Y"
    return series


@pytest.fixture
def study(tmp_path: Path, sources: list[Dataset]) -> Labelled:
    """A study that was indexed, labelled and measured under pseudonyms."""
    save(sources, tmp_path / "in")
    return label(tmp_path / "in", tmp_path / "work", pseudonyms=PSEUDONYMS)


def test_no_object_holds_what_was_planted_and_each_refers_to_the_new_uids(
    study: Labelled, sources: list[Dataset], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert export_studies(Batch(study.root, [study.entry]), study.results, out, pseudonyms=PSEUDONYMS) == []
    files = [path for folder in (out, study.work / "quantify") for path in folder.rglob("*") if path.is_file()]
    assert holders(files, secrets_of(sources)) == {}
    folder = out / "studies" / study.study_id
    segmentation, report = (dcmread(folder / name) for name in ("seg.dcm", "report.dcm"))
    expected = {PSEUDONYMS.uid(source.SOPInstanceUID) for source in sources}
    for dataset in (segmentation, report):
        assert dataset.StudyInstanceUID == study.record["study_instance_uid"]
        assert dataset.PatientID == dataset.PatientName == PSEUDONYMS.patient(sources[0].PatientID)
        assert dataset.PatientIdentityRemoved == "YES"
        assert [c.CodeValue for c in dataset.DeidentificationMethodCodeSequence] == [
            "113100",
            "113105",
            "113107",
            "113108",
        ]
        assert (dataset.PatientSex, dataset.PatientAge, dataset.PatientBirthDate) == ("F", "090Y", "")
        referred = {e.value for e in dataset.iterall() if e.keyword == "ReferencedSOPInstanceUID"}
        assert expected <= referred
    assert [line for name in ("seg.dcm", "report.dcm") for line in judge(folder / name) if "Error" in line] == []


def test_another_key_or_none_is_refused(study: Labelled, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name the key that they were indexed with"):
        export_studies(Batch(study.root, [study.entry]), study.results, tmp_path / "out")
    other = Pseudonyms(b"o" * 32)
    (failure,) = export_studies(Batch(study.root, [study.entry]), study.results, tmp_path / "out", pseudonyms=other)
    assert failure.code == "other_key"
    assert read_table(tmp_path / "out" / "exports.parquet")["code"].to_pylist() == ["other_key"]
    assert not (tmp_path / "out" / "studies").exists()


def test_studies_that_were_indexed_with_their_names_are_not_exported_under_pseudonyms(tmp_path: Path) -> None:
    save(make_series(), tmp_path / "in")
    (study,) = index_input(tmp_path / "in", {}, IndexOptions()).studies
    assert study.entry is not None
    with pytest.raises(InputError, match="indexed without --deidentify"):
        export_studies(Batch(tmp_path / "in", [study.entry]), [], tmp_path / "out", pseudonyms=PSEUDONYMS)
