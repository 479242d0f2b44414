"""A study's records: the entry that INDEX writes for later stages, and the study.json that CONVERT writes."""

from dataclasses import dataclass, replace
from typing import Literal

from msgspec import UNSET, UnsetType

from scarnet_cli.dicom.notes import AppliedRule
from scarnet_cli.stage.records import Geometry
from scarnet_cli.tables.scans import AcquisitionFacts, PatientFacts


@dataclass(frozen=True, slots=True)
class Source:
    """The location of one slice.

    Attributes:
        path: Path relative to the input's root, or absolute.
        member: Number in the archive at `path` (see archives.py); None for a plain file.
        frame: Index of the frame in a multi-frame object, from 0; None in a classic image.
        size: Bytes of the file or archive when it was indexed; None if unknown.
        mtime_ns: Time of its last change when it was indexed, in ns since 1970; None if unknown.
        instance: UIDs of study, series and instance to fetch it by; unset for a file on this machine.
    """

    path: str
    member: int | None = None
    frame: int | None = None
    size: int | None = None
    mtime_ns: int | None = None
    instance: tuple[str, str, str] | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class Extras:
    """Optional values of a study from the samplesheet.

    Attributes:
        rv_insertion: Anterior RV insertion, LPS x, y, z in mm.
        reference: Path of a NIfTI label map to compare with.
    """

    rv_insertion: tuple[float, float, float] | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class StudyEntry:
    """The entry of one study that can be converted.

    Attributes:
        study_id: The study's id.
        digest: Digest of its files and of its values in the samplesheet; changes if any of them does.
        study_instance_uid: Its StudyInstanceUID; None if it is unknown or the study is NIfTI.
        manufacturer: Manufacturer of the scanner.
        kind: "dicom" if its sources are DICOM slices, "nifti" if they are one NIfTI file.
        sources: Its slices, in order of position.
        chosen: SeriesInstanceUIDs of the chosen stack.
        component: Component of its values: "psir", "magnitude", "other" or None.
        rules: Rules that were applied.
        flags: Codes that a reader of the result should know.
        deidentified: Whether all identifiers here are pseudonyms.
        rv_insertion: Anterior RV insertion, LPS x, y, z in mm.
        reference: Path of a NIfTI label map to compare with, given as the paths of `sources` are.
        retry: Number of retries after a failure; unset for none.
    """

    study_id: str
    digest: str
    study_instance_uid: str | None
    manufacturer: str | None
    kind: Literal["dicom", "nifti"]
    sources: tuple[Source, ...]
    chosen: tuple[str, ...]
    component: str | None
    rules: tuple[AppliedRule, ...]
    flags: tuple[str, ...]
    deidentified: bool = False
    rv_insertion: tuple[float, float, float] | None = None
    reference: str | None = None
    retry: int | UnsetType = UNSET

    def with_extras(self, extras: Extras) -> "StudyEntry":
        """Return the entry with a samplesheet's values."""
        return replace(self, rv_insertion=extras.rv_insertion, reference=extras.reference)


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """The content of study.json.

    Attributes:
        study_id: The study's id.
        study_instance_uid: Its StudyInstanceUID; None if it is unknown or the study is NIfTI.
        manufacturer: Manufacturer of the scanner.
        slices: Number of slices.
        spacing_mm: Distance between rows.
        slice_spacing_mm: Distance between slice centres.
        geometry: The grid.
        component: Component of the values: "psir", "magnitude", "other" or None.
        rules: Rules that were applied in choosing and reading the images.
        flags: Codes that a reader of the result should know, sorted.
        rv_insertion: Anterior RV insertion, LPS x, y, z in mm; None if the samplesheet gives none.
        patient_facts: What the headers say of the patient.
        acquisition: What they say of scanner and sequence.
        deidentified: Whether all identifiers here are pseudonyms.
        pipeline_version: Version of the pipeline that wrote it.
    """

    study_id: str
    study_instance_uid: str | None
    manufacturer: str | None
    slices: int
    spacing_mm: float
    slice_spacing_mm: float
    geometry: Geometry
    component: str | None
    rules: tuple[AppliedRule, ...]
    flags: tuple[str, ...]
    rv_insertion: tuple[float, float, float] | None
    patient_facts: PatientFacts
    acquisition: AcquisitionFacts
    deidentified: bool
    pipeline_version: str
