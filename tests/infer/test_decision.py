import numpy as np
import pytest

from scarnet_cli.errors import ModelError
from scarnet_cli.infer.decision import Decision, decide, decode, drop_small_mvo, mvo_percent, scar_percent


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
    dropped, flags = decide(labels, None, Decision(least_scar_percent=10.5))
    assert dropped.ravel().tolist() == [1] + [2] * 10
    assert flags == ("faint_scar_dropped",)
    kept, flags = decide(labels, None, Decision(least_scar_percent=10.0))
    assert (kept.tolist(), flags) == (labels.tolist(), ())


def test_a_heart_without_scar_is_not_flagged() -> None:
    labels = np.full((1, 2, 2), 2, np.uint8)
    assert decide(labels, 0.0, Decision(least_scar_percent=5.0, least_expected_scar_percent=5.0))[1] == ()
    assert scar_percent(np.zeros((1, 2, 2), np.uint8)) == 0.0


def test_scar_is_dropped_where_too_little_is_expected() -> None:
    labels = np.array([1, 2, 2, 3, 4], np.uint8).reshape(1, 1, 5)
    decision = Decision(least_expected_scar_percent=2.5)
    assert decide(labels, 2.5, decision)[1] == ()
    without_scar, flags = decide(labels, 2.4, decision)
    assert (without_scar.ravel().tolist(), flags) == ([1, 2, 2, 2, 2], ("faint_scar_dropped",))
    assert decide(labels, None, decision)[0].ravel().tolist() == [1, 2, 2, 3, 4]


def test_a_small_piece_of_mvo_counts_as_scar_and_a_large_one_stays() -> None:
    labels = np.full((1, 10, 10), 2, np.uint8)  # each voxel is 1 % of the myocardium
    labels[0, 1, 1:4], labels[0, 2, 4], labels[0, 8, 1:4] = 4, 4, 4  # four voxels, one at a corner; and three
    kept = drop_small_mvo(labels, 4.0)
    assert mvo_percent(kept) == 4.0
    assert (kept[0, 8, 1:4] == 3).all()
    assert (drop_small_mvo(labels, 3.0) == labels).all()
    assert mvo_percent(drop_small_mvo(labels, 5.0)) == 0.0


def test_a_decision_is_read_from_the_weights_and_written_back() -> None:
    values = {**Decision(0.5, 3.0).to_spec(), "scar_slope": 2.0}
    assert Decision.from_spec(values) == Decision(0.5, 3.0, scar_slope=2.0)
    assert Decision.from_spec(values).to_spec() == values


def test_a_threshold_of_another_version_is_refused() -> None:
    with pytest.raises(ModelError, match="least_expected_mvo_percent, which this version does not know"):
        Decision.from_spec({"least_expected_mvo_percent": 1.5})


def test_the_probability_of_scar_is_even_at_its_midpoint_and_rises_with_what_is_expected() -> None:
    decision = Decision(even_scar_percent=3.0, scar_slope=2.0)
    assert decision.scar_probability(3.0) == pytest.approx(0.5)
    assert decision.scar_probability(6.0) == pytest.approx(0.8)  # odds of 2 ** 2
    assert decision.scar_probability(0.0) == pytest.approx(0.0, abs=1e-6)
    assert Decision().scar_probability(6.0) is None
