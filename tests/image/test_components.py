import numpy as np

from scarnet_cli.image.components import connected_components


def test_components_connect_by_their_corners() -> None:
    mask = np.zeros((2, 4, 4), bool)
    mask[0, 0, 0] = mask[1, 1, 1] = mask[1, 3, 3] = True
    components, count = connected_components(mask)
    assert count == 2
    assert components[0, 0, 0] == components[1, 1, 1] != components[1, 3, 3]
