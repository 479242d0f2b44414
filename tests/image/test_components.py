import numpy as np

from scarnet_cli.image.components import connected_components, largest_component


def test_components_connect_by_their_corners() -> None:
    mask = np.zeros((2, 4, 4), bool)
    mask[0, 0, 0] = mask[1, 1, 1] = mask[1, 3, 3] = True
    components, count = connected_components(mask)
    assert count == 2
    assert components[0, 0, 0] == components[1, 1, 1] != components[1, 3, 3]


def test_the_largest_piece_is_kept_and_may_touch_diagonally_between_slices() -> None:
    mask = np.zeros((2, 6, 6), bool)
    mask[0, :2, :2], mask[1, 2:4, 2:4], mask[0, 5, 5] = True, True, True
    kept = largest_component(mask)
    assert kept.sum() == 8
    assert not kept[0, 5, 5]
    assert not largest_component(np.zeros((1, 3, 3), bool)).any()
