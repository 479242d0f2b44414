"""Names that hold no names: a study's id and a file's key are hashes."""

import hashlib


def study_id_from_uid(study_instance_uid: str) -> str:
    """Return the first 16 hex digits of SHA-256 of a StudyInstanceUID."""
    return hashlib.sha256(study_instance_uid.encode()).hexdigest()[:16]


def path_key(path: str, member: int | None = None) -> str:
    """Return the key of a file in the index's cache: 32 hex digits of SHA-256 of its path and archive member.

    Args:
        path: Path of the file below the input's root, with forward slashes.
        member: Place of the file in the archive at `path`, from 0; None for a plain file.
    """
    text = path if member is None else f"{path}!{member}"
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]
