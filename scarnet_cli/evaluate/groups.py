"""Tests between groups of studies, by scipy.stats, each with the interval that belongs to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

# scipy.stats takes a second to import, so it is imported where it is used: stages that import this room do not wait.

LEAST: Final = 3  # values that a group must have for a test
_LEVEL: Final = 0.95
_TAIL: Final = (1 - _LEVEL) / 2
_HALVINGS: Final = 48  # of the range of the values
_DECIMALS: Final = 10  # halving ends next to a round number
_EXACT_BELOW: Final = 9  # as scipy's own choice: exact up to 8 values without ties


@dataclass(frozen=True, slots=True)
class Tested:
    """The outcome of a test.

    Attributes:
        test: Its name.
        p: P value, two-sided.
        effect: What was estimated; empty where the test estimates nothing.
        estimate: The estimate.
        low: Lower end of its 95 % interval.
        high: Upper end.
    """

    test: str
    p: float
    effect: str = ""
    estimate: float | None = None
    low: float | None = None
    high: float | None = None


def compare_shift(first: Sequence[float], second: Sequence[float]) -> Tested | None:
    """Return Mann and Whitney's test of two groups, with Hodges and Lehmann's shift (second minus first).

    The shift is the one at which the statistic is what it is between equal groups (the median of all differences); the
    interval holds the shifts that the test does not reject (Hollander, Wolfe and Chicken 2014, chapter 4).

    Returns:
        The test; None where a group has fewer than `LEAST` values, or all values are equal.
    """
    from scipy.stats import mannwhitneyu  # noqa: PLC0415

    x, y = np.asarray(first, float), np.asarray(second, float)
    if not _comparable([x, y]):
        return None
    exact = min(x.size, y.size) < _EXACT_BELOW and np.unique(np.r_[x, y]).size == x.size + y.size
    method = "exact" if exact else "asymptotic"
    low, high = float(y.min() - x.max()), float(y.max() - x.min())

    def p_of(shift: float, alternative: str) -> float:
        return float(mannwhitneyu(y - shift, x, alternative=alternative, method=method).pvalue)

    def above(shift: float) -> float:
        return float(mannwhitneyu(y - shift, x, method="asymptotic").statistic) - x.size * y.size / 2

    middle = [_crossing(lambda d: above(d) <= 0, low, high), _crossing(lambda d: above(d) < 0, low, high)]
    bounded = p_of(low - 1, "greater") <= _TAIL  # else there are too few values for any shift to be rejected
    return Tested(
        test="Mann-Whitney U",
        p=float(mannwhitneyu(y, x, method=method).pvalue),
        effect="Hodges-Lehmann shift",
        estimate=round(float(np.mean(middle)), _DECIMALS),
        low=_crossing(lambda d: p_of(d, "greater") > _TAIL, low, high) if bounded else None,
        high=_crossing(lambda d: p_of(d, "less") <= _TAIL, low, high) if bounded else None,
    )


def compare_means(first: Sequence[float], second: Sequence[float]) -> Tested | None:
    """Return Welch's t-test of two groups, with the difference of means (second minus first); None as above."""
    from scipy.stats import ttest_ind  # noqa: PLC0415

    x, y = np.asarray(first, float), np.asarray(second, float)
    if not _comparable([x, y]) or (np.ptp(x) == 0 and np.ptp(y) == 0):
        return None
    result: Any = ttest_ind(y, x, equal_var=False)
    interval = result.confidence_interval(_LEVEL)
    return Tested(
        test="Welch's t",
        p=float(result.pvalue),
        effect="difference of means",
        estimate=float(y.mean() - x.mean()),
        low=float(interval.low),
        high=float(interval.high),
    )


def compare_ranks(groups: Sequence[Sequence[float]]) -> Tested | None:
    """Return Kruskal and Wallis's test of three or more groups; None as above."""
    from scipy.stats import kruskal  # noqa: PLC0415

    arrays = [np.asarray(group, float) for group in groups]
    return Tested("Kruskal-Wallis", float(kruskal(*arrays).pvalue)) if _comparable(arrays) else None


def compare_many_means(groups: Sequence[Sequence[float]]) -> Tested | None:
    """Return Welch's analysis of variance of three or more groups; None as above, or where a group has equal values."""
    from scipy.stats import f_oneway  # noqa: PLC0415

    arrays = [np.asarray(group, float) for group in groups]
    if not _comparable(arrays) or any(np.ptp(array) == 0 for array in arrays):
        return None
    return Tested("Welch's analysis of variance", float(f_oneway(*arrays, equal_var=False).pvalue))


def compare_counts(counts: ArrayLike) -> Tested | None:
    """Return the test of a table of counts, a row a group: Fisher's exact test of 2 x 2, else Pearson's chi-squared.

    Returns:
        The test, of 2 x 2 with the sample's ratio of the last column's odds (second row over first) if it is finite;
        None where only one row or column has a count, or a row has fewer than `LEAST`.
    """
    from scipy.stats import chi2_contingency, fisher_exact  # noqa: PLC0415
    from scipy.stats.contingency import odds_ratio  # noqa: PLC0415

    table = np.asarray(counts, int)
    table = table[:, table.sum(axis=0) > 0]
    if min(table.shape) < 2 or (table.sum(axis=1) < LEAST).any():  # noqa: PLR2004
        return None
    if table.shape != (2, 2):
        found: Any = chi2_contingency(table, correction=False)
        return Tested("chi-squared", float(found.pvalue))
    exact: Any = fisher_exact(table)
    p = float(exact.pvalue)
    if not table.all():
        return Tested("Fisher's exact", p)
    ratio = odds_ratio(table, kind="sample")
    interval = ratio.confidence_interval(_LEVEL)
    return Tested("Fisher's exact", p, "odds ratio", float(ratio.statistic), float(interval.low), float(interval.high))


def trend(x: Sequence[float], y: Sequence[float]) -> Tested | None:
    """Return the slope of y over x by least squares; None with fewer than `LEAST` pairs, or if x or y is constant."""
    from scipy.stats import linregress, t  # noqa: PLC0415

    if len(x) < LEAST or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    line: Any = linregress(x, y)
    low, high = t.interval(_LEVEL, len(x) - 2, loc=line.slope, scale=line.stderr) if line.stderr else (line.slope,) * 2
    return Tested("least squares", float(line.pvalue), "slope", float(line.slope), float(low), float(high))


def correlation(x: Sequence[float], y: Sequence[float]) -> Tested | None:
    """Return Pearson's r; None with fewer than `LEAST` pairs, or where x or y is constant."""
    from scipy.stats import pearsonr  # noqa: PLC0415

    if len(x) < LEAST or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    found: Any = pearsonr(x, y)
    if len(x) == LEAST:  # Fisher's transformation has no interval for three pairs
        return Tested("Pearson", float(found.pvalue), "r", float(found.statistic))
    interval = found.confidence_interval(_LEVEL)
    return Tested(
        "Pearson", float(found.pvalue), "r", float(found.statistic), float(interval.low), float(interval.high)
    )


def mean_interval(values: Sequence[float], least: int = LEAST) -> tuple[float, float] | None:
    """Return the 95 % interval of a mean by Student's t; None with fewer than `least` values or equal ones."""
    if len(values) < least or np.ptp(values) == 0:
        return None
    from scipy.stats import ttest_1samp  # noqa: PLC0415

    interval = ttest_1samp(values, 0.0).confidence_interval(_LEVEL)
    return float(interval.low), float(interval.high)


def median_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the 95 % interval of a median by the binomial distribution; None where so few values have none."""
    from scipy.stats import quantile_test  # noqa: PLC0415

    if not len(values):
        return None
    middle: Any = np.median(values)
    interval = quantile_test(values, q=middle, p=0.5).confidence_interval(_LEVEL)
    return None if np.isnan([interval.low, interval.high]).any() else (float(interval.low), float(interval.high))


def compare_values(groups: Mapping[str, Sequence[float]], *, by_mean: bool = False) -> Tested | None:
    """Return the test of two groups or more, by ranks or by means; None with one group, or as the tests have it."""
    values = list(groups.values())
    if len(values) < 2:  # noqa: PLR2004
        return None
    if len(values) == 2:  # noqa: PLR2004
        return (compare_means if by_mean else compare_shift)(*values)
    return (compare_many_means if by_mean else compare_ranks)(values)


def _comparable(groups: Sequence[NDArray[np.float64]]) -> bool:
    return all(group.size >= LEAST for group in groups) and bool(np.ptp(np.concatenate(groups)) > 0)


def _crossing(is_beyond: Callable[[float], bool], low: float, high: float) -> float:
    """Return where a condition that holds from some value on begins to hold, by halving; at most `high`."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_beyond(middle) else (middle, high)
    return round(high, _DECIMALS)
