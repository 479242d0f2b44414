"""Cross-validation folds: patients are split, never slices."""

import csv
import io
from collections.abc import Sequence

import numpy as np

from scarnet_cli.cases.cases import Case
from scarnet_cli.errors import InputError


def deal_cases(cases: Sequence[Case], folds: int) -> list[list[str]]:
    """Return the held-out case ids of each fold, sorted; all cases of a patient are in one fold.

    Raises:
        InputError: There are fewer patients than folds.
    """
    patients = sorted({case.patient_id for case in cases})
    if len(patients) < folds:
        message = f"{len(patients)} patient(s) cannot be dealt to {folds} folds; ask for fewer, or add cases."
        raise InputError("too_many_folds", message)
    scarred = {case.patient_id for case in cases if case.has_scar}
    dealt = split_folds(patients, [patient in scarred for patient in patients], folds)
    return [sorted(case.case_id for case in cases if case.patient_id in held_out) for held_out in dealt]


def held_out_ids(cases: Sequence[Case], folds: int, fold: int) -> list[str]:
    """Return the case ids that one fold holds out, sorted.

    Raises:
        InputError: There is no such fold, or there are fewer patients than folds.
    """
    require_fold(fold, folds)
    return deal_cases(cases, folds)[fold]


def require_fold(fold: int, folds: int) -> None:
    """Require a fold's number to be in range.

    Raises:
        InputError: It is not.
    """
    if fold not in range(folds):
        message = f"--fold {fold} is not one of the {folds} folds, which count from 0."
        raise InputError("wrong_fold", message)


def folds_csv(cases: Sequence[Case], folds: int) -> str:
    """Return a CSV, a row per case: its patient, whether it has scar, the fold that holds it out, its SHA-256."""
    number = {case_id: fold for fold, held_out in enumerate(deal_cases(cases, folds)) for case_id in held_out}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["case", "patient", "has_scar", "fold", "sha256"])
    for case in cases:
        scar = str(case.has_scar).lower()
        writer.writerow([case.case_id, case.patient_id, scar, number[case.case_id], case.sha256])
    return text.getvalue()


def split_folds(case_ids: Sequence[str], has_scar: Sequence[bool], folds: int, seed: int = 0) -> list[list[str]]:
    """Return the held-out case ids of each fold, sorted; folds have about equal shares of cases with and without scar.

    The split depends on the ids, not on their order, so that every command gets the same folds.

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
