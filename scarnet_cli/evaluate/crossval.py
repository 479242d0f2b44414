"""Cross-validation: every case is labelled by a system that never saw it, then scored."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.evaluate.overlap import dice
from scarnet_cli.evaluate.region import RegionScore, score_region
from scarnet_cli.evaluate.systems import System
from scarnet_cli.image.labels import REGIONS, region_mask
from scarnet_cli.infer.decision import (
    Decision,
    drop_faint_scar,
    drop_little_mvo,
    percent_of_myocardium,
    scar_percent,
)
from scarnet_cli.train.cases import Case

LEAST_PERCENTS: Final = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0)
LEAST_MVO_PERCENTS: Final = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
# What an infarct measured as 0 costs beside its Dice, where thresholds are chosen: it is worse than a faint one drawn
# badly, or than a normal heart with a little scar.
_MISSED: Final = 0.5


@dataclass(frozen=True, slots=True)
class Prediction:
    """One held-out case with what a system made of it.

    Attributes:
        case: The case with the expert's labels.
        fold: The fold that held it out.
        labels: Scar share -> (z, y, x) labels on the case's grid, before faint scar is dropped (see `Proposal`).
        inside_percent: Part of the expert's myocardium that the crop holds; None without a crop.
    """

    case: Case
    fold: int
    labels: dict[float, NDArray[np.uint8]]
    inside_percent: float | None

    @property
    def candidates(self) -> tuple[Decision, ...]:
        """The decisions to choose among; one, which changes nothing, where there is a single label map."""
        if len(self.labels) == 1:
            return (Decision(scar_share=next(iter(self.labels))),)
        return tuple(Decision(share, least) for share, least in product(self.labels, LEAST_PERCENTS))

    def decided(self, decision: Decision) -> NDArray[np.uint8]:
        """Return the label map under a decision."""
        labels = drop_faint_scar(self.labels[decision.scar_share], decision.least_scar_percent)[0]
        return drop_little_mvo(labels, decision.least_mvo_percent)


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """What each case would score under each decision; the best mean over cases is chosen.

    Attributes:
        scar: (cases, candidates) Dice of scar, less `_MISSED` where an infarct is measured as 0.
        mvo: (cases, candidates, `LEAST_MVO_PERCENTS`) Dice of MVO.
    """

    scar: NDArray[np.float64]
    mvo: NDArray[np.float64]

    def without(self, row: int) -> "ScoreTable":
        """Return the table of all cases but one."""
        return ScoreTable(np.delete(self.scar, row, axis=0), np.delete(self.mvo, row, axis=0))


@dataclass(frozen=True, slots=True)
class CaseScore:
    """Scores of one case; `regions` has an entry for each of `REGIONS`."""

    case_id: str
    fold: int
    has_scar: bool
    decision: Decision
    inside_percent: float | None
    regions: dict[str, RegionScore]
    scar_percent: float
    reference_scar_percent: float


def predict(system: System, cases: Iterable[Case], fold: int) -> Iterator[Prediction]:
    """Yield what a system makes of the cases that a fold held out, one at a time."""
    for case in cases:
        proposal = system.segment(case)
        yield Prediction(case, fold, proposal.labels, proposal.inside_percent)


def score_table(predictions: Sequence[Prediction]) -> ScoreTable:
    """Return the scores of every case under each candidate decision of one system."""
    rows = [_scores_of(prediction) for prediction in predictions]
    return ScoreTable(np.array([scar for scar, _ in rows]), np.array([mvo for _, mvo in rows]))


def choose_decision(table: ScoreTable, candidates: Sequence[Decision]) -> Decision:
    """Return the candidate with the best mean over a table's cases, and with it the best least size of MVO.

    Without cases it is the default one; of a single candidate nothing is chosen.
    """
    if not len(table.scar):
        return Decision()
    best = int(table.scar.mean(axis=0).argmax())
    if len(candidates) == 1:
        return candidates[best]
    least_mvo = LEAST_MVO_PERCENTS[int(table.mvo[:, best].mean(axis=0).argmax())]
    return replace(candidates[best], least_mvo_percent=least_mvo)


def common_decision(predictions: Sequence[Prediction], table: ScoreTable) -> Decision | None:
    """Return the decision chosen on all cases, for weights to keep; None of a system that leaves nothing to choose.

    `table` is the predictions' `score_table`.
    """
    if not predictions or len(candidates := predictions[0].candidates) == 1:
        return None
    return choose_decision(table, candidates)


def score_cases(predictions: Sequence[Prediction], table: ScoreTable) -> list[CaseScore]:
    """Score every case under the decision chosen on all other cases, so that no case takes part in choosing its own.

    `table` is the predictions' `score_table`.
    """
    scores = [
        score_case(prediction, choose_decision(table.without(row), prediction.candidates))
        for row, prediction in enumerate(predictions)
    ]
    return sorted(scores, key=lambda score: score.case_id)


def score_case(prediction: Prediction, decision: Decision) -> CaseScore:
    """Score one case under a decision."""
    case, labels = prediction.case, prediction.decided(decision)
    return CaseScore(
        case_id=case.case_id,
        fold=prediction.fold,
        has_scar=case.has_scar,
        decision=decision,
        inside_percent=prediction.inside_percent,
        regions={region: score_region(labels, case.labels, region) for region in REGIONS},
        scar_percent=scar_percent(labels),
        reference_scar_percent=scar_percent(case.labels.array),
    )


def _scores_of(prediction: Prediction) -> tuple[list[float], list[list[float]]]:
    """Return one case's row of a `ScoreTable`: of each candidate the scar's score, and the MVO's by its least size."""
    true = prediction.case.labels.array
    measured = {share: _measures(labels, true) for share, labels in prediction.labels.items()}
    empty = _measures(np.zeros_like(true), true)
    scar_row, mvo_row = [], []
    for candidate in prediction.candidates:
        ours = measured[candidate.scar_share]
        if ours.scar_percent < candidate.least_scar_percent:
            ours = empty
        missed = ours.scar_percent == 0 and prediction.case.has_scar
        scar_row.append(ours.scar_dice - _MISSED * missed)
        mvo_row.append([(ours if ours.mvo_percent >= p else empty).mvo_dice for p in LEAST_MVO_PERCENTS])
    return scar_row, mvo_row


@dataclass(frozen=True, slots=True)
class _Measures:
    scar_percent: float
    scar_dice: float
    mvo_percent: float
    mvo_dice: float


def _measures(labels: NDArray[np.uint8], true: NDArray[np.integer]) -> _Measures:
    scar, mvo = (dice(region_mask(labels, region), region_mask(true, region)) for region in ("scar", "mvo"))
    return _Measures(scar_percent(labels), scar, percent_of_myocardium(labels, "mvo"), mvo)
