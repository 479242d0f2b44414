"""Cross-validation: every case is labelled by a system that never saw it, and then scored."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d

from scarnet_cli.benchmark.calibration import conformal_multiple, fit_scar_probability
from scarnet_cli.benchmark.systems import System
from scarnet_cli.cases.cases import Case
from scarnet_cli.evaluate.region import RegionScore, dice_of_region, score_region
from scarnet_cli.image.labels import REGIONS, region_mask
from scarnet_cli.infer.decision import Decision, decide, drop_small_mvo, mvo_percent, scar_percent
from scarnet_cli.infer.evidence import Certainty, Evidence, doubts_of, judge

# Candidates for the least expected percentage of the myocardium at which a study has scar, and for the least percentage
# at which a piece of MVO is one.
LEAST_SCAR: Final = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0)
LEAST_MVO: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0)
# A threshold that depends on a few cases is a bad choice, so each is averaged with its neighbours.
_KERNEL: Final = (0.25, 0.5, 0.25)
# Penalty, in Dice, for an error of one percentage point of scar, since the percentage is what is reported.
_POINT: Final = 0.01
# Penalty, in Dice, for an infarct measured as 0 when thresholds are chosen: it is worse than a badly drawn faint
# infarct or a little scar in a normal heart.
_MISSED: Final = 0.5


@dataclass(frozen=True, slots=True)
class Prediction:
    """A system's prediction for one held-out case.

    Attributes:
        case: The case with the expert's labels.
        fold: The fold that held it out.
        labels: Scar share -> (z, y, x) undecided labels on the case's grid (see `Proposal`).
        inside_percent: Percentage of the expert's myocardium inside the crop; None without a crop.
        evidence: What the system's probabilities say; None if it gives none.
    """

    case: Case
    fold: int
    labels: dict[float, NDArray[np.uint8]]
    inside_percent: float | None
    evidence: Evidence | None = None

    def decided(self, decision: Decision) -> NDArray[np.uint8]:
        """Return the label map under a decision."""
        expected = None if self.evidence is None else self.evidence.expected_scar_percent
        return decide(self.labels[decision.scar_share], expected, decision)[0]


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """The score of each case under each decision, and what calibrates the decision with the best mean over cases.

    Attributes:
        shares: The scar shares.
        scar: (cases, shares, `LEAST_SCAR`) Dice of scar, less `_MISSED` if an infarct is measured as 0, and less
            `_POINT` for each percentage point of error in scar.
        mvo: (cases, shares, `LEAST_MVO`) Dice of MVO where scar is not dropped.
        expected: (cases,) expected scar in percent of the myocardium.
        drawn: (cases, shares, `LEAST_MVO`, 3) scar percent, scar in ml and MVO percent where scar is not dropped.
        true: (cases, 3) the expert's.
        doubts: (cases, 3) what their margins are multiples of.
    """

    shares: tuple[float, ...]
    scar: NDArray[np.float64]
    mvo: NDArray[np.float64]
    expected: NDArray[np.float64]
    drawn: NDArray[np.float64]
    true: NDArray[np.float64]
    doubts: NDArray[np.float64]

    def without(self, row: int) -> "ScoreTable":
        """Return the table without one case."""
        arrays = {f.name: np.delete(getattr(self, f.name), row, axis=0) for f in fields(self) if f.name != "shares"}
        return replace(self, **arrays)


@dataclass(frozen=True, slots=True)
class CaseScore:
    """Scores of one case; `regions` has an entry for each of `REGIONS`, `certainty` is None without probabilities."""

    case_id: str
    fold: int
    has_scar: bool
    decision: Decision
    inside_percent: float | None
    regions: dict[str, RegionScore]
    scar_percent: float
    reference_scar_percent: float
    mvo_percent: float
    reference_mvo_percent: float
    evidence: Evidence | None
    certainty: Certainty | None


def predict(system: System, cases: Iterable[Case], fold: int) -> Iterator[Prediction]:
    """Yield a system's predictions for the cases that a fold held out, one at a time."""
    for case in cases:
        proposal = system.segment(case)
        yield Prediction(case, fold, proposal.labels, proposal.inside_percent, proposal.evidence)


def score_table(predictions: Sequence[Prediction]) -> ScoreTable | None:
    """Return the scores of each case under each decision, or None if the system leaves nothing to choose.

    Such a system gives a single label map per case, or no estimate of how much scar it expects.
    """
    if not predictions or any(len(p.labels) == 1 or p.evidence is None for p in predictions):
        return None
    rows = [_row_of(prediction) for prediction in predictions]
    return ScoreTable(tuple(predictions[0].labels), *(np.array(column) for column in zip(*rows, strict=True)))


def choose_decision(table: ScoreTable) -> Decision:
    """Return the decision with the best mean over a table's cases, calibrated, or the default one without cases."""
    if not len(table.scar):
        return Decision()
    scar = convolve1d(table.scar.mean(axis=0), _KERNEL, axis=1, mode="nearest")
    share, column = np.unravel_index(scar.argmax(), scar.shape)
    least_scar = LEAST_SCAR[column]
    kept = (table.expected >= least_scar)[:, None]
    mvo = np.where(kept, table.mvo[:, share], table.true[:, 2:] == 0)
    mvo_column = int(convolve1d(mvo.mean(axis=0), _KERNEL, mode="nearest").argmax())
    has_scar = table.true[:, 0] > 0
    even, slope = fit_scar_probability(table.expected, has_scar) or (None, None)
    measured = table.drawn[:, share, mvo_column] * kept
    # Normal hearts measured as such have no error: with them, the intervals of the others would be too narrow.
    scarred = has_scar | (measured[:, 0] > 0)
    margins = [
        conformal_multiple(measured[scarred, index] - table.true[scarred, index], table.doubts[scarred, index])
        for index in range(measured.shape[1])
    ]
    return Decision(
        scar_share=table.shares[share],
        least_expected_scar_percent=least_scar,
        least_mvo_percent=LEAST_MVO[mvo_column],
        even_scar_percent=even,
        scar_slope=slope,
        scar_margin=margins[0],
        scar_ml_margin=margins[1],
        mvo_margin=margins[2],
    )


def score_cases(predictions: Sequence[Prediction], table: ScoreTable | None) -> list[CaseScore]:
    """Return the scores of all cases, each under the decision chosen on all other cases, sorted by case.

    `table` is the predictions' `score_table`.
    """
    scores = [
        score_case(p, choose_decision(table.without(row)) if table else Decision(scar_share=next(iter(p.labels))))
        for row, p in enumerate(predictions)
    ]
    return sorted(scores, key=lambda score: score.case_id)


def score_case(prediction: Prediction, decision: Decision) -> CaseScore:
    """Score one case under a decision."""
    case, labels, evidence = prediction.case, prediction.decided(decision), prediction.evidence
    return CaseScore(
        case_id=case.case_id,
        fold=prediction.fold,
        has_scar=case.has_scar,
        decision=decision,
        inside_percent=prediction.inside_percent,
        regions={region: score_region(labels, case.labels, region) for region in REGIONS},
        scar_percent=scar_percent(labels),
        reference_scar_percent=scar_percent(case.labels.array),
        mvo_percent=mvo_percent(labels),
        reference_mvo_percent=mvo_percent(case.labels.array),
        evidence=evidence,
        certainty=None if evidence is None else judge(evidence, labels, case.image.voxel_ml, decision),
    )


def _row_of(prediction: Prediction) -> tuple[NDArray[np.float64], ...]:
    """Return one case's entries of a `ScoreTable`, in the order of its arrays."""
    case, evidence = prediction.case, prediction.evidence or Evidence()
    true = case.labels.array
    dropped_score, reference = _scar_score(np.zeros_like(true), true), _measures(true, case)
    scar = np.zeros((len(prediction.labels), len(LEAST_SCAR)))
    mvo = np.zeros((len(prediction.labels), len(LEAST_MVO)))
    drawn = np.zeros((*mvo.shape, len(reference)))
    for row, labels in enumerate(prediction.labels.values()):
        drawn_score = _scar_score(labels, true)
        scar[row] = np.where(evidence.expected_scar_percent >= np.array(LEAST_SCAR), drawn_score, dropped_score)
        for column, least in enumerate(LEAST_MVO):
            kept = drop_small_mvo(labels, least)
            mvo[row, column] = dice_of_region(kept, true, "mvo")
            drawn[row, column] = _measures(kept, case)
    any_labels = next(iter(prediction.labels.values()))  # the myocardium's outline is the same under every share
    myocardium_ml = case.image.voxel_ml * np.count_nonzero(region_mask(any_labels, "myocardium"))
    doubts = np.array(doubts_of(evidence, myocardium_ml))
    return scar, mvo, np.array(evidence.expected_scar_percent), drawn, reference, doubts


def _scar_score(labels: NDArray[np.uint8], true: NDArray[np.uint8]) -> float:
    percent, reference = scar_percent(labels), scar_percent(true)
    missed = percent == 0 and reference > 0
    return dice_of_region(labels, true, "scar") - _MISSED * missed - _POINT * abs(percent - reference)


def _measures(labels: NDArray[np.uint8], case: Case) -> NDArray[np.float64]:
    """Return scar percent, scar in ml and MVO percent of a case's labels."""
    scar_ml = case.image.voxel_ml * np.count_nonzero(region_mask(labels, "scar"))
    return np.array([scar_percent(labels), scar_ml, mvo_percent(labels)])
