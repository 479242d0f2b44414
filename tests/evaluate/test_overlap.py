import numpy as np
import pytest
from hearts import region_dice

from scarnet_cli.evaluate.region import dice


def test_dice_of_two_masks_worked_out_by_hand() -> None:
    ours, reference = np.array([1, 1, 1, 0], bool), np.array([0, 1, 1, 1], bool)
    assert dice(ours, reference) == pytest.approx(2 * 2 / 6)


def test_two_empty_masks_agree_and_one_empty_mask_does_not() -> None:
    empty, full = np.zeros(4, bool), np.ones(4, bool)
    assert dice(empty, empty) == 1.0
    assert dice(full, empty) == 0.0


def test_scar_called_mvo_counts_in_scar_but_not_in_mvo() -> None:
    scores = region_dice(np.array([2, 4, 1]), np.array([2, 3, 1]))
    assert scores == {"blood_pool": 1.0, "myocardium": 1.0, "scar": 1.0, "mvo": 0.0}
