"""Agreement of a model's measures with the expert's across cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

# 95 % of normally distributed differences lie within this many standard deviations of their mean.
_LIMIT_SD: Final = 1.96
_LEAST_PAIRS: Final = 2


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
    targets, judges = ratings.shape
    if min(targets, judges) < _LEAST_PAIRS:
        return None
    mean = ratings.mean()
    of_target, of_judge = ratings.mean(axis=1, keepdims=True), ratings.mean(axis=0, keepdims=True)
    between_targets = judges * float(((of_target - mean) ** 2).sum()) / (targets - 1)
    between_judges = targets * float(((of_judge - mean) ** 2).sum()) / (judges - 1)
    rest = float(((ratings - of_target - of_judge + mean) ** 2).sum()) / ((targets - 1) * (judges - 1))
    total = between_targets + (judges - 1) * rest + judges * (between_judges - rest) / targets
    return (between_targets - rest) / total if total else None
