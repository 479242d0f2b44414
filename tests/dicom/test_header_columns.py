"""What headers say of patient, scanner and sequence: right where it makes sense, mended or absent where not."""

import io
from typing import Any

import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from scarnet_cli.dicom.datasets import read_dataset
from scarnet_cli.dicom.deidentification.deidentify import deidentify
from scarnet_cli.dicom.deidentification.pseudonyms import Pseudonyms
from scarnet_cli.dicom.header_columns import (
    body_surface_m2,
    deidentified_columns,
    patient_id_of,
    read_header_columns,
)
from scarnet_cli.dicom.headers import frame_facts
from scarnet_cli.dicom.study_entry import Source
from scarnet_cli.dicom.whole_files import WholeFile, WholeFiles
from scarnet_cli.tables.scans import AcquisitionFacts, PatientFacts

PSEUDONYMS = Pseudonyms(b"k" * 32)


def header(**values: Any) -> Dataset:  # noqa: ANN401 (what its VR holds)
    dataset = Dataset()
    full = {
        "StudyInstanceUID": "1.2.3",
        "Rows": 4,
        "Columns": 4,
        "PatientID": "P7",
        "StudyDate": "20250304",
        "PatientBirthDate": "19610305",
        "PatientSex": "F",
        "PatientAge": "063Y",
        "PatientSize": "1.6",
        "PatientWeight": "90",
        "ManufacturerModelName": "Aera",
        "MagneticFieldStrength": "1.5",
        "SequenceName": "*tfl2d1_16",
        "InversionTime": "300",
        "SliceThickness": "6",
        "ContrastBolusAgent": "Gadovist",
        "ContrastBolusStartTime": "101500",
        "AcquisitionTime": "102730.5",
    } | values
    for keyword, value in full.items():
        if value is not None:
            setattr(dataset, keyword, value)
    return dataset


def written(dataset: Dataset) -> Dataset:
    """Return a data set as it comes from a file: raw, so that wrong values are met when they are used."""
    file = FileDataset("", dataset, file_meta=FileMetaDataset(), preamble=bytes(128))
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = io.BytesIO()
    file.save_as(buffer)
    buffer.seek(0)
    return read_dataset(buffer)


def files_of(*headers: Dataset) -> tuple[WholeFiles, list[Source]]:
    names = [str(number) for number in range(len(headers))]
    files: WholeFiles = {
        (name, None): WholeFile(one, frame_facts(one)) for name, one in zip(names, headers, strict=True)
    }
    return files, [Source(name) for name in names]


def read(*headers: Dataset) -> tuple[PatientFacts, AcquisitionFacts, list[str]]:
    patient, acquisition, notes = read_header_columns(*files_of(*headers), slice_spacing_mm=8.0)
    return patient, acquisition, [note.code for note in notes]


def test_columns_are_what_the_header_says() -> None:
    patient, acquisition, notes = read(header(), header(InversionTime="310"), header(InversionTime="330"))
    assert patient == PatientFacts("2025-03-04", "F", 63.0, 160.0, 90.0, 2.0)  # sqrt(160 x 90 / 3600) = 2
    assert acquisition == AcquisitionFacts("Aera", 1.5, "*tfl2d1_16", 310.0, 6.0, 2.0, "Gadovist", 12.51)
    assert notes == []


@pytest.mark.parametrize(
    ("values", "column", "expected", "note"),
    [
        ({"PatientAge": "000Y", "PatientBirthDate": None}, "patient_age_years", None, None),
        ({"PatientAge": "000Y"}, "patient_age_years", 63.0, None),  # the day before the 64th birthday
        ({"PatientAge": None, "PatientBirthDate": "19610304"}, "patient_age_years", 64.0, None),
        ({"PatientAge": None, "PatientBirthDate": "20260101"}, "patient_age_years", None, None),
        ({"PatientAge": "63"}, "patient_age_years", 63.0, None),
        ({"PatientAge": "018M"}, "patient_age_years", 1.5, None),
        ({"PatientAge": "old", "PatientBirthDate": "1961"}, "patient_age_years", None, None),
        ({"PatientWeight": "0"}, "patient_weight_kg", None, None),
        ({"PatientWeight": "0"}, "bsa_m2", None, None),
        ({"PatientWeight": "90000"}, "patient_weight_kg", None, None),
        ({"PatientSize": "160"}, "patient_height_cm", 160.0, "height_in_cm"),
        ({"PatientSize": "0"}, "patient_height_cm", None, None),
        ({"PatientSize": "1600"}, "patient_height_cm", None, None),
        ({"PatientSex": "female"}, "patient_sex", None, None),
        ({"PatientSex": "m"}, "patient_sex", "M", None),
        ({"StudyDate": "2025.03.04"}, "study_date", "2025-03-04", None),
        ({"StudyDate": "20251340"}, "study_date", None, None),
        ({"MagneticFieldStrength": "15000"}, "field_strength_t", 1.5, "field_in_gauss"),
        ({"MagneticFieldStrength": "0"}, "field_strength_t", None, None),
        ({"InversionTime": "0"}, "inversion_time_ms", None, None),
        ({"SliceThickness": "10"}, "slice_gap_mm", -2.0, None),
        ({"SliceThickness": None}, "slice_gap_mm", None, None),
        ({"SequenceName": None, "PulseSequenceName": "B-TFE"}, "sequence_name", "B-TFE", None),
        ({"ContrastBolusAgent": "NONE"}, "contrast_agent", None, None),
        ({"ContrastBolusStartTime": "110000"}, "after_injection_min", None, None),
        ({"ContrastBolusStartTime": "noon"}, "after_injection_min", None, None),
        ({"ContrastBolusStartTime": None}, "after_injection_min", None, None),
        ({"AcquisitionTime": None}, "after_injection_min", None, None),
    ],
)
def test_a_value_that_makes_no_sense_is_mended_or_absent(
    values: dict[str, str | None], column: str, expected: object, note: str | None
) -> None:
    patient, acquisition, notes = read(written(header(**values)))
    found = getattr(patient, column) if hasattr(patient, column) else getattr(acquisition, column)
    assert (found, notes) == (expected, [note] if note else [])


def test_a_frame_of_a_multi_frame_image_is_read_with_its_groups_and_coded_agent() -> None:
    def item(**values: Any) -> Sequence:  # noqa: ANN401 (what its VR holds)
        one = Dataset()
        for keyword, value in values.items():
            setattr(one, keyword, value)
        return Sequence([one])

    agent = item(CodeMeaning="Gadoterate", ContrastAdministrationProfileSequence=item(ContrastBolusStartTime="102000"))
    top = header(SliceThickness=None, ContrastBolusAgent=None, ContrastBolusStartTime=None, NumberOfFrames="1")
    top.ContrastBolusAgentSequence = agent
    top.SharedFunctionalGroupsSequence = item(PixelMeasuresSequence=item(SliceThickness="7"))
    top.PerFrameFunctionalGroupsSequence = item(FrameContentSequence=item(StackID="1"))
    files: WholeFiles = {("a", None): WholeFile(top, frame_facts(top))}
    _, acquisition, _ = read_header_columns(files, [Source("a", None, 0)], 8.0)
    assert (acquisition.slice_thickness_mm, acquisition.contrast_agent) == (7.0, "Gadoterate")
    assert acquisition.after_injection_min == 7.51


def test_deidentified_columns_have_the_date_of_written_dicom_and_no_strange_words() -> None:
    one = header(
        PatientAge="094Y", ManufacturerModelName="Aera Doe", SequenceName="DOE", ContrastBolusAgent="Gadovist for Doe"
    )
    files, sources = files_of(one)
    patient, acquisition, _ = read_header_columns(files, sources, 8.0)
    patient, acquisition = deidentified_columns(patient, acquisition, PSEUDONYMS, patient_id_of(files, sources))
    moved = deidentify(one, PSEUDONYMS)
    assert (patient.study_date or "").replace("-", "") == moved.StudyDate
    assert patient.study_date != "2025-03-04"
    assert (patient.patient_age_years, moved.PatientAge) == (90.0, "090Y")
    assert (patient.patient_sex, patient.patient_height_cm, patient.patient_weight_kg) == ("F", 160.0, 90.0)
    texts = (acquisition.scanner_model, acquisition.sequence_name, acquisition.contrast_agent)
    assert texts == ("Aera …", "…", "Gadovist for …")
    without_key, _ = deidentified_columns(patient, acquisition, None, "")
    assert without_key.study_date is None


def test_the_body_has_no_surface_where_height_or_weight_is_unknown() -> None:
    assert body_surface_m2(180.0, 80.0) == pytest.approx(2.0)
    assert body_surface_m2(None, 80.0) is None
    assert body_surface_m2(180.0, None) is None
