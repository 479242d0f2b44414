from dataclasses import replace

import numpy as np
import pytest
import torch
from hearts import toy_case, toy_spec

from scarnet_cli.train.augment import Augmentation, augment, centre_window
from scarnet_cli.train.batches import collate
from scarnet_cli.train.stacks import make_stack, slice_index

HOW = Augmentation(window=48, noise=0.0, bias=0.0, log_gamma=0.0)


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    stack = make_stack(toy_case("Case_P1", scar=True, slices=8), toy_spec())
    return collate([stack], slice_index([stack]), context=1)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def test_image_and_labels_move_together() -> None:
    image, labels = augment(*batch(), HOW, generator())
    blood, wall, scar = (image[:, 1][labels == label] for label in (1, 2, 3))
    # wall is darkest, scar brightest; edge pixels are mixed, so medians are compared
    assert wall.median() < blood.median() < scar.median()
    assert (blood < wall.median()).float().mean() < 0.02


def test_labels_follow_a_slanted_border_as_exactly_as_the_picture() -> None:
    rows, columns = torch.meshgrid(torch.arange(72.0) - 35.5, torch.arange(72.0) - 35.5, indexing="ij")
    disc = torch.hypot(rows, columns) < 15
    still = replace(HOW, shear=0.0, blur=0.0)
    image, labels = augment(disc[None, None].float(), disc[None].long(), still, generator())
    # a pixel is labelled where the picture, interpolated alike, is more than half bright
    assert image[0, 0][labels[0] == 1].min() > image[0, 0][labels[0] == 0].max()


def test_every_turned_heart_keeps_its_size_within_the_zoom() -> None:
    image, labels = batch()
    before = (centre_window(image, labels, HOW)[1] > 0).sum(dim=(1, 2)).float()
    after = (augment(image, labels, HOW, generator())[1] > 0).sum(dim=(1, 2)).float()
    ratio = after / before
    # area changes with the zoom squared: exp(2 x 0.22) = 1.55, and a little by the shear's rounding
    assert bool(((ratio > 0.6) & (ratio < 1.65)).all())
    assert ratio.std() > 0.05


def test_held_out_hearts_are_shown_as_large_as_in_training_and_upright() -> None:
    image, labels = batch()
    as_is, large = (centre_window(image, labels, replace(HOW, enlarge=factor))[1] for factor in (1.0, 1.2))
    assert torch.equal(as_is, labels[:, 12:60, 12:60])
    assert (large > 0).sum() == pytest.approx(int((as_is > 0).sum()) * 1.2**2, rel=0.03)


def test_a_bend_moves_places_by_no_more_than_was_said_and_image_and_labels_alike() -> None:
    still = Augmentation(48, upright=1.0, tilt=0, shift=0, log_scale=0, shear=0, log_gamma=0, noise=0, bias=0, blur=0)
    columns = torch.arange(72.0).expand(1, 1, 72, 72)
    image, labels = augment(columns.clone() / 72, columns[0].long(), replace(still, elastic=0.05), generator())
    moved = labels[0, 2:-2, 2:-2] - torch.arange(14, 58)
    # 0.05 of 48 pixels is 2.4; the labels' nearest pixel may be half a pixel off, and a cubic overshoots a little
    assert 1 <= moved.abs().max() <= 3
    order = labels[0].flatten().argsort()
    assert torch.corrcoef(torch.stack([image[0, 0].flatten()[order], labels[0].flatten()[order].float()]))[0, 1] > 0.99


def test_the_same_generator_state_gives_the_same_batch_and_another_does_not() -> None:
    one, again = (augment(*batch(), Augmentation(window=48), generator())[0] for _ in range(2))
    other = augment(*batch(), Augmentation(window=48), torch.Generator().manual_seed(4))[0]
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_output_is_normalised() -> None:
    image, _ = augment(*batch(), Augmentation(window=48), generator())
    assert np.allclose(image.mean(dim=(2, 3)), 0, atol=1e-5)
    assert np.allclose(image.std(dim=(2, 3)), 1, atol=1e-2)


def test_what_was_added_later_draws_no_random_numbers_while_it_is_off() -> None:
    after = generator()
    augment(*batch(), Augmentation(window=48), after)
    # the number that followed when elastic, paste, magnitude, ghost and rician did not exist
    assert torch.rand(1, generator=after).item() == pytest.approx(0.8337173461914062, abs=1e-7)


@pytest.mark.parametrize("name", ["elastic", "paste", "magnitude", "ghost", "rician"])
def test_each_of_them_changes_the_batch_when_it_is_on(name: str) -> None:
    stacks = [make_stack(toy_case(n, scar=n == "scarred"), toy_spec()) for n in ("scarred", "healthy")]
    image, labels = collate(stacks, slice_index(stacks), context=1)
    plain, _ = augment(image, labels, HOW, generator())
    changed, _ = augment(image, labels, replace(HOW, **{name: 1.0}), generator())
    assert not torch.equal(plain, changed)
