import numpy as np
import pytest
from numpy.typing import NDArray

from scarnet_cli.infer.decision import Decision
from scarnet_cli.infer.evidence import Evidence, find_evidence, find_margins, judge
from scarnet_cli.stage.records import Margins

CALIBRATED = Decision(
    least_expected_scar_percent=2.0,
    even_scar_percent=3.0,
    scar_slope=2.0,
    scar_margin=2.0,
    scar_ml_margin=3.0,
    mvo_margin=4.0,
)
SCARRED = np.array([2, 2, 2, 3], np.uint8).reshape(1, 1, 4)
NORMAL = np.full((1, 1, 4), 2, np.uint8)


@pytest.fixture
def probability() -> NDArray[np.float32]:
    """Background, blood pool, a voxel of 20 % scar (half of it MVO) and one without, each 90 % scar in the third."""
    probability = np.zeros((5, 1, 1, 5), np.float32)
    probability[0, ..., 0] = 1.0
    probability[1, ..., 1] = 1.0
    probability[2:, 0, 0, 2] = 0.8, 0.1, 0.1
    probability[2, ..., 3], probability[0, ..., 3] = 0.6, 0.4
    probability[2:4, 0, 0, 4] = 0.1, 0.9
    return probability


def test_what_is_expected_and_doubted_are_means_over_the_myocardium(probability: NDArray[np.float32]) -> None:
    evidence = find_evidence(probability, probability)
    assert evidence.expected_scar_percent == pytest.approx(100 * (0.2 + 0.0 + 0.9) / 3)
    assert evidence.scar_doubt_percent == pytest.approx(100 * (0.2 + 0.0 + 0.1) / 3)
    assert evidence.mvo_doubt_percent == pytest.approx(100 * 0.1 / 3)
    # Three voxels are drawn with 1.0, 0.6 and 1.0; one of scar with 0.9, of 1.1 in all.
    assert evidence.myocardium_dice == pytest.approx(2 * 2.6 / (2.6 + 3))
    assert evidence.scar_dice == pytest.approx(2 * 0.9 / (1.1 + 1))


def test_what_is_expected_comes_from_the_slice_network(probability: NDArray[np.float32]) -> None:
    without = probability.copy()
    without[2] += without[3:].sum(axis=0)
    without[3:] = 0.0
    assert find_evidence(probability, without).expected_scar_percent == 0.0
    assert find_evidence(without, probability).expected_scar_percent == pytest.approx(100 * 1.1 / 3)


def test_without_myocardium_nothing_is_expected(probability: NDArray[np.float32]) -> None:
    assert find_evidence(probability[..., :2], probability[..., :2]) == Evidence()


@pytest.mark.parametrize(
    ("expected", "labels", "uncertain"),
    [
        (1.9, NORMAL, False),  # dropped
        (2.0, SCARRED, True),  # just not dropped
        (8.9, SCARRED, True),  # odds of 2.97 ** 2 are below 9
        (9.1, SCARRED, False),
        (9.1, NORMAL, True),  # much is expected and nothing drawn
    ],
)
def test_scar_is_uncertain_between_two_bounds(expected: float, labels: NDArray[np.uint8], uncertain: bool) -> None:  # noqa: FBT001
    certainty = judge(Evidence(expected), labels, 0.1, CALIBRATED)
    assert certainty.uncertain is uncertain
    assert not judge(Evidence(expected), labels, 0.1, Decision(least_expected_scar_percent=2.0)).uncertain


def test_confidence_is_the_dice_to_expect_of_myocardium_and_scar() -> None:
    evidence = Evidence(3.0, myocardium_dice=0.8, scar_dice=0.5)
    assert judge(evidence, SCARRED, 0.1, CALIBRATED).confidence == pytest.approx(0.4)
    assert judge(evidence, NORMAL, 0.1, CALIBRATED).confidence == pytest.approx(0.8 * 0.5)  # scar as likely as not
    assert judge(evidence, NORMAL, 0.1, Decision()).confidence == pytest.approx(0.8)


def test_margins_are_multiples_of_the_doubt() -> None:
    evidence = Evidence(scar_doubt_percent=5.0, mvo_doubt_percent=4.0)
    assert find_margins(evidence, 80.0, CALIBRATED) == Margins(10.0, 12.0, 8.0)
    assert judge(evidence, SCARRED, 20.0, CALIBRATED).margins == Margins(10.0, 12.0, 8.0)
    assert find_margins(evidence, 80.0, Decision(scar_margin=2.0)) is None
