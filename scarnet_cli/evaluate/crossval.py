"""Cross-validation: every case is labelled by a system that never saw it, then scored."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.evaluate.overlap import dice
from scarnet_cli.evaluate.region import RegionScore, score_region
from scarnet_cli.evaluate.systems import System
from scarnet_cli.image.labels import REGIONS, region_mask
from scarnet_cli.infer.decision import Decision, drop_faint_scar, scar_percent
from scarnet_cli.train.cases import Case

LEAST_PERCENTS: Final = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)


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
        return drop_faint_scar(self.labels[decision.scar_share], decision.least_scar_percent)[0]


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


def score_table(predictions: Sequence[Prediction]) -> NDArray[np.float64]:
    """Return the scar Dice of every case (rows) under each candidate decision (columns) of one system."""
    rows = [[_scar_dice(prediction, decision) for decision in prediction.candidates] for prediction in predictions]
    return np.array(rows)


def choose_decision(table: NDArray[np.float64], candidates: Sequence[Decision]) -> Decision:
    """Return the candidate with the best mean scar Dice over a score table's cases; without cases, the default one."""
    if not len(table):
        return Decision()
    return candidates[int(table.mean(axis=0).argmax())]


def common_decision(predictions: Sequence[Prediction], table: NDArray[np.float64]) -> Decision | None:
    """Return the decision chosen on all cases, for weights to keep; None of a system that leaves nothing to choose.

    `table` is the predictions' `score_table`.
    """
    if not predictions or len(candidates := predictions[0].candidates) == 1:
        return None
    return choose_decision(table, candidates)


def score_cases(predictions: Sequence[Prediction], table: NDArray[np.float64]) -> list[CaseScore]:
    """Score every case under the decision chosen on all other cases, so that no case takes part in choosing its own.

    `table` is the predictions' `score_table`.
    """
    scores = [
        score_case(prediction, choose_decision(np.delete(table, row, axis=0), prediction.candidates))
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


def _scar_dice(prediction: Prediction, decision: Decision) -> float:
    return dice(region_mask(prediction.decided(decision), "scar"), region_mask(prediction.case.labels.array, "scar"))
