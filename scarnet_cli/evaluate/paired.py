"""The mean change of pairs, with its interval."""

from collections.abc import Sequence


def mean_change(changes: Sequence[float]) -> tuple[float, float | None, float | None]:
    """Return the mean of one or more changes and its 95 % interval by Student's t; no interval where all are equal.

    Computed by SciPy's `ttest_1samp`.
    """
    mean = sum(changes) / len(changes)
    if len(set(changes)) < 2:  # noqa: PLR2004 (there is no spread)
        return mean, None, None
    from scipy.stats import ttest_1samp  # noqa: PLC0415 (takes half a second, and most reports need none)

    interval = ttest_1samp(changes, 0.0).confidence_interval()
    return mean, float(interval.low), float(interval.high)
