"""How well a cross-validation's certainty holds: probability of scar, 90 % intervals, confidence."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from scarnet_cli.benchmark.calibration import COVERAGE, auc, crps
from scarnet_cli.benchmark.crossval import CaseScore
from scarnet_cli.infer.evidence import doubts_of

# Bounds of the classes of true scar, in percent of the myocardium.
_SIZES: Final = {"under 5 %": (0.0, 5.0), "5 to 10 %": (5.0, 10.0), "over 10 %": (10.0, np.inf)}
_MEASURES: Final = ("scar percent", "scar ml", "MVO percent")
_PERCENT: Final = 100.0
_WORST: Final = 0.1


def certainty_markdown(scores: Sequence[CaseScore]) -> str:
    """Return what the certainty of held-out cases is worth, as Markdown; empty if they have none.

    Every case was judged by a decision that was chosen and calibrated on all others.
    """
    judged = [score for score in scores if score.certainty is not None and score.certainty.margins is not None]
    if len(judged) < len(scores) or not scores:
        return ""
    lines = [*_scar_or_none(scores), "", *_interval_table(scores), "", *_confidence(scores)]
    return "\n".join(lines) + "\n"


def _scar_or_none(scores: Sequence[CaseScore]) -> Iterator[str]:
    has_scar = np.array([score.has_scar for score in scores])
    expected = np.array([score.evidence.expected_scar_percent if score.evidence else 0.0 for score in scores])
    area = auc(expected, has_scar)
    found = np.array([score.scar_percent > 0 for score in scores])
    true = np.array([score.reference_scar_percent for score in scores])
    by_size = (
        f"{found[chosen].sum()} of {chosen.sum()} ({name})"
        for name, (low, high) in _SIZES.items()
        if (chosen := has_scar & (true >= low) & (true < high)).any()
    )
    uncertain = sum(score.certainty is not None and score.certainty.uncertain for score in scores)
    yield f"Scar or none: ROC AUC of expected scar {area:.3f}." if area is not None else "Scar or none: one class only."
    yield f"Hearts with scar found, by true size: {', '.join(by_size)}."
    yield f"Hearts without scar measured as 0: {(~found & ~has_scar).sum()} of {(~has_scar).sum()}."
    yield f"Flagged as uncertain: {uncertain} of {len(scores)}."


def _interval_table(scores: Sequence[CaseScore]) -> Iterator[str]:
    yield f"| {COVERAGE:.0%} interval | covers | with scar | without | mean width | CRPS | CRPS, one width for all |"
    yield "|---|---|---|---|---|---|---|"
    has_scar = np.array([score.has_scar for score in scores])
    for index, (name, measure) in enumerate(zip(_MEASURES, _measured(scores), strict=True)):
        measured, true, doubts, margins = measure
        greatest = np.inf if "ml" in name else _PERCENT
        low, high = np.maximum(measured - margins, 0.0), np.minimum(measured + margins, greatest)
        covered = (true >= low) & (true <= high)
        scaled, fixed = (_mean_crps(measured, true, by, greatest) for by in (doubts, np.ones_like(doubts)))
        shares = (f"{100 * covered[chosen].mean():.1f} %" for chosen in (has_scar | True, has_scar, ~has_scar))
        digits = 2 if index == len(_MEASURES) - 1 else 1
        yield f"| {name} | {' | '.join(shares)} | {(high - low).mean():.{digits}f} | {scaled:.3f} | {fixed:.3f} |"


def _measured(scores: Sequence[CaseScore]) -> Iterator[tuple[NDArray[np.float64], ...]]:
    """Yield for each of `_MEASURES` the measured and the true values, the doubts and the margins, one per case."""
    rows: list[list[tuple[float, float, float, float]]] = []
    for score in scores:
        scar, wall = score.regions["scar"], score.regions["myocardium"]
        assert score.evidence is not None
        assert score.certainty is not None
        assert score.certainty.margins is not None
        doubts, margins = doubts_of(score.evidence, wall.volume_ml), score.certainty.margins
        rows.append(
            [
                (score.scar_percent, score.reference_scar_percent, doubts[0], margins.scar_percent),
                (scar.volume_ml, scar.reference_volume_ml, doubts[1], margins.scar_ml),
                (score.mvo_percent, score.reference_mvo_percent, doubts[2], margins.mvo_percent),
            ]
        )
    for measure in np.array(rows).transpose(1, 2, 0):
        yield tuple(measure)


def _mean_crps(
    measured: NDArray[np.float64], true: NDArray[np.float64], doubts: NDArray[np.float64], greatest: float
) -> float:
    """Return the mean CRPS of all cases, each predicted by its measure and the errors of all others, in both signs."""
    errors = (measured - true) / np.maximum(doubts, np.finfo(float).tiny)
    total = 0.0
    for row, (value, doubt) in enumerate(zip(measured, doubts, strict=True)):
        others = np.delete(errors, row) * doubt
        total += crps(np.clip(value + np.concatenate([others, -others]), 0.0, greatest), true[row])
    return total / len(measured)


def _confidence(scores: Sequence[CaseScore]) -> Iterator[str]:
    confidence = np.array([score.certainty.confidence if score.certainty else np.nan for score in scores])
    worst = max(round(_WORST * len(scores)), 1)
    for region in ("scar", "myocardium"):
        dice = np.array([score.regions[region].dice for score in scores])
        if not np.ptp(dice) or not np.ptp(confidence):
            continue
        both = set(np.argsort(dice, kind="stable")[:worst]) & set(np.argsort(confidence, kind="stable")[:worst])
        rho = spearmanr(confidence, dice)[0]
        yield (
            f"Confidence and Dice of {region}: Spearman {rho:.2f}; of the {worst} cases with the least confidence, "
            f"{len(both)} are among the {worst} with the least Dice."
        )
