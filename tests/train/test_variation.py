from dataclasses import replace

import pytest
import torch
from hearts import toy_case, toy_spec

from scarnet_cli.image.intensity import normalise_slices
from scarnet_cli.image.labels import Label
from scarnet_cli.train.hearts import Hearts, make_hearts
from scarnet_cli.train.invented_scar import Scars, add_scars
from scarnet_cli.train.variation import Variation, normalise, vary

STILL = Variation(
    window=48,
    enlarge=1.0,
    upright=1.0,
    tilt=0.0,
    shift=0.0,
    log_scale=0.0,
    stretch=0.0,
    shear=0.0,
    elastic=0.0,
    slice_shift=1e-6,
    blood=0.0,
    least_scar_contrast=1.0,
    scars=Scars(probability=0.0),
    magnitude=0.0,
    curve=0.0,
    log_gamma=0.0,
    bias=0.0,
    blur=0.0,
    coarse=0.0,
    ghost=0.0,
    noise=0.0,
)


@pytest.fixture(scope="module")
def hearts() -> Hearts:
    return make_hearts([toy_case("A", scar=True), toy_case("B", scar=False, slices=5)], toy_spec())


def test_shorter_stacks_are_padded_with_empty_slices(hearts: Hearts) -> None:
    assert hearts.slices.tolist() == [3, 5]
    assert hearts.image.shape[1] == 5
    assert not hearts.image[0, 3:].any()
    assert not hearts.labels[0, 3:].any()


def test_depth_goes_from_the_endocardium_to_the_epicardium(hearts: Hearts) -> None:
    labels, depth = hearts.labels[1, 0], hearts.depth[1, 0].float()
    assert (depth[labels == Label.BLOOD_POOL] == 0).all()
    assert (depth[labels == Label.BACKGROUND] == 255).all()
    assert 100 < depth[labels == Label.MYOCARDIUM].mean() < 155


def test_a_heart_that_is_left_out_is_gone(hearts: Hearts) -> None:
    assert hearts.without(["A"]).names == ("B",)
    assert torch.equal(hearts.only(["B"]).image[0], hearts.image[1])


def test_without_any_strength_the_middle_comes_out_normalised(hearts: Hearts) -> None:
    batch = vary(hearts.image, hearts.labels, hearts.depth, None, STILL, torch.Generator().manual_seed(0))
    size = hearts.image.shape[-1]
    middle = slice((size - 48) // 2, (size + 48) // 2)
    assert torch.equal(batch.labels, hearts.labels[..., middle, middle].long())
    expected = normalise_slices(hearts.image[:, :3, middle, middle].numpy() / 255.0)
    assert (batch.image[:, :3] - torch.from_numpy(expected)).abs().max() < 0.02


def test_maps_move_with_the_labels(hearts: Hearts) -> None:
    maps = torch.nn.functional.one_hot(hearts.labels.long(), len(Label)).movedim(-1, 2)
    how = replace(STILL, tilt=0.4, shift=0.1, log_scale=0.2, elastic=0.04)
    batch = vary(hearts.image, hearts.labels, hearts.depth, maps, how, torch.Generator().manual_seed(1))
    inside = batch.maps.sum(dim=2) > 0.99
    assert torch.equal(batch.maps.argmax(dim=2)[inside], batch.labels[inside])


def test_equal_seeds_change_a_batch_equally(hearts: Hearts) -> None:
    first, second, other = (
        vary(hearts.image, hearts.labels, hearts.depth, None, Variation(48), torch.Generator().manual_seed(s)).image
        for s in (1, 1, 2)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert torch.isfinite(first).all()


def test_normalising_on_a_device_is_that_of_inference() -> None:
    image = torch.rand(2, 3, 20, 24, generator=torch.Generator().manual_seed(0))
    image[0, 0] = 0.5  # constant: zeros
    assert (normalise(image) - torch.from_numpy(normalise_slices(image.numpy()))).abs().max() < 1e-4


def test_scars_are_invented_in_healthy_walls_alone_and_brighten_them(hearts: Hearts) -> None:
    signal, depth = hearts.image.float() / 255, hearts.depth.float() / 255
    before = hearts.labels.long()
    how = Scars(probability=1.0, half_width=(0.8, 1.0), depth=(0.6, 1.0), contrast=(1.0, 1.0), core=0.0)
    after, classes = add_scars(signal, before, depth, how, torch.Generator().manual_seed(0))
    assert torch.equal(classes[0], before[0])  # has a scar of its own
    assert torch.equal(after[0], signal[0])
    changed = classes[1] != before[1]
    assert changed.any()
    assert (before[1][changed] == Label.MYOCARDIUM).all()
    assert (classes[1][changed] == Label.SCAR).all()
    assert after[1][changed].mean() > signal[1][changed].mean() + 0.1
    assert (after[1][before[1] == Label.BLOOD_POOL] == signal[1][before[1] == Label.BLOOD_POOL]).all()
