import numpy as np
import pytest
import torch
from hearts import toy_case, toy_spec

from scarnet_cli.train.batches import collate
from scarnet_cli.train.paste import find_wall, paste_scars
from scarnet_cli.train.stacks import make_stacks


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Return one slice with a quarter of scar, and three of a heart without."""
    stacks = make_stacks([toy_case("scarred", scar=True), toy_case("healthy", scar=False)], toy_spec())
    return collate(stacks, [(0, 1), (1, 0), (1, 1), (1, 2)], context=1)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def test_a_healthy_slice_gets_as_much_scar_as_its_donor_and_as_bright() -> None:
    image, labels = batch()
    pasted, classes = paste_scars(image, labels.long(), 1.0, generator())
    true = (labels[0] == 3).sum().item()
    for one, its in zip(pasted[1:, 1], classes[1:], strict=True):
        assert (its == 3).sum().item() == pytest.approx(true, rel=0.05)
        # edges are soft and the ring is four pixels wide, so the middle and the brighter half are compared
        assert one[its == 3].median().item() == pytest.approx(image[0, 1][labels[0] == 3].median().item(), rel=0.1)
        assert one[its == 3].quantile(0.75) > one[its == 1].median()


def test_only_the_wall_changes_and_slices_with_scar_do_not() -> None:
    image, labels = batch()
    pasted, classes = paste_scars(image, labels.long(), 1.0, generator())
    assert torch.equal(pasted[0], image[0])
    outside = labels[1:, None].repeat(1, 3, 1, 1) < 2
    assert torch.equal(pasted[1:][outside], image[1:][outside])
    assert torch.equal(classes[1:] >= 2, labels[1:] >= 2)


def test_scars_are_pasted_at_different_angles() -> None:
    _, classes = paste_scars(*_long(batch()), 1.0, generator())
    assert not torch.equal(classes[1], classes[2])


def test_without_a_scar_in_the_batch_nothing_is_pasted() -> None:
    image, labels = _long(batch())
    pasted, classes = paste_scars(image[1:], labels[1:], 1.0, generator())
    assert torch.equal(pasted, image[1:])
    assert torch.equal(classes, labels[1:])


def test_depth_and_angle_of_a_ring_are_as_drawn() -> None:
    y, x = np.mgrid[-20:21, -20:21]
    radius = np.hypot(y, x)
    labels = np.where(radius <= 5, 1, np.where(radius <= 15, 2, 0))
    wall = find_wall((labels == 1).astype(np.float32), labels)
    assert wall is not None
    assert (wall.level, wall.contrast) == (0.0, 1.0)
    # 10 pixels right of the centre: 5 beyond the last of the pool; the nearest outside is 5 right and 1 up
    (there,) = np.flatnonzero((wall.pixels == [20, 30]).all(axis=1))
    assert wall.angle[there] == 0
    assert wall.depth[there] == pytest.approx(5 / (5 + 26**0.5))


def test_a_slice_without_blood_pool_has_no_wall() -> None:
    assert find_wall(np.ones((9, 9), np.float32), np.full((9, 9), 2)) is None


def _long(pair: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    return pair[0], pair[1].long()
