"""Identity: UIDs and ids of studies, keys of files, and results that are our own."""

import hashlib
import re
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # importing pydicom takes the index longer than reading headers
    from pydicom.uid import UID


# Namespace of the UIDs (RFC 4122, version 5), which are written under 2.25 as DICOM PS3.5 B.2 prescribes.
_UID_SPACE: Final = uuid.UUID("6d1f0a52-9c3b-5e77-8a43-2b9d61c0e4f8")

_UID: Final = re.compile(r"[0-9]+(\.[0-9]+)+")
_LONGEST_UID: Final = 64


def study_id_from_uid(study_instance_uid: str) -> str:
    """Return a study's id: the first 16 hex digits of SHA-256 of its StudyInstanceUID."""
    return hashlib.sha256(study_instance_uid.encode()).hexdigest()[:16]


def is_uid(text: str) -> bool:
    """Tell whether a text is a UID: digits and dots, at most 64."""
    return len(text) <= _LONGEST_UID and _UID.fullmatch(text) is not None


def part_id(study_instance_uid: str, keys: Iterable[str]) -> str:
    """Return the id of a study whose StudyInstanceUID is not unique: a hash of the UID and its first file's key.

    It does not change while that file stays, and holds nothing about the patient.
    """
    return hashlib.sha256(f"{study_instance_uid}/{min(keys)}".encode()).hexdigest()[:16]


def path_key(path: str, member: int | None = None) -> str:
    """Return a file's key in the index's cache: 32 hex digits of SHA-256 of its path and member number.

    Args:
        path: Path of the file relative to the input's root, with forward slashes.
        member: Number of the file in the archive at `path` (see archives.py); None for a plain file.
    """
    text = path if member is None else f"{path}!{member}"
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def make_uid(*parts: object) -> "UID":
    """Return a valid UID derived from `parts`: the same parts give the same UID."""
    from pydicom.uid import UID  # noqa: PLC0415 (see TYPE_CHECKING above)

    return UID(f"2.25.{uuid.uuid5(_UID_SPACE, '/'.join(map(str, parts))).int}")


MANUFACTURER: Final = "scarnet-pipeline"
# Segmentation and structured report.
_MODALITIES: Final = ("SEG", "SR")


def is_own_result(modality: str | None, manufacturer: str | None) -> bool:
    """Tell whether an object is a result of this pipeline and therefore not part of the study."""
    return modality in _MODALITIES and manufacturer == MANUFACTURER
