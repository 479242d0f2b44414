"""De-identify a data set by the Basic Application Level Confidentiality Profile of PS3.15 Annex E, with named options.

The attributes to remove, empty or replace come from a table in the library dicom-anonymizer, made from table E.1-1 of
the standard's edition 2026c. The library's functions are not used: they ignore the content of sequences, draw UIDs at
random, and support no options. Attributes that the table does not list are treated more strictly: prose, persons and
addresses are removed, dates are moved, and each UID that the standard does not define is replaced.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as table
from pydicom.datadict import dictionary_has_tag, keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes
from pydicom.tag import BaseTag, Tag

from scarnet_cli.dicom.datasets import DAMAGE
from scarnet_cli.dicom.deidentification.cleaned_text import cleaned
from scarnet_cli.dicom.deidentification.pseudonyms import OLDEST_YEARS, Pseudonyms
from scarnet_cli.dicom.headers import numbers

EDITION: Final = "2026c"
OPTIONS: Final = (
    codes.cid7050.BasicApplicationConfidentialityProfile,
    codes.cid7050.CleanDescriptorsOption,
    codes.cid7050.RetainLongitudinalTemporalInformationModifiedDatesOption,
    codes.cid7050.RetainPatientCharacteristicsOption,
)
# The table's actions. If it leaves a choice ("X unless Z or D is needed"), the stricter one applies.
_EMPTIED: Final = frozenset(Tag(tag) for tag in table.Z_TAGS)
_DUMMIES: Final = frozenset(Tag(tag) for tag in (*table.D_TAGS, *table.Z_D_TAGS))
_REMOVED: Final = frozenset(
    Tag(tag)
    for tag in (*table.X_TAGS, *table.X_Z_TAGS, *table.X_D_TAGS, *table.X_Z_D_TAGS)
    if len(tag) == 2  # noqa: PLR2004 (longer tags are the repeating groups below)
)
# Curves, and overlays with their labels and descriptions.
_REPEATING_GROUPS: Final = (0x5000, 0x6000)
_REPEATING_MASK: Final = 0xFF00
# Prose, addresses, persons and unknown content are removed even if the table does not list them.
_NEVER: Final = frozenset({"AE", "LT", "PN", "ST", "UC", "UN", "UR", "UT"})
# Numbers stored as text, which pydicom returns as text if they are not valid numbers.
_DECIMALS: Final = frozenset({"DS", "IS"})
_DUMMY: Final = "REMOVED"
_DUMMY_VRS: Final = frozenset({"CS", "LO", "SH"})
# Retain Longitudinal Temporal Information With Modified Dates applies to all dates except those of birth and death.
_UNMOVED: Final = frozenset(
    {
        "PatientBirthDate",
        "PatientBirthTime",
        "PatientBirthDateInAlternativeCalendar",
        "PatientDeathDateInAlternativeCalendar",
    }
)
_TIME: Final = re.compile(r"\d{2,6}(\.\d{1,6})?")
_DATE_TIME: Final = re.compile(r"(\d{8})(\d{0,6}(?:\.\d{1,6})?)([+-]\d{4})?")
_AGE: Final = re.compile(r"(\d{3})([DWMY])")


@dataclass(frozen=True, slots=True)
class _Patient:
    """The patient of a data set."""

    pseudonyms: Pseudonyms
    patient_id: str

    def earlier(self, day: str) -> str | None:
        """Return a date (YYYYMMDD) moved back by the patient's number of days; None if it is not a date."""
        return self.pseudonyms.earlier(day, self.patient_id)


def deidentify(dataset: Dataset, pseudonyms: Pseudonyms) -> Dataset:
    """Return a de-identified copy of a data set, marked as such; the given one is not changed.

    The copy has no private attributes, none that are missing from pydicom's dictionary or cannot be read, no overlays,
    no curves, no preamble, and only the file meta information that a file needs. Pixels stay: images with text burned
    into them are refused when they are read (`burned_in_annotation`).

    Args:
        dataset: A data set; PatientID identifies its patient, or StudyInstanceUID if there is none.
        pseudonyms: Pseudonyms made with the de-identification key.
    """
    named = _text(dataset, "PatientID") or _text(dataset, "StudyInstanceUID")
    result = _cleaned(dataset, _Patient(pseudonyms, named))
    result.PatientIdentityRemoved = "YES"
    result.DeidentificationMethod = f"ScarNet pipeline, PS3.15 Annex E, edition {EDITION}"
    result.DeidentificationMethodCodeSequence = Sequence([_code(option) for option in OPTIONS])
    result.LongitudinalTemporalInformationModified = "MODIFIED"
    meta = getattr(dataset, "file_meta", None)
    if meta is not None:
        result.file_meta = _file_meta(meta, pseudonyms)
    return result


def _text(dataset: Dataset, keyword: str) -> str:
    try:
        return str(dataset.get(keyword) or "").strip()
    except DAMAGE:
        return ""


def _code(option: Any) -> Dataset:  # noqa: ANN401 (pydicom's Code)
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = (
        option.value,
        option.scheme_designator,
        option.meaning,
    )
    return item


def _file_meta(meta: Dataset, pseudonyms: Pseudonyms) -> FileMetaDataset:
    kept = FileMetaDataset()
    for keyword in ("MediaStorageSOPClassUID", "MediaStorageSOPInstanceUID", "TransferSyntaxUID"):
        uid = _text(meta, keyword)
        if uid:
            setattr(kept, keyword, pseudonyms.uid(uid))
    return kept


def _cleaned(dataset: Dataset, patient: _Patient) -> Dataset:
    result = Dataset()
    for tag in sorted(dataset.keys()):
        if _is_foreign(tag):
            continue
        try:
            element = _replacement(dataset[tag], patient)
        except DAMAGE:  # an unreadable attribute cannot be checked
            continue
        if element is not None:
            result.add(element)
    return result


def _is_foreign(tag: BaseTag) -> bool:
    """Tell whether an attribute is removed whatever it holds: private, unknown, group length, curve or overlay."""
    repeating = not tag.is_private and tag.group & _REPEATING_MASK in _REPEATING_GROUPS
    return tag.is_private or repeating or tag.element == 0 or not dictionary_has_tag(tag)


def _replacement(element: DataElement, patient: _Patient) -> DataElement | None:
    """Return an element's replacement; None to remove it."""
    own, moved = _OWN.get(keyword_for_tag(element.tag)), _MOVED.get(element.VR)
    if own is not None:
        return _with(element, own(element.value, patient))
    if moved is not None and keyword_for_tag(element.tag) not in _UNMOVED:
        return _with(element, _each(element.value, lambda text: moved(text, patient)))
    if element.tag in _EMPTIED:
        return DataElement(element.tag, element.VR, [] if element.VR == "SQ" else None)
    if element.VR == "UI":
        return _with(element, _each(element.value, patient.pseudonyms.uid))
    if element.tag in _DUMMIES:
        return _with(element, _DUMMY if element.VR in _DUMMY_VRS else None)
    return None if element.tag in _REMOVED or element.VR in _NEVER else _inside(element, patient)


def _inside(element: DataElement, patient: _Patient) -> DataElement | None:
    """Return an element to keep, with the items of a sequence cleaned; None for a number that is not valid."""
    if element.VR == "SQ":
        return DataElement(element.tag, "SQ", Sequence([_cleaned(item, patient) for item in element.value]))
    text_as_number = element.VR in _DECIMALS and element.value and numbers(_several(element.value)) is None
    return None if text_as_number else element


def _with(element: DataElement, value: Any) -> DataElement | None:  # noqa: ANN401 (what a VR can hold)
    return None if value is None else DataElement(element.tag, element.VR, value)


def _several(value: Any) -> list[Any]:  # noqa: ANN401 (one value or several)
    return [value] if isinstance(value, str) or not hasattr(value, "__iter__") else list(value)


def _each(value: Any, change: Callable[[str], str | None]) -> Any:  # noqa: ANN401 (one value or several)
    """Return one or several values, each passed through `change`; None if it returns None for any of them."""
    if not value:
        return value
    changed = [change(str(one)) for one in _several(value)]
    if None in changed:
        return None
    return changed if len(changed) > 1 else changed[0]


def _moved_date_time(text: str, patient: _Patient) -> str | None:
    """Move the date of a DT. Its time stays; its time zone is removed, since it tells where the patient is."""
    found = _DATE_TIME.fullmatch(text)
    day = patient.earlier(found[1]) if found else None
    return f"{day}{found[2]}" if found and day else None


# Times of day stay if they are valid.
_MOVED: Final[Mapping[str, Callable[[str, _Patient], str | None]]] = {
    "DA": lambda text, patient: patient.earlier(text),
    "DT": _moved_date_time,
    "TM": lambda text, _: text if _TIME.fullmatch(text) else None,
}


def _age(value: Any) -> str | None:  # noqa: ANN401 (as pydicom gives it)
    found = _AGE.fullmatch(str(value))
    if not found:
        return None
    above = found[2] == "Y" and int(found[1]) > OLDEST_YEARS
    return f"{OLDEST_YEARS + 1:03}Y" if above else found[0]


def _number(value: Any) -> Any:  # noqa: ANN401 (as pydicom gives it)
    return value if isinstance(value, float | int) else None


def _pseudonym(_value: object, patient: _Patient) -> str:
    return patient.pseudonyms.patient(patient.patient_id)


def _words(value: Any, _patient: _Patient) -> str:  # noqa: ANN401 (as pydicom gives it)
    return cleaned(str(value or "")).replace("…", "...")  # representable in any character set


# Where the options or this pipeline differ from the table: pseudonyms instead of empty values; Clean Descriptors;
# Retain Patient Characteristics, limited to those that cardiac measures are related to.
_OWN: Final[Mapping[str, Callable[[Any, _Patient], Any]]] = {
    "PatientID": _pseudonym,
    "PatientName": _pseudonym,
    "SeriesDescription": _words,
    "ProtocolName": _words,
    "Manufacturer": _words,
    "PatientSex": lambda value, _: value if value in ("M", "F", "O") else "",
    "PatientAge": lambda value, _: _age(value),
    "PatientSize": lambda value, _: _number(value),
    "PatientWeight": lambda value, _: _number(value),
}
