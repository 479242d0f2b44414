"""Cross-validation: every case is labelled by a system that never saw it, and then scored."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d

from scarnet_cli.benchmark.systems import System
from scarnet_cli.cases.cases import Case
from scarnet_cli.evaluate.region import RegionScore, dice, score_region
from scarnet_cli.image.labels import REGIONS, region_mask
from scarnet_cli.infer.decision import Decision, ExpectedLesions, drop_lesions, scar_percent

# Candidates for the least expected percentage of the myocardium at which a study has scar, or MVO.
LEAST_SCAR: Final = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0)
LEAST_MVO: Final = (0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0)
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
        labels: Scar share -> (z, y, x) labels on the case's grid, before faint scar is dropped (see `Proposal`).
        inside_percent: Percentage of the expert's myocardium inside the crop; None without a crop.
        expected: Scar and MVO that the system expects; None if it gives no such estimate.
    """

    case: Case
    fold: int
    labels: dict[float, NDArray[np.uint8]]
    inside_percent: float | None
    expected: ExpectedLesions | None = None

    def decided(self, decision: Decision) -> NDArray[np.uint8]:
        """Return the label map under a decision."""
        return drop_lesions(self.labels[decision.scar_share], self.expected, decision)[0]


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """The score of each case under each decision; the decision with the best mean over cases is chosen.

    Attributes:
        shares: The scar shares.
        scar: (cases, shares, `LEAST_SCAR`) Dice of scar, less `_MISSED` if an infarct is measured as 0, and less
            `_POINT` for each percentage point of error in scar.
        mvo: (cases, shares, `LEAST_MVO`) Dice of MVO.
    """

    shares: tuple[float, ...]
    scar: NDArray[np.float64]
    mvo: NDArray[np.float64]

    def without(self, row: int) -> "ScoreTable":
        """Return the table without one case."""
        return replace(self, scar=np.delete(self.scar, row, axis=0), mvo=np.delete(self.mvo, row, axis=0))


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
    """Yield a system's predictions for the cases that a fold held out, one at a time."""
    for case in cases:
        proposal = system.segment(case)
        yield Prediction(case, fold, proposal.labels, proposal.inside_percent, proposal.expected)


def score_table(predictions: Sequence[Prediction]) -> ScoreTable | None:
    """Return the scores of each case under each decision, or None if the system leaves nothing to choose.

    Such a system gives a single label map per case, or no estimate of how much scar it expects.
    """
    if not predictions or any(len(p.labels) == 1 or p.expected is None for p in predictions):
        return None
    rows = [_scores_of(prediction) for prediction in predictions]
    shares = tuple(predictions[0].labels)
    return ScoreTable(shares, np.array([scar for scar, _ in rows]), np.array([mvo for _, mvo in rows]))


def choose_decision(table: ScoreTable) -> Decision:
    """Return the decision with the best mean over a table's cases, or the default one without cases."""
    if not len(table.scar):
        return Decision()
    scar, mvo = (convolve1d(part.mean(axis=0), _KERNEL, axis=1, mode="nearest") for part in (table.scar, table.mvo))
    share, least_scar = np.unravel_index(scar.argmax(), scar.shape)
    return Decision(
        scar_share=table.shares[share],
        least_expected_scar_percent=LEAST_SCAR[least_scar],
        least_expected_mvo_percent=LEAST_MVO[int(mvo[share].argmax())],
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


def _scores_of(prediction: Prediction) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return one case's rows of a `ScoreTable`."""
    expected = prediction.expected or ExpectedLesions(0.0, 0.0)
    true = prediction.case.labels.array
    empty, reference = _measures(np.zeros_like(true), true), scar_percent(true)
    scar = np.zeros((len(prediction.labels), len(LEAST_SCAR)))
    mvo = np.zeros((len(prediction.labels), len(LEAST_MVO)))
    for row, labels in enumerate(prediction.labels.values()):
        ours = _measures(labels, true)
        for column, least in enumerate(LEAST_SCAR):
            measured = ours if expected.scar_percent >= least else empty
            missed = measured.scar_percent == 0 and prediction.case.has_scar
            scar[row, column] = measured.scar_dice - _MISSED * missed - _POINT * abs(measured.scar_percent - reference)
        mvo[row] = [(ours if expected.mvo_percent >= least else empty).mvo_dice for least in LEAST_MVO]
    return scar, mvo


@dataclass(frozen=True, slots=True)
class _Measures:
    scar_percent: float
    scar_dice: float
    mvo_dice: float


def _measures(labels: NDArray[np.uint8], true: NDArray[np.integer]) -> _Measures:
    scar, mvo = (dice(region_mask(labels, region), region_mask(true, region)) for region in ("scar", "mvo"))
    return _Measures(scar_percent(labels), scar, mvo)
