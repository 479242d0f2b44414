"""What the headers of the measured slices say for `scans`: the patient's body, the scanner, how the images were made.

Values that no patient or scanner has count as absent; those in another unit are mended, with a note.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from statistics import median
from typing import TYPE_CHECKING, Final, get_args

from pydicom.dataset import Dataset

from scarnet_cli.dicom.datasets import bounded_value
from scarnet_cli.dicom.deidentification.cleaned_text import cleaned, scanner_words
from scarnet_cli.dicom.deidentification.pseudonyms import OLDEST_YEARS
from scarnet_cli.dicom.facts import FrameFacts
from scarnet_cli.dicom.headers import clock_seconds, first, layers_of, number_of, text
from scarnet_cli.dicom.notes import Note
from scarnet_cli.dicom.study_entry import Source
from scarnet_cli.dicom.whole_files import WholeFiles
from scarnet_cli.tables.scans import AcquisitionFacts, PatientFacts, Sex

if TYPE_CHECKING:
    from scarnet_cli.dicom.deidentification.pseudonyms import Pseudonyms

Bounds = tuple[float, float]
_AGE: Final = re.compile(r"(\d{1,3})([DWMY])")
_PER_YEAR: Final = {"D": 365.25, "W": 365.25 / 7, "M": 12, "Y": 1}
_AGE_YEARS: Final = (1e-3, 120.0)
_HEIGHT_M: Final = (0.3, 2.5)
_CM_PER_M: Final = 100
_WEIGHT_KG: Final = (1.0, 400.0)
_FIELD_T: Final = (0.05, 12.0)
_GAUSS_PER_T: Final = 10_000
_INVERSION_MS: Final = (10.0, 5000.0)
_THICKNESS_MM: Final = (0.1, 50.0)
_DELAY_MIN: Final = (0.0, 120.0)
_NO_AGENT: Final = frozenset({"no", "none", "n", "n/a", "na", "without", "unknown", "0"})
# Names of sequences as scanners make them, such as *tfl2d1_16; others may be anyone's words.
_MADE_NAME: Final = re.compile(r"\*?[a-z]{1,4}[23]d\d{0,3}(_\d{1,4})?[a-z]{0,4}")


def read_header_columns(
    files: WholeFiles, sources: Sequence[Source], slice_spacing_mm: float
) -> tuple[PatientFacts, AcquisitionFacts, list[Note]]:
    """Return what the headers of a stack say, and what was mended; the patient is that of its first slice.

    Args:
        files: Its files, read whole.
        sources: Its slices.
        slice_spacing_mm: Distance between their centres.
    """
    layers = [layers_of(files[source.path, source.member].dataset, source.frame) for source in sources]
    facts = [files[source.path, source.member].frames[source.frame or 0] for source in sources]
    notes: list[Note] = []
    return _patient(layers[0], notes), _acquisition(layers, facts, slice_spacing_mm, notes), notes


def patient_id_of(files: WholeFiles, sources: Sequence[Source]) -> str:
    """Return by whom a stack's dates move: its PatientID, or its StudyInstanceUID if there is none."""
    dataset = files[sources[0].path, sources[0].member].dataset
    return text(dataset, "PatientID") or text(dataset, "StudyInstanceUID") or ""


def deidentified_columns(
    patient: PatientFacts, acquisition: AcquisitionFacts, pseudonyms: "Pseudonyms | None", patient_id: str
) -> tuple[PatientFacts, AcquisitionFacts]:
    """Return the same without what identifies: the date moved as in written DICOM, ages above 89 as 90, known words.

    Args:
        patient: What is known of the patient.
        acquisition: What is known of the images.
        pseudonyms: They move the date; without them there is none.
        patient_id: By whom it moves; see `patient_id_of`.
    """
    age, day = patient.patient_age_years, patient.study_date
    moved = pseudonyms.earlier(day.replace("-", ""), patient_id) if pseudonyms and day else None
    scanner, sequence, agent = acquisition.scanner_model, acquisition.sequence_name, acquisition.contrast_agent
    made = sequence is not None and _MADE_NAME.fullmatch(sequence)
    return (
        replace(
            patient,
            study_date=_iso(moved),
            patient_age_years=OLDEST_YEARS + 1.0 if age is not None and age > OLDEST_YEARS else age,
        ),
        replace(
            acquisition,
            scanner_model=scanner and cleaned(scanner, scanner_words()),
            sequence_name=sequence if made else sequence and cleaned(sequence),
            contrast_agent=agent and cleaned(agent),
        ),
    )


def body_surface_m2(height_cm: float | None, weight_kg: float | None) -> float | None:
    """Return the area of the body's surface, sqrt(cm x kg / 3600); None unless both are known.

    R. D. Mosteller, N Engl J Med 1987;317:1098, doi 10.1056/NEJM198710223171717.
    """
    return None if height_cm is None or weight_kg is None else (height_cm * weight_kg / 3600) ** 0.5


def _patient(layers: Sequence[Dataset], notes: list[Note]) -> PatientFacts:
    height_cm = _height_cm(layers, notes)
    weight_kg = _within(first(layers, "PatientWeight", number_of), _WEIGHT_KG)
    sex = (first(layers, "PatientSex", text) or "").upper()
    return PatientFacts(
        study_date=_iso(first(layers, "StudyDate", text)),
        patient_sex=next((known for known in get_args(Sex) if known == sex), None),
        patient_age_years=_age_years(layers),
        patient_height_cm=height_cm,
        patient_weight_kg=weight_kg,
        bsa_m2=body_surface_m2(height_cm, weight_kg),
    )


def _acquisition(
    layers: Sequence[Sequence[Dataset]], facts: Sequence[FrameFacts], slice_spacing_mm: float, notes: list[Note]
) -> AcquisitionFacts:
    thickness_mm = _middle(_within(first(one, "SliceThickness", number_of), _THICKNESS_MM) for one in layers)
    agent, start = _injection(layers[0])
    begun = [fact.acquired_s for fact in facts if fact.acquired_s is not None]
    delay_min = None if start is None or not begun else round((min(begun) - start) / 60, 2)
    return AcquisitionFacts(
        scanner_model=first(layers[0], "ManufacturerModelName", text),
        field_strength_t=_field_t(layers[0], notes),
        sequence_name=first(layers[0], "SequenceName", text) or first(layers[0], "PulseSequenceName", text),
        inversion_time_ms=_middle(_within(fact.inversion_ms, _INVERSION_MS) for fact in facts),
        slice_thickness_mm=thickness_mm,
        slice_gap_mm=None if thickness_mm is None else round(slice_spacing_mm - thickness_mm, 3),
        contrast_agent=agent,
        after_injection_min=_within(delay_min, _DELAY_MIN),
    )


def _height_cm(layers: Sequence[Dataset], notes: list[Note]) -> float | None:
    height_m = first(layers, "PatientSize", number_of)
    if height_m is not None and _within(height_m / _CM_PER_M, _HEIGHT_M):
        notes.append(Note("height_in_cm", "PatientSize, which is in metres, was taken for centimetres."))
        return height_m
    known = _within(height_m, _HEIGHT_M)
    return None if known is None else round(known * _CM_PER_M, 3)


def _field_t(layers: Sequence[Dataset], notes: list[Note]) -> float | None:
    field_t = first(layers, "MagneticFieldStrength", number_of)
    if field_t is not None and _within(field_t / _GAUSS_PER_T, _FIELD_T):
        notes.append(Note("field_in_gauss", "MagneticFieldStrength, which is in tesla, was taken for gauss."))
        return field_t / _GAUSS_PER_T
    return _within(field_t, _FIELD_T)


def _age_years(layers: Sequence[Dataset]) -> float | None:
    """Return PatientAge, or whole years from birth to study."""
    if written := _AGE.fullmatch((first(layers, "PatientAge", text) or "").upper()):
        years = _within(int(written[1]) / _PER_YEAR[written[2]], _AGE_YEARS)
        if years is not None:
            return round(years, 2)
    born, seen = (_day(first(layers, keyword, text)) for keyword in ("PatientBirthDate", "StudyDate"))
    if born is None or seen is None:
        return None
    before_birthday = (seen.month, seen.day) < (born.month, born.day)
    return _within(float(seen.year - born.year - before_birthday), _AGE_YEARS)


def _injection(layers: Sequence[Dataset]) -> tuple[str | None, float | None]:
    """Return the contrast agent, and when it was first given, in s since midnight."""
    agents = first(layers, "ContrastBolusAgentSequence", bounded_value) or []
    profiles = [one for agent in agents for one in bounded_value(agent, "ContrastAdministrationProfileSequence") or []]
    agent = first(layers, "ContrastBolusAgent", text) or first(agents, "CodeMeaning", text)
    start = first([*layers, *profiles], "ContrastBolusStartTime", text)
    return None if agent is None or agent.lower() in _NO_AGENT else agent, clock_seconds(start)


def _middle(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(median(known)) if known else None


def _within(value: float | None, bounds: Bounds) -> float | None:
    return value if value is not None and bounds[0] <= value <= bounds[1] else None


def _day(stamp: str | None) -> date | None:
    try:
        return date.fromisoformat((stamp or "").replace(".", ""))
    except ValueError:
        return None


def _iso(stamp: str | None) -> str | None:
    day = _day(stamp)
    return day.isoformat() if day else None
