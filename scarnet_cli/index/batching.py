"""Cut a cohort into batches by hashes of its study ids, so that adding a study changes only one or two batches."""

import hashlib
from collections.abc import Sequence

from scarnet_cli.errors import InputError


def cut_batches(study_ids: Sequence[str], least: int, greatest: int) -> list[list[str]]:
    """Return the sorted ids in batches of `least` to `greatest` ids (the last may be smaller).

    The hash of an id decides whether a cut follows it (content-defined chunking). With cuts after a fixed number of
    ids, one id more or less would change every later batch; here the batches agree again after the next cut.

    Args:
        study_ids: The ids, in any order; repeated ids count once.
        least: Smallest batch.
        greatest: Largest batch.

    Raises:
        InputError: `least` is below 1 or above `greatest`.
    """
    if not 1 <= least <= greatest:
        message = f"Batch sizes {least} to {greatest} make no sense; at least 1, and the least not above the greatest."
        raise InputError("bad_batch_size", message)
    # Beyond the least size, a cut comes on average half way to the greatest size.
    one_in = max(2, (greatest - least) // 2)
    batches: list[list[str]] = []
    current: list[str] = []
    for study_id in sorted(set(study_ids)):
        current.append(study_id)
        ripe = len(current) >= least and _hash(study_id) % one_in == 0
        if ripe or len(current) >= greatest:
            batches.append(current)
            current = []
    return [*batches, current] if current else batches


def batch_name(study_ids: Sequence[str]) -> str:
    """Return a batch's name, which depends on its first id only."""
    return f"batch-{_hash(study_ids[0]):016x}"


def _hash(study_id: str) -> int:
    return int.from_bytes(hashlib.sha256(study_id.encode()).digest()[:8])
