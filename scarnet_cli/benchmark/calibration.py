"""Calibration on held-out cases: the probability of scar, and the margins of the 90 % intervals."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import mannwhitneyu

from scarnet_cli.infer.decision import LEAST_EXPECTED_PERCENT

# Part of the experts' values that an interval should hold.
COVERAGE: Final = 0.9
# Penalty on the slope: without it, cases that a threshold parts without error would make every probability 0 or 1.
_RIDGE: Final = 0.1
_LEAST_DOUBT: Final = 1e-6
_GREATEST_MULTIPLE: Final = 1000.0
_WHOLE_PERCENT: Final = 100.0


def fit_scar_probability(
    expected_percent: NDArray[np.float64], has_scar: NDArray[np.bool_]
) -> tuple[float, float] | None:
    """Return the expected scar at which scar is as likely as not, and the slope of the log odds.

    A logistic regression on the logarithm of expected scar, with a penalty on the slope.

    Args:
        expected_percent: (cases,) scar that each case's probabilities lead to expect, in percent of the myocardium.
        has_scar: (cases,) whether the expert drew scar.

    Returns:
        Both parameters of `Decision.scar_probability`, or None unless there are cases with and without scar, and those
        with scar have more expected scar: that of a poorly trained network tells nothing.
    """
    if has_scar.all() or not has_scar.any():
        return None
    log_expected = np.log(np.maximum(expected_percent, LEAST_EXPECTED_PERCENT))
    sign = np.where(has_scar, 1.0, -1.0)

    def loss(parameters: NDArray[np.float64]) -> float:
        even, slope = parameters
        return float(np.logaddexp(0.0, -sign * slope * (log_expected - even)).sum() + _RIDGE * slope**2 / 2)

    even, slope = minimize(loss, [float(np.median(log_expected)), 1.0], method="Nelder-Mead").x
    told = slope > 0 and even < np.log(_WHOLE_PERCENT)
    return (float(np.exp(even)), float(slope)) if told else None


def conformal_multiple(errors: NDArray[np.float64], doubts: NDArray[np.float64]) -> float | None:
    """Return the multiple of a case's doubt that holds the error of a new case with probability `COVERAGE`.

    Split conformal prediction with errors scaled by the doubt (J. Lei et al., J Am Stat Assoc 2018;113:1094-1111,
    doi:10.1080/01621459.2017.1307116).

    Args:
        errors: (cases,) measured minus true value.
        doubts: (cases,) what the margin is a multiple of.

    Returns:
        The multiple; None if there are too few cases for that coverage, or if the errors have nothing to do with the
        doubts, as in a network that is sure of what is wrong.
    """
    rank = int(np.ceil(COVERAGE * (len(errors) + 1)))
    if rank > len(errors):
        return None
    multiple = float(np.sort(np.abs(errors) / np.maximum(doubts, _LEAST_DOUBT))[rank - 1])
    return multiple if multiple <= _GREATEST_MULTIPLE else None


def crps(samples: NDArray[np.float64], true: float) -> float:
    """Return the continuous ranked probability score of a prediction given as samples; smaller is better.

    Mean distance to the truth less half the mean distance between samples (T. Gneiting and A. E. Raftery, J Am Stat
    Assoc 2007;102:359-378, doi:10.1198/016214506000001437).
    """
    return float(np.abs(samples - true).mean() - np.abs(samples[:, None] - samples).mean() / 2)


def auc(values: NDArray[np.float64], positive: NDArray[np.bool_]) -> float | None:
    """Return the area under the ROC curve of values for a class; None unless both classes are there."""
    if positive.all() or not positive.any():
        return None
    wins = mannwhitneyu(values[positive], values[~positive]).statistic
    return float(wins / (positive.sum() * (~positive).sum()))
