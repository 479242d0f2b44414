"""What INDEX says of one study: all that later stages need to read its images again."""

from dataclasses import dataclass, replace
from typing import Literal

from msgspec import UNSET, UnsetType

from scarnet_cli.dicom.notes import AppliedRule


@dataclass(frozen=True, slots=True)
class Source:
    """Where one slice lies.

    Attributes:
        path: Path below the input's root, or absolute.
        member: Number in the archive at `path`; None for a plain file.
        frame: Index of the frame in a multi-frame object, from 0; None in a classic image.
        size: Bytes of the file, or of the archive, when it was indexed; None where that is not known.
        mtime_ns: When it was last written, likewise, in nanoseconds since 1970.
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
    """What a samplesheet may add to a study.

    Attributes:
        rv_insertion: Anterior RV insertion, LPS x, y, z in mm.
        reference: Path of a NIfTI label map to compare with.
    """

    rv_insertion: tuple[float, float, float] | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class StudyEntry:
    """What INDEX says of one study that can be converted.

    Attributes:
        study_id: Its id.
        digest: Changes when one of its files does, or what its samplesheet row says for measuring it.
        study_instance_uid: Its StudyInstanceUID; None where it is not known, or the study is NIfTI.
        manufacturer: Manufacturer of the scanner.
        kind: Whether its sources are slices in DICOM, or one NIfTI file.
        sources: Where its slices lie, in order of position.
        chosen: SeriesInstanceUIDs of the chosen stack.
        component: What its values are: "psir", "magnitude", "other" or None.
        rules: Rules that were applied on the way.
        flags: Codes of those that a reader of the result should know.
        deidentified: All identifiers here are pseudonyms.
        rv_insertion: Anterior RV insertion, LPS x, y, z in mm.
        reference: Path of a NIfTI label map to compare with, as those of `sources`.
        retry: How often it was tried again after a failure; unset for never.
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
        """Return the entry with what a samplesheet adds."""
        return replace(self, rv_insertion=extras.rv_insertion, reference=extras.reference)
