"""Predictions on disk: one file per case, so that folds can be predicted separately and scored together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from scarnet_cli.benchmark.crossval import Prediction
from scarnet_cli.cases.cases import Case
from scarnet_cli.errors import InputError
from scarnet_cli.files import atomic_path, read_json, write_json
from scarnet_cli.infer.evidence import Evidence

_RECORD: Final = "evaluation.json"
_FOLDER: Final = "predictions"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One model's predictions for the held-out cases of one or more folds.

    Attributes:
        model: Name shown in tables.
        folds: Number of folds that the cases were dealt to.
        predictions: Sorted by case.
        prompted: Whether it was prompted by boxes (see `systems.PromptedNetwork`).
    """

    model: str
    folds: int
    predictions: tuple[Prediction, ...]
    prompted: bool = False


def write_evaluation(evaluation: Evaluation, out: Path) -> None:
    """Write `out`/predictions/<case id>.npz (labels, scar shares, evidence, fold), then `out`/evaluation.json."""
    for prediction in evaluation.predictions:
        inside = np.nan if prediction.inside_percent is None else prediction.inside_percent
        evidence = () if prediction.evidence is None else astuple(prediction.evidence)
        with atomic_path(out / _FOLDER / f"{prediction.case.case_id}.npz") as temporary:
            np.savez_compressed(
                temporary,
                shares=np.array(list(prediction.labels)),
                labels=np.stack(list(prediction.labels.values())),
                fold=np.array(prediction.fold),
                inside_percent=np.array(inside),
                evidence=np.array(evidence),
            )
    record = {
        "model": evaluation.model,
        "folds": evaluation.folds,
        "prompted": evaluation.prompted,
        "cases": [prediction.case.case_id for prediction in evaluation.predictions],
    }
    write_json(out / _RECORD, record)


def read_evaluation(folder: Path, cases: Mapping[str, Case]) -> Evaluation:
    """Return the evaluation that `write_evaluation` wrote to a folder.

    Args:
        folder: The folder it was written to.
        cases: The evaluated cases by id.

    Raises:
        InputError: The folder holds no evaluation, or one of other cases.
    """
    try:
        record = read_json(folder / _RECORD)
    except FileNotFoundError as error:
        message = f"{folder.name} holds no {_RECORD}; give a folder that `scarnet evaluate` wrote."
        raise InputError("no_evaluation", message) from error
    unknown = sorted(set(record["cases"]) - set(cases))
    if unknown:
        message = f"{folder.name} holds {', '.join(unknown)}, not among the cases; give the cases that it evaluated."
        raise InputError("other_cases", message)
    predictions = [_read(folder / _FOLDER / f"{case_id}.npz", cases[case_id]) for case_id in record["cases"]]
    return Evaluation(record["model"], record["folds"], tuple(predictions), record["prompted"])


def _read(path: Path, case: Case) -> Prediction:
    with np.load(path, allow_pickle=False) as stored:
        shares, labels = stored["shares"].tolist(), stored["labels"]
        fold, inside = int(stored["fold"]), float(stored["inside_percent"])
        if "evidence" not in stored:
            message = f"{path.name} was written by an earlier version; evaluate {case.case_id} again."
            raise InputError("no_evidence", message)
        evidence = stored["evidence"].tolist()
    if labels.shape[1:] != case.image.shape_zyx:
        message = (
            f"{case.case_id}: predicted {labels.shape[1:]}, the case has {case.image.shape_zyx}; evaluate it again."
        )
        raise InputError("other_cases", message)
    return Prediction(
        case,
        fold,
        dict(zip(shares, labels, strict=True)),
        None if np.isnan(inside) else inside,
        Evidence(*evidence) if evidence else None,
    )


def merge_folds(evaluations: Iterable[Evaluation]) -> list[Evaluation]:
    """Return one evaluation per model, of all its folds, in the order in which the models first appear.

    Raises:
        InputError: A model has a case twice, or the models differ in their cases or folds.
    """
    by_model: dict[str, list[Evaluation]] = {}
    for evaluation in evaluations:
        by_model.setdefault(evaluation.model, []).append(evaluation)
    merged = [_merge(model, parts) for model, parts in by_model.items()]
    for other in merged[1:]:
        if _dealt(other) != _dealt(merged[0]):
            message = (
                f"{merged[0].model} and {other.model} were not evaluated on the same cases and folds "
                f"({len(merged[0].predictions)} and {len(other.predictions)} cases); evaluate the same folds of both."
            )
            raise InputError("other_cases", message)
    return merged


def _merge(model: str, parts: Sequence[Evaluation]) -> Evaluation:
    predictions = sorted((p for part in parts for p in part.predictions), key=lambda p: p.case.case_id)
    ids = [prediction.case.case_id for prediction in predictions]
    if len(set(ids)) < len(ids):
        twice = sorted({case_id for case_id in ids if ids.count(case_id) > 1})
        message = f"{model} was evaluated twice on {', '.join(twice)}; name each of its folds once."
        raise InputError("case_twice", message)
    return replace(parts[0], predictions=tuple(predictions))


def _dealt(evaluation: Evaluation) -> tuple[int, dict[str, int]]:
    return evaluation.folds, {p.case.case_id: p.fold for p in evaluation.predictions}
