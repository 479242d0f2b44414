"""Agreement of measures across cases: of a model's with the expert's, or of two readers'."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

# 95 % of normally distributed differences lie within this many standard deviations of their mean.
_LIMIT_SD: Final = 1.96
_LEAST_PAIRS: Final = 2
# Quantile of the F distribution at an end of a 95 % interval.
_IN_INTERVAL: Final = 0.975


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of paired measures; a statistic that they do not define is None.

    Attributes:
        bias: Mean of ours minus reference, in the measures' unit.
        lower_limit: Lower limit of agreement, bias - 1.96 SD of the differences.
        upper_limit: Upper limit of agreement, bias + 1.96 SD.
        bias_percent: The bias in percent of the mean reference.
        cov_percent: Coefficient of variation: SD of the differences in percent of the mean reference.
        icc: Intraclass correlation ICC(2,1).
        ccc: Concordance correlation coefficient.
    """

    bias: float
    lower_limit: float | None
    upper_limit: float | None
    bias_percent: float | None
    cov_percent: float | None
    icc: float | None
    ccc: float | None


def agreement(ours: Sequence[float], reference: Sequence[float]) -> Agreement:
    """Return bias, limits of agreement, coefficient of variation and ICC of pairs of measures.

    The limits follow Bland and Altman 1986 (doi:10.1016/S0140-6736(86)90837-8). The coefficient of variation is that of
    reproducibility studies in cardiac MRI, SD of the differences over the mean (Grothues et al. 2002,
    doi:10.1016/S0002-9149(02)02381-0). They divide by the mean of both readings; we divide by the reference's mean,
    which a model's bias does not change. One pair has no limits; with a mean reference of 0 there are no percentages.

    Raises:
        ValueError: There are no pairs, or the lists differ in length.
    """
    if not ours or len(ours) != len(reference):
        message = f"{len(ours)} measures cannot be paired with {len(reference)}."
        raise ValueError(message)
    differences = np.subtract(ours, reference)
    bias, mean = float(differences.mean()), float(np.mean(reference))
    spread = float(differences.std(ddof=1)) if len(ours) >= _LEAST_PAIRS else None
    return Agreement(
        bias=bias,
        lower_limit=None if spread is None else bias - _LIMIT_SD * spread,
        upper_limit=None if spread is None else bias + _LIMIT_SD * spread,
        bias_percent=100.0 * bias / mean if mean else None,
        cov_percent=100.0 * spread / mean if mean and spread is not None else None,
        icc=icc_2_1(np.column_stack([ours, reference])),
        ccc=concordance(np.asarray(ours, float), np.asarray(reference, float)),
    )


def concordance(ours: NDArray[np.float64], reference: NDArray[np.float64]) -> float | None:
    """Return the concordance correlation coefficient of (n,) pairs; None if all values are equal.

    Twice the covariance over the sum of both variances and the squared difference of the means: L. I. Lin, Biometrics
    1989;45:255-268, doi:10.2307/2532051.
    """
    spread = ours.var() + reference.var() + (ours.mean() - reference.mean()) ** 2
    covariance = ((ours - ours.mean()) * (reference - reference.mean())).mean()
    return float(2.0 * covariance / spread) if spread else None


def icc_2_1(ratings: NDArray[np.floating]) -> float | None:
    """Return ICC(2,1): absolute agreement of single ratings, with both raters and targets drawn at random.

    It is (BMS - EMS) / (BMS + (k - 1) EMS + k (JMS - EMS) / n), from the mean squares between targets (BMS), between
    judges (JMS) and of the residual (EMS): Shrout and Fleiss 1979 (doi:10.1037/0033-2909.86.2.420).

    Args:
        ratings: Array (n targets, k judges).

    Returns:
        The coefficient; None with fewer than two targets or judges, or if all ratings are equal.
    """
    if min(ratings.shape) < _LEAST_PAIRS:
        return None
    return _icc(_mean_squares(ratings))


def icc_interval(ratings: NDArray[np.floating]) -> tuple[float, float] | None:
    """Return the 95 % interval of ICC(2,1), None where that is None.

    Of Shrout and Fleiss 1979, as McGraw and Wong 1996 write it (doi:10.1037/1082-989X.1.1.30, table 7, case 2A). No
    small library has it: pingouin does, and brings scikit-learn, seaborn and xarray.
    """
    if (icc := icc_2_1(ratings)) is None:
        return None
    if icc == 1.0:
        return 1.0, 1.0
    from scipy.stats import f  # noqa: PLC0415 (only where it is used: it takes a second to import)

    n, k = ratings.shape
    squares = _mean_squares(ratings)
    weights = k * icc / (n * (1.0 - icc)), 1.0 + k * icc * (n - 1) / (n * (1.0 - icc))
    judges, rest = weights[0] * squares.judges, weights[1] * squares.rest
    freedom = (judges + rest) ** 2 / (judges**2 / (k - 1) + rest**2 / ((n - 1) * (k - 1)))
    within = k * squares.judges + (k * n - k - n) * squares.rest
    below, above = f.ppf(_IN_INTERVAL, n - 1, freedom), f.ppf(_IN_INTERVAL, freedom, n - 1)
    low = n * (squares.targets - below * squares.rest) / (below * within + n * squares.targets)
    high = n * (above * squares.targets - squares.rest) / (within + n * above * squares.targets)
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class _MeanSquares:
    """Mean squares of (n targets, k judges): between targets, between judges, of the residual."""

    shape: tuple[int, int]
    targets: float
    judges: float
    rest: float


def _mean_squares(ratings: NDArray[np.floating]) -> _MeanSquares:
    n, k = ratings.shape
    mean = ratings.mean()
    of_target, of_judge = ratings.mean(axis=1, keepdims=True), ratings.mean(axis=0, keepdims=True)
    between_targets = k * float(((of_target - mean) ** 2).sum()) / (n - 1)
    between_judges = n * float(((of_judge - mean) ** 2).sum()) / (k - 1)
    rest = float(((ratings - of_target - of_judge + mean) ** 2).sum()) / ((n - 1) * (k - 1))
    return _MeanSquares((n, k), between_targets, between_judges, rest)


def _icc(squares: _MeanSquares) -> float | None:
    n, k = squares.shape
    total = squares.targets + (k - 1) * squares.rest + k * (squares.judges - squares.rest) / n
    return (squares.targets - squares.rest) / total if total else None


@dataclass(frozen=True, slots=True)
class Kappa:
    """Cohen's kappa with its 95 % interval, whose ends are None where a study left out leaves no kappa."""

    value: float
    low: float | None
    high: float | None


def cohens_kappa(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Kappa | None:
    """Return Cohen's kappa of two readers' answers (n studies, m questions of each); None where no answers vary.

    (p_o - p_e) / (1 - p_e), p_o being the part that agrees and p_e the part that agrees by chance: J. Cohen 1960
    (doi:10.1177/001316446002000104). The interval is kappa +- 1.96 standard errors by the jackknife, which leaves out
    one study at a time (J. L. Fleiss and M. Davies, Am J Epidemiol 1982;115:841-845), as several answers of a study are
    not independent; it is cut at -1 and 1.
    """
    pairs = np.stack([first & second, first & ~second, ~first & second, ~first & ~second], axis=-1)
    counts = pairs.reshape(len(first), -1, 4).sum(axis=1)
    if (value := _kappa(counts.sum(axis=0))) is None:
        return None
    others = [_kappa(counts.sum(axis=0) - left_out) for left_out in counts]
    if len(others) < _LEAST_PAIRS or None in others:
        return Kappa(value, None, None)
    spread = np.asarray(others, float)
    error = float(np.sqrt((len(others) - 1) * ((spread - spread.mean()) ** 2).mean()))
    return Kappa(value, max(value - _LIMIT_SD * error, -1.0), min(value + _LIMIT_SD * error, 1.0))


def _kappa(counts: NDArray[np.integer]) -> float | None:
    """Return kappa of the counts yes-yes, yes-no, no-yes, no-no; None if chance alone agrees always."""
    both, first, second, neither = (counts / max(counts.sum(), 1)).tolist()
    chance = (both + first) * (both + second) + (second + neither) * (first + neither)
    return (both + neither - chance) / (1.0 - chance) if chance < 1.0 else None
