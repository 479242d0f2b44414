import numpy as np
import pytest

from scarnet_cli.infer.decision import Decision, ExpectedLesions, decode, drop_faint_scar, drop_lesions, scar_percent


def one_voxel(*probability: float) -> np.ndarray:
    return np.array(probability, np.float32).reshape(5, 1, 1, 1)


@pytest.mark.parametrize(
    ("probability", "label"),
    [
        ((0.4, 0.1, 0.2, 0.2, 0.1), 2),  # myocardium's 0.5 beats background's 0.4; scar has 0.3 of it, 60 % needed
        ((0.4, 0.0, 0.1, 0.4, 0.1), 3),  # scar and MVO hold 0.5 of 0.6
        ((0.2, 0.0, 0.1, 0.3, 0.4), 4),  # MVO beats scar
        ((0.6, 0.1, 0.0, 0.3, 0.0), 0),
        ((0.0, 0.6, 0.2, 0.2, 0.0), 1),  # 0.7 x 0.6 beats 0.4
        ((0.0, 0.55, 0.25, 0.2, 0.0), 2),  # 0.7 x 0.55 does not beat 0.45
        ((0.4, 0.55, 0.05, 0.0, 0.0), 0),  # nor 0.4
    ],
)
def test_labels_are_decided_from_the_outer_region_to_the_inner(probability: tuple[float, ...], label: int) -> None:
    assert decode(one_voxel(*probability), scar_share=0.6).item() == label


def test_scar_below_the_least_percent_becomes_myocardium_and_is_flagged() -> None:
    labels = np.array([1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3], np.uint8).reshape(1, 1, 11)
    assert scar_percent(labels) == pytest.approx(10.0)
    dropped, flags = drop_faint_scar(labels, 10.5)
    assert dropped.ravel().tolist() == [1] + [2] * 10
    assert flags == ("faint_scar_dropped",)
    assert drop_faint_scar(labels, 10.0) == (labels, ())


def test_a_heart_without_scar_is_not_flagged() -> None:
    labels = np.full((1, 2, 2), 2, np.uint8)
    assert drop_faint_scar(labels, 5.0)[1] == ()
    assert scar_percent(np.zeros((1, 2, 2), np.uint8)) == 0.0


def test_a_decision_is_read_from_the_weights() -> None:
    assert Decision.from_spec({"least_scar_percent": 3.0}) == Decision(0.5, 3.0)


def test_scar_and_mvo_are_dropped_where_too_little_is_expected() -> None:
    labels = np.array([1, 2, 2, 3, 4], np.uint8).reshape(1, 1, 5)
    decision = Decision(least_expected_scar_percent=2.5, least_expected_mvo_percent=1.5)
    kept, flags = drop_lesions(labels, ExpectedLesions(2.5, 1.5), decision)
    assert (kept.ravel().tolist(), flags) == ([1, 2, 2, 3, 4], ())
    without_mvo, flags = drop_lesions(labels, ExpectedLesions(2.5, 1.4), decision)
    assert (without_mvo.ravel().tolist(), flags) == ([1, 2, 2, 3, 3], ())
    without_scar, flags = drop_lesions(labels, ExpectedLesions(2.4, 1.5), decision)
    assert (without_scar.ravel().tolist(), flags) == ([1, 2, 2, 2, 2], ("faint_scar_dropped",))
    assert drop_lesions(labels, None, decision)[0].ravel().tolist() == [1, 2, 2, 3, 4]
