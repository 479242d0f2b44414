"""Cross-validation: every case is segmented by the networks of the fold that held it out, then scored."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.errors import ModelError
from scarnet_cli.evaluate.overlap import dice, region_dice
from scarnet_cli.image.labels import region_mask
from scarnet_cli.image.resample import resample_classes, resample_to
from scarnet_cli.image.volume import Volume
from scarnet_cli.infer.decision import Decision, drop_faint_scar, scar_percent
from scarnet_cli.infer.localise import crop_heart
from scarnet_cli.infer.segment import segment_crops, undecided_labels
from scarnet_cli.model.weights import TrainedNetwork, load_weights
from scarnet_cli.train.cases import Case
from scarnet_cli.train.loop import WEIGHTS

SCAR_SHARES: Final = (0.3, 0.4, 0.5, 0.6, 0.7)
LEAST_PERCENTS: Final = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
CANDIDATES: Final = tuple(Decision(share, least) for share in SCAR_SHARES for least in LEAST_PERCENTS)


@dataclass(frozen=True, slots=True)
class Prediction:
    """One held-out case: its label map for every scar share tried, before faint scar is dropped.

    Attributes:
        case: The case with the expert's labels.
        fold: The fold that held it out.
        labels: Scar share -> (z, y, x) labels on the case's grid.
        inside_percent: Part of the expert's myocardium that the crop holds.
    """

    case: Case
    fold: int
    labels: dict[float, NDArray[np.uint8]]
    inside_percent: float


@dataclass(frozen=True, slots=True)
class CaseScore:
    """Scores of one case."""

    case_id: str
    fold: int
    has_scar: bool
    decision: Decision
    inside_percent: float
    dice: dict[str, float]
    scar_percent: float
    reference_scar_percent: float


def fold_networks(localiser_run: Path, segment_run: Path, fold: int) -> tuple[TrainedNetwork, TrainedNetwork]:
    """Return the localiser and the segmentation network of one fold.

    Raises:
        ModelError: One of them is not trained yet.
    """
    return load_weights(localiser_run / f"fold_{fold}" / WEIGHTS), load_weights(segment_run / f"fold_{fold}" / WEIGHTS)


def predict_case(case: Case, fold: int, localiser: TrainedNetwork, segmenter: TrainedNetwork) -> Prediction:
    """Crop and segment one case. A case without a heart found counts as empty, not as left out."""
    myocardium = region_mask(case.labels.array, "myocardium")
    try:
        crop = crop_heart(case.image, localiser).image
    except ModelError:
        empty = np.zeros(case.image.shape_zyx, np.uint8)
        return Prediction(case, fold, dict.fromkeys(SCAR_SHARES, empty), inside_percent=0.0)
    probability = resample_classes(segment_crops([crop], segmenter)[0], crop, case.image)
    labels = {share: undecided_labels(probability, share) for share in SCAR_SHARES}
    return Prediction(case, fold, labels, _inside_percent(myocardium, crop, case.image))


def _inside_percent(myocardium: NDArray[np.bool_], crop: Volume, image: Volume) -> float:
    """Return how much of a mask on the image's grid lies inside the crop."""
    inside = resample_to(crop.with_array(np.ones(crop.shape_zyx, np.float32)), image, "nearest").array > 0
    return 100.0 * np.count_nonzero(myocardium & inside) / max(np.count_nonzero(myocardium), 1)


def scar_dice(prediction: Prediction, decision: Decision) -> float:
    """Return the scar Dice of one case under a decision."""
    labels, _ = drop_faint_scar(prediction.labels[decision.scar_share], decision.least_scar_percent)
    return dice(region_mask(labels, "scar"), region_mask(prediction.case.labels.array, "scar"))


def score_table(predictions: Sequence[Prediction]) -> NDArray[np.float64]:
    """Return the scar Dice of every case (rows) under each of `CANDIDATES` (columns)."""
    return np.array([[scar_dice(prediction, decision) for decision in CANDIDATES] for prediction in predictions])


def choose_decision(table: NDArray[np.float64]) -> Decision:
    """Return the candidate with the best mean scar Dice over the cases of a score table."""
    return CANDIDATES[int(table.mean(axis=0).argmax())]


def score_cases(predictions: Sequence[Prediction]) -> list[CaseScore]:
    """Score every case under the decision chosen on all other cases, so that no case takes part in choosing its own."""
    table = score_table(predictions)
    scores = [_score(p, choose_decision(np.delete(table, row, axis=0))) for row, p in enumerate(predictions)]
    return sorted(scores, key=lambda score: score.case_id)


def _score(prediction: Prediction, decision: Decision) -> CaseScore:
    case = prediction.case
    labels, _ = drop_faint_scar(prediction.labels[decision.scar_share], decision.least_scar_percent)
    return CaseScore(
        case_id=case.case_id,
        fold=prediction.fold,
        has_scar=case.has_scar,
        decision=decision,
        inside_percent=prediction.inside_percent,
        dice=region_dice(labels, case.labels.array),
        scar_percent=scar_percent(labels),
        reference_scar_percent=scar_percent(case.labels.array),
    )
