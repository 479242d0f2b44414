"""Tests between groups, in words."""

from collections.abc import Mapping, Sequence
from typing import Final

from scarnet_cli.evaluate.groups import LEAST, Tested, compare_values

_LEAST_P: Final = 0.001


def p_text(p: float) -> str:
    """Return a P value: two decimals, three below 0.1, and never 0."""
    if p < _LEAST_P:
        return f"p < {_LEAST_P}"
    return f"p = {p:.{2 if p >= 0.0995 else 3}f}"  # noqa: PLR2004 (which would round to 0.10)


def interval_text(tested: Tested, unit: str = "", digits: int = 1) -> str:
    """Return an estimate with its 95 % interval, such as "+3.1 % (+0.2 to +6.0)"; an empty string without one."""
    if tested.estimate is None:
        return ""
    ends = [] if tested.low is None or tested.high is None else [tested.low, tested.high]
    is_ratio = tested.effect == "odds ratio"
    shape = f".{digits}f" if is_ratio else f"+.{digits}f"
    numbers = [f"{value:{shape}}" for value in (tested.estimate, *ends)]
    between = f" ({numbers[1]} to {numbers[2]})" if ends else ""
    return numbers[0] + (f" {unit}" if unit else "") + between


def comparison_text(groups: Mapping[str, Sequence[float]], unit: str, digits: int = 1) -> str:
    """Return the sentence on the test of groups by ranks, or on why there is none; empty with one group.

    Args:
        groups: Name -> values, at least one.
        unit: Unit of the values as a symbol.
        digits: Decimals of the estimate.
    """
    if len(groups) < 2:  # noqa: PLR2004
        return ""
    tested = compare_values(groups)
    if tested is None:
        small = [name for name, values in groups.items() if len(values) < LEAST]
        return f"No test: {f'fewer than {LEAST} studies in ' + ', '.join(small) if small else 'all values are equal'}."
    if tested.estimate is None:
        return f"{tested.test} test, {p_text(tested.p)}."
    first, second = groups
    effect = f"{tested.effect} ({second} minus {first}) {interval_text(tested, unit, digits)}"
    few = "" if tested.low is not None else ", too few studies for an interval"
    return f"{tested.test} test, {p_text(tested.p)}; {effect}{few}."
