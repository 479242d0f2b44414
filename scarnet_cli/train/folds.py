"""Cross-validation folds: patients are split, never slices."""

from collections.abc import Sequence

import numpy as np


def split_folds(case_ids: Sequence[str], has_scar: Sequence[bool], folds: int, seed: int = 0) -> list[list[str]]:
    """Return the held-out case ids of each fold, sorted; folds have about equal shares of cases with and without scar.

    The split depends on the ids, not on their order, so that every command finds the same folds.

    Raises:
        ValueError: There are fewer cases than folds.
    """
    if len(case_ids) < folds:
        message = f"{len(case_ids)} cases cannot be split into {folds} folds."
        raise ValueError(message)
    generator = np.random.default_rng(seed)
    dealt: list[str] = []
    for group in (True, False):
        members = sorted(c for c, scar in zip(case_ids, has_scar, strict=True) if scar == group)
        dealt += [members[i] for i in generator.permutation(len(members))]
    return [sorted(dealt[fold::folds]) for fold in range(folds)]
