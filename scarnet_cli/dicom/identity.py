"""Names that hold no names: a study's id and a file's key are hashes, and UIDs are made from what they stand for."""

import hashlib
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # pydicom costs the index more than its headers do
    from pydicom.uid import UID

# UIDs come from names in this space (RFC 4122, version 5), written under 2.25 as DICOM PS3.5 B.2 lays down.
_UID_SPACE: Final = uuid.UUID("6d1f0a52-9c3b-5e77-8a43-2b9d61c0e4f8")


def study_id_from_uid(study_instance_uid: str) -> str:
    """Return the first 16 hex digits of SHA-256 of a StudyInstanceUID."""
    return hashlib.sha256(study_instance_uid.encode()).hexdigest()[:16]


def part_id(study_instance_uid: str, keys: Iterable[str]) -> str:
    """Return the id of a study that no StudyInstanceUID is the name of: a hash of it and the first of its files' keys.

    It stays while that file stays; nothing of what the files say of a patient is in it.
    """
    return hashlib.sha256(f"{study_instance_uid}/{min(keys)}".encode()).hexdigest()[:16]


def path_key(path: str, member: int | None = None) -> str:
    """Return the key of a file in the index's cache: 32 hex digits of SHA-256 of its path and archive member.

    Args:
        path: Path of the file below the input's root, with forward slashes.
        member: Index of the file in the archive at `path`, from 0; None for a plain file.
    """
    text = path if member is None else f"{path}!{member}"
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def make_uid(*parts: object) -> "UID":
    """Return a valid UID made from `parts`: the same parts give the same UID."""
    from pydicom.uid import UID  # noqa: PLC0415 (see TYPE_CHECKING above)

    return UID(f"2.25.{uuid.uuid5(_UID_SPACE, '/'.join(map(str, parts))).int}")
