"""Nothing that identifies survives in a data set, wherever it stands; what stays has a reason."""

from datetime import date
from io import BytesIO
from typing import Any

import pydicom
import pytest
from dicom_series import make_series
from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as table
from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import UID, MRImageStorage

from scarnet_cli.dicom.deidentification.deidentify import deidentify
from scarnet_cli.dicom.deidentification.pseudonyms import MOST_DAYS, Pseudonyms

PSEUDONYMS = Pseudonyms(b"k" * 32)
OTHER_KEY = Pseudonyms(b"o" * 32)
SECRET = "PHI"
# A value for each VR that can hold one; of the numbers a digit sequence that a search finds.
PLANTED: dict[str, Any] = {
    **dict.fromkeys(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"), SECRET),
    **dict.fromkeys(("OB", "OD", "OF", "OL", "OV", "OW", "UN"), b"PHIPHI--" * 2),
    **{"AS": "041Y", "DA": "19440229", "DT": "19440229101500+0100", "TM": "101500", "UI": "1.2.3.4440229"},
    **{"DS": "4440229", "IS": "4440229", "FL": 4440229.0, "FD": 4440229.0, "SL": 4440229, "UL": 4440229},
    **{"SV": 4440229, "UV": 4440229, "SS": 4440, "US": 4440, "AT": Tag(0x00100010)},
}
# The profile's table lists every attribute of the standard that may identify. Of those that it does not list, these VRs
# stay: codes, short technical text, numbers and binary data. All others never stay.
STAY_UNLISTED = {"CS", "LO", "SH", "SQ", "AT", "DS", "IS", "FL", "FD", "SL", "SS", "UL", "US", "SV", "UV"} | {
    *("OB", "OD", "OF", "OL", "OV", "OW"),
}


def test_no_listed_attribute_and_no_prose_of_the_dictionary_survives() -> None:
    survivors = {
        Tag(tag)
        for tag in DicomDictionary
        if (vr := dictionary_VR(tag).split(" or ")[-1]) in PLANTED
        and holds_planted(deidentify(holding(tag, vr), PSEUDONYMS), tag, vr)
    }
    listed = {Tag(tag) for tag in table.ALL_TAGS if len(tag) == 2}
    kept_by_an_option = {"PatientAge", "PatientSize", "PatientWeight"}
    times = {Tag(tag) for tag in DicomDictionary if dictionary_VR(tag) == "TM"} - {Tag("PatientBirthTime")}
    assert {keyword_for_tag(tag) for tag in survivors & listed - times} == kept_by_an_option
    assert {dictionary_VR(tag).split(" or ")[-1] for tag in survivors - listed - times} <= STAY_UNLISTED
    assert len(survivors) > 1000  # the rest of the standard: it would be easy to remove all


def holding(tag: int, vr: str) -> Dataset:
    dataset = Dataset()
    dataset.add(DataElement(Tag(tag), vr, PLANTED[vr]))
    return dataset


def holds_planted(dataset: Dataset, tag: int, vr: str) -> bool:
    return tag in dataset and dataset[tag].value == holding(tag, vr)[tag].value


def test_nothing_planted_anywhere_is_in_the_written_file() -> None:
    dataset = full_of_secrets()
    written = BytesIO()
    pydicom.dcmwrite(written, deidentify(dataset, PSEUDONYMS), enforce_file_format=True)
    content = written.getvalue()
    assert SECRET.encode() not in content
    for secret in (b"19440229", b"20210304", b"1.2.840.99", b"Secret", b"S-1"):
        assert secret not in content
    read = pydicom.dcmread(BytesIO(content))
    assert read.PixelData == dataset.PixelData
    assert (read.Rows, read.ImagePositionPatient) == (dataset.Rows, dataset.ImagePositionPatient)
    assert not any(element.tag.is_private for element in read.iterall())


def full_of_secrets() -> Dataset:
    """Return an image with secrets in attributes of many kinds, private ones, overlays, sequences and file meta."""
    dataset = make_series()[0]
    dataset.preamble = b"PHI-preamble".ljust(128, b"\0")
    dataset.file_meta.SourceApplicationEntityTitle = "PHI-AE"
    dataset.file_meta.PrivateInformationCreatorUID = UID("1.2.840.99.3")
    dataset.file_meta.PrivateInformation = b"PHI-meta"
    for keyword in ("ImageComments", "PatientComments", "StudyComments", "DerivationDescription", "StudyDescription"):
        setattr(dataset, keyword, f"PHI {keyword}")
    dataset.SeriesDescription, dataset.ProtocolName = "PHI LGE_SAX_PSIR 19440229", "PHI^protocol"
    dataset.Manufacturer, dataset.PatientSex = "PHI Ltd", "PHI"
    dataset.OtherPatientIDs, dataset.InstitutionName, dataset.StationName = ["PHI-1", "PHI-2"], "PHI hospital", "PHI"
    dataset.private_block(0x0019, "PHI MAKER", create=True).add_new(0x01, "LO", "PHI-private")
    dataset.private_block(0x7FE1, "PHI MAKER", create=True).add_new(0x01, "OB", b"PHI-private-pixels")
    dataset.add_new(0x60000022, "LO", "PHI overlay")
    dataset.add_new(0x60003000, "OW", b"PHI-overlay-data")
    dataset.add_new(0x50000030, "SH", "PHI curve")
    dataset.add_new(0x00080000, "UL", 44)
    dataset.add_new(0x00091001, "UN", b"PHI-unknown")
    inner = Dataset()
    inner.PatientName, inner.ReferencedSOPInstanceUID, inner.TextValue = "PHI^deep", "1.2.840.99.5", "PHI deep text"
    inner.PatientBirthDate, inner.ContentDate = "19440229", "20210304"
    inner.private_block(0x0029, "PHI MAKER", create=True).add_new(0x01, "UT", "PHI-deep-private")
    for _ in range(5):
        outer = Dataset()
        outer.PurposeOfReferenceCodeSequence = [inner]
        outer.RequestingPhysician = "PHI^physician"
        inner = outer
    dataset.ReferencedImageSequence = [inner]
    dataset.RequestAttributesSequence = [inner]
    return dataset


def test_the_given_data_set_stays_as_it_is() -> None:
    dataset = full_of_secrets()
    before = dataset.to_json()
    deidentify(dataset, PSEUDONYMS)
    assert dataset.to_json() == before
    assert dataset.preamble.startswith(b"PHI")


def test_uids_are_replaced_alike_everywhere_and_those_of_the_standard_stay() -> None:
    dataset = make_series()[0]
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = MRImageStorage, dataset.SOPInstanceUID
    dataset.ReferencedImageSequence = [reference]
    result = deidentify(dataset, PSEUDONYMS)
    (referred,) = result.ReferencedImageSequence
    assert result.SOPInstanceUID == referred.ReferencedSOPInstanceUID == result.file_meta.MediaStorageSOPInstanceUID
    assert result.SOPInstanceUID == PSEUDONYMS.uid(dataset.SOPInstanceUID) != dataset.SOPInstanceUID
    assert result.SOPClassUID == referred.ReferencedSOPClassUID == MRImageStorage
    assert UID(result.SOPInstanceUID).is_valid
    assert len(result.SOPInstanceUID) <= 64


def test_dates_keep_their_intervals_within_a_patient_and_times_stay() -> None:
    first, second = make_series()[0], make_series()[0]
    second.StudyDate, second.AcquisitionDateTime = "20220304", "20220304101500.5+0100"
    a, b = (deidentify(dataset, PSEUDONYMS) for dataset in (first, second))
    days = [date.fromisoformat(d.StudyDate) for d in (a, b)]
    assert (days[1] - days[0]).days == 365
    assert 1 <= (date(2021, 3, 4) - days[0]).days <= MOST_DAYS
    assert b.AcquisitionDateTime == f"{b.StudyDate}101500.5"
    assert a.AcquisitionTime == first.AcquisitionTime
    assert a.PatientBirthDate is None or a.PatientBirthDate == ""
    second.PatientID = "S-2"
    assert deidentify(second, PSEUDONYMS).StudyDate != b.StudyDate


def test_a_patient_has_one_pseudonym_for_a_key() -> None:
    first, other = make_series()[0], make_series(study="1.2.3")[0]
    other.PatientID = " S-1 "
    assert deidentify(first, PSEUDONYMS).PatientID == deidentify(other, PSEUDONYMS).PatientID
    assert deidentify(first, PSEUDONYMS).PatientID == PSEUDONYMS.patient("S-1")
    assert deidentify(first, PSEUDONYMS).PatientName == PSEUDONYMS.patient("S-1")
    assert deidentify(first, OTHER_KEY).PatientID != PSEUDONYMS.patient("S-1")


def test_the_data_set_says_how_it_was_de_identified() -> None:
    result = deidentify(make_series()[0], PSEUDONYMS)
    assert result.PatientIdentityRemoved == "YES"
    assert result.LongitudinalTemporalInformationModified == "MODIFIED"
    assert "2026c" in result.DeidentificationMethod
    found = [item.CodeValue for item in result.DeidentificationMethodCodeSequence]
    assert found == ["113100", "113105", "113107", "113108"]
    assert {item.CodingSchemeDesignator for item in result.DeidentificationMethodCodeSequence} == {"DCM"}


@pytest.mark.parametrize(("age", "kept"), [("041Y", "041Y"), ("089Y", "089Y"), ("097Y", "090Y"), ("006M", "006M")])
def test_great_age_is_told_as_ninety(age: str, kept: str) -> None:
    dataset = make_series()[0]
    dataset.PatientAge = age
    assert deidentify(dataset, PSEUDONYMS).PatientAge == kept


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("StudyDate", "PHI"), ("StudyTime", "PHI"), ("AcquisitionDateTime", "PHI"), ("PatientAge", "PHI")],
)
def test_a_value_that_is_none_of_its_kind_goes(keyword: str, value: str) -> None:
    dataset = make_series()[0]
    dataset.add(DataElement(keyword, dictionary_VR(keyword), value))
    assert keyword not in deidentify(dataset, PSEUDONYMS)


def test_an_attribute_that_cannot_be_read_goes() -> None:
    written = BytesIO()
    dataset = make_series()[0]
    dataset.SliceThickness = "12345678"
    pydicom.dcmwrite(written, dataset, enforce_file_format=True)
    damaged = pydicom.dcmread(BytesIO(written.getvalue().replace(b"12345678", b"PHI-1944")))
    assert "SliceThickness" not in deidentify(damaged, PSEUDONYMS)
