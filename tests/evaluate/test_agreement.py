import numpy as np
import pytest

from scarnet_cli.evaluate.agreement import agreement, cohens_kappa, icc_2_1, icc_interval

# Shrout and Fleiss 1979, table 2: six targets (rows) rated by four judges.
SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


def test_icc_of_shrout_and_fleiss_is_theirs() -> None:
    icc = icc_2_1(np.array(SHROUT_FLEISS, float))
    assert icc == pytest.approx(0.29, abs=0.005)  # their table 4 gives two digits


def test_interval_of_shrout_and_fleiss_is_that_of_other_programs() -> None:
    # R's psych::ICC and pingouin.intraclass_corr (0.6.1, ICC(A,1)): 0.29, 0.02 to 0.76
    assert icc_interval(np.array(SHROUT_FLEISS, float)) == pytest.approx((0.0188, 0.7611), abs=1e-4)


def test_equal_readings_have_an_interval_without_width() -> None:
    assert icc_interval(np.array([[1.0, 1.0], [2.0, 2.0]])) == (1.0, 1.0)
    assert icc_interval(np.zeros((4, 2))) is None


def test_kappa_worked_out_by_hand_and_its_interval_near_the_asymptotic_one() -> None:
    first = np.repeat([True, True, False, False], [20, 5, 10, 15])[:, None]
    second = np.repeat([True, False, True, False], [20, 5, 10, 15])[:, None]
    # they agree in 35 of 50, by chance in 0.5 * 0.6 + 0.5 * 0.4 = 0.5: (0.7 - 0.5) / (1 - 0.5)
    kappa = cohens_kappa(first, second)
    assert kappa is not None
    assert kappa.value == pytest.approx(0.4)
    # statsmodels.stats.inter_rater.cohens_kappa (0.14.6): 0.151 to 0.649
    assert (kappa.low, kappa.high) == pytest.approx((0.151, 0.649), abs=0.01)


def test_answers_of_one_study_widen_the_interval_when_they_go_together() -> None:
    first = np.repeat([True, True, False, False], [20, 5, 10, 15])[:, None]
    second = np.repeat([True, False, True, False], [20, 5, 10, 15])[:, None]
    apart, together = cohens_kappa(first, second), cohens_kappa(first.reshape(10, 5), second.reshape(10, 5))
    assert apart
    assert together
    assert apart.value == together.value
    assert None not in (apart.low, apart.high, together.low, together.high)
    assert together.high - together.low > 1.5 * (apart.high - apart.low)  # type: ignore[operator] (not None, as said)


def test_kappa_is_undefined_where_no_answer_varies_and_its_interval_where_one_study_decides() -> None:
    yes, no = np.ones((3, 1), bool), np.zeros((3, 1), bool)
    assert cohens_kappa(yes, yes) is None
    assert cohens_kappa(no, no) is None
    one = np.array([[True], [False], [False]])
    kappa = cohens_kappa(one, one)
    assert kappa is not None
    assert (kappa.value, kappa.low, kappa.high) == (1.0, None, None)


def test_icc_does_not_depend_on_the_order_of_judges() -> None:
    ratings = np.array(SHROUT_FLEISS, float)
    assert icc_2_1(ratings[:, ::-1]) == pytest.approx(icc_2_1(ratings))


def test_icc_is_one_for_equal_readings_and_less_for_shifted_ones() -> None:
    reference = np.array([1.0, 2.0, 3.0])
    assert icc_2_1(np.column_stack([reference, reference])) == pytest.approx(1.0)
    # BMS 2, JMS 1.5, EMS 0: 2 / (2 + 2 * 1.5 / 3) = 2 / 3
    assert icc_2_1(np.column_stack([reference + 1.0, reference])) == pytest.approx(2 / 3)


def test_icc_is_undefined_for_one_target_and_where_nothing_varies() -> None:
    assert icc_2_1(np.array([[1.0, 2.0]])) is None
    assert icc_2_1(np.zeros((4, 2))) is None


def test_bias_limits_and_cov_worked_out_by_hand() -> None:
    # Differences 1, -1, 3: mean 1, SD 2; mean reference 10.
    found = agreement([9.0, 9.0, 15.0], [8.0, 10.0, 12.0])
    assert found.bias == pytest.approx(1.0)
    assert found.lower_limit == pytest.approx(1.0 - 1.96 * 2.0)
    assert found.upper_limit == pytest.approx(1.0 + 1.96 * 2.0)
    assert found.bias_percent == pytest.approx(10.0)
    assert found.cov_percent == pytest.approx(20.0)


def test_one_pair_has_a_bias_and_no_limits() -> None:
    found = agreement([3.0], [2.0])
    assert (found.bias, found.lower_limit, found.cov_percent, found.icc) == (1.0, None, None, None)


def test_percents_are_undefined_where_the_expert_measured_nothing() -> None:
    found = agreement([1.0, 0.0], [0.0, 0.0])
    assert found.bias == 0.5
    assert (found.bias_percent, found.cov_percent) == (None, None)


def test_measures_that_cannot_be_paired_raise() -> None:
    with pytest.raises(ValueError, match="2 measures cannot be paired with 1"):
        agreement([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="0 measures"):
        agreement([], [])
