import numpy as np

from scarnet_cli.image.labels import region_mask


def test_regions_are_nested_as_the_challenge_scores_them() -> None:
    labels = np.array([0, 1, 2, 3, 4])
    assert region_mask(labels, "blood_pool").tolist() == [False, True, False, False, False]
    assert region_mask(labels, "myocardium").tolist() == [False, False, True, True, True]
    assert region_mask(labels, "scar").tolist() == [False, False, False, True, True]
    assert region_mask(labels, "mvo").tolist() == [False, False, False, False, True]
