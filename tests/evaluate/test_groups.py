"""Tests between groups: published and hand-made values, and the cases that have no answer."""

import pytest

from scarnet_cli.evaluate.groups import (
    compare_counts,
    compare_many_means,
    compare_means,
    compare_ranks,
    compare_shift,
    correlation,
    mean_interval,
    median_interval,
    trend,
)

# Permeability of the amnion at term and at 12 to 26 weeks (Hollander and Wolfe 1973, page 69), as in R's manual.
TERM = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
EARLY = [1.15, 0.88, 0.90, 0.74, 1.21]


def test_shift_and_its_exact_interval_are_those_of_rs_wilcox_test() -> None:
    # wilcox.test(TERM, EARLY, conf.int = TRUE): W = 35, p = 0.2544, 0.305 with -0.15 to 0.76
    tested = compare_shift(EARLY, TERM)
    assert tested is not None
    assert tested.p == pytest.approx(0.2544, abs=5e-5)
    assert (tested.estimate, tested.low, tested.high) == pytest.approx((0.305, -0.15, 0.76))


def test_shift_is_the_median_difference_with_ties_and_in_the_second_groups_direction() -> None:
    tested = compare_shift([0.0, 0.0, 0.0, 4.0], [2.0, 2.0, 5.0, 9.0])
    # 16 differences: -2 -2 1 2 2 2 2 2 2 5 5 5 5 9 9 9; the eighth and ninth are 2 and 2
    assert tested is not None
    assert tested.estimate == pytest.approx(2.0)
    backwards = compare_shift([2.0, 2.0, 5.0, 9.0], [0.0, 0.0, 0.0, 4.0])
    assert backwards is not None
    assert backwards.estimate == pytest.approx(-2.0)


def test_three_against_three_have_a_shift_but_no_interval() -> None:
    tested = compare_shift([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    assert tested is not None
    assert tested.p == pytest.approx(0.1)  # 2 of 20
    assert (tested.estimate, tested.low, tested.high) == (pytest.approx(3.0), None, None)


@pytest.mark.parametrize("groups", [([1.0, 2.0], [1.0, 2.0, 3.0]), ([], [1.0, 2.0, 3.0]), ([0.0] * 4, [0.0] * 3)])
def test_too_few_or_equal_values_are_not_tested(groups: tuple[list[float], list[float]]) -> None:
    assert compare_shift(*groups) is None
    assert compare_means(*groups) is None
    assert compare_ranks([*groups, [0.0] * 3]) is None or all(len(group) >= 3 for group in groups)


def test_difference_of_means_has_welchs_interval() -> None:
    tested = compare_means([0.0, 0.0, 0.0], [1.0, 2.0, 3.0])
    # standard error 1 / sqrt(3), 2 degrees of freedom: 2 -+ 4.3027 * 0.57735
    assert tested is not None
    assert (tested.estimate, tested.low, tested.high) == pytest.approx((2.0, -0.4842, 4.4842), abs=1e-4)
    assert compare_means([0.0] * 3, [1.0] * 3) is None  # no spread, no error
    assert compare_many_means([[0.0] * 3, [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]) is None


def test_counts_of_two_groups_have_the_odds_ratio_of_the_last_column() -> None:
    tested = compare_counts([[5, 5], [2, 8]])
    assert tested is not None
    assert tested.test == "Fisher's exact"
    assert tested.estimate == pytest.approx((8 / 2) / (5 / 5))
    without_any = compare_counts([[5, 0], [2, 8]])
    assert without_any is not None
    assert without_any.estimate is None  # infinite


def test_counts_of_more_groups_are_tested_by_chi_squared_and_empty_columns_do_not_matter() -> None:
    tested = compare_counts([[5, 5, 0], [2, 8, 0], [5, 5, 0]])
    assert tested is not None
    # expected 4 and 6 in each row: (1 + 4 + 1) / 4 + (1 + 4 + 1) / 6 = 2.5; exp(-2.5 / 2)
    assert tested.p == pytest.approx(0.2865, abs=1e-4)
    assert compare_counts([[5, 0], [8, 0]]) is None
    assert compare_counts([[5, 5], [1, 1]]) is None


def test_slope_and_r_of_a_line() -> None:
    slope = trend([0.0, 1.0, 2.0, 3.0], [1.0, 3.0, 5.0, 7.0])
    assert slope is not None
    assert (slope.estimate, slope.low, slope.high) == pytest.approx((2.0, 2.0, 2.0))
    found = correlation([0.0, 1.0, 2.0], [0.0, 1.0, 0.0])
    assert found is not None
    assert (found.estimate, found.low) == (pytest.approx(0.0), None)
    for test in (trend, correlation):
        assert test([1.0, 2.0], [1.0, 2.0]) is None
        assert test([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]) is None


def test_intervals_of_a_mean_and_a_median() -> None:
    assert mean_interval([1.0, 2.0, 3.0]) == pytest.approx((-0.4842, 4.4842), abs=1e-4)
    assert mean_interval([1.0, 1.0, 1.0]) is None
    # of ten values, the second and ninth: P(at most 1 of 10 below the median) = 11 / 1024
    assert median_interval([float(n) for n in range(10)]) == (1.0, 8.0)
    assert median_interval([1.0, 2.0, 3.0]) is None
    assert median_interval([]) is None
