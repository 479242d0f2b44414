import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hearts import region_dice, toy_spec
from torch import Tensor, nn

from scarnet_cli.image.labels import Label
from scarnet_cli.image.resample import resample_labels
from scarnet_cli.infer.localise import CROP_SIZE, crop_heart
from scarnet_cli.infer.network import class_probabilities, neighbour_channels
from scarnet_cli.infer.segment import WINDOW, network_input, undecided_labels
from scarnet_cli.infer.views import MIRRORS, View, enlarged_once, enlarged_views
from scarnet_cli.model.weights import TrainedNetwork
from scarnet_cli.phantom.make import Phantom


class Corner(nn.Module):
    """Says class 1 where the sum of the picture's first row and column weighs in: it sees which way up a picture is."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, image: Tensor) -> Tensor:
        weight = torch.zeros(image.shape[-2:])
        weight[0, 0] = 1.0
        logit = self.gain * image[:, :1] * weight
        return torch.cat([torch.zeros_like(logit), logit], dim=1)


def trained(network: nn.Module) -> TrainedNetwork:
    return TrainedNetwork(network.eval(), toy_spec(), "")


def test_the_mean_is_taken_over_four_mirror_images_turned_back() -> None:
    slices = np.zeros((1, 1, 2, 3), np.float32)
    slices[0, 0, 0, 0], slices[0, 0, 1, 2] = 2.0, -2.0
    once = class_probabilities(trained(Corner()), slices, (View(),))[0, 1]
    mean = class_probabilities(trained(Corner()), slices, MIRRORS)[0, 1]
    at_2, at_minus_2 = 1 / (1 + np.exp(-2.0)), 1 / (1 + np.exp(2.0))
    assert once == pytest.approx(np.array([[at_2, 0.5, 0.5], [0.5, 0.5, 0.5]]))
    # each corner is the network's corner in one of the four; elsewhere and in the three others it says 1/2
    expected = np.full((2, 3), 0.5)
    expected[0, 0], expected[1, 2] = (at_2 + 1.5) / 4, (at_minus_2 + 1.5) / 4
    assert mean == pytest.approx(expected)


def test_a_slice_gets_the_same_probabilities_whatever_goes_with_it(segmenter: TrainedNetwork) -> None:
    slices = np.random.default_rng(0).normal(size=(3, 3, 96, 96)).astype(np.float32)
    for views in ((View(),), enlarged_views(1.4)):
        together = class_probabilities(segmenter, slices, views)
        alone = class_probabilities(segmenter, slices[2:], views)
        assert np.array_equal(together[2:], alone)
        assert together.sum(axis=1) == pytest.approx(np.ones((3, 96, 96)), abs=1e-5)


def test_a_pass_with_several_views_is_as_exact_as_one_after_the_other(segmenter: TrainedNetwork) -> None:
    slices = np.random.default_rng(1).normal(size=(2, 3, 96, 96)).astype(np.float32)
    flips: list[tuple[int, ...]] = [(), (2,), (3,), (2, 3)]
    one_by_one = np.mean(
        [
            np.flip(class_probabilities(segmenter, np.ascontiguousarray(np.flip(slices, f)), (View(),)), f)
            for f in flips
        ],
        axis=0,
    )
    # a mirror image is interpolated at whole pixels, whose places are rounded to float32
    assert np.abs(class_probabilities(segmenter, slices, MIRRORS) - one_by_one).max() < 1e-4


def test_a_view_turns_about_the_middle_and_enlarges_a_picture_that_is_not_square() -> None:
    rows, columns = torch.meshgrid(torch.arange(30.0) - 14.5, torch.arange(40.0) - 19.5, indexing="ij")
    picture = torch.stack([rows, columns])[None]
    view = View(turn=0.3, zoom=1.25, mirrored=True)
    seen = view.show(picture)[0, :, 10:20, 15:25]
    y, x = rows[10:20, 15:25] / 1.25, -columns[10:20, 15:25] / 1.25
    torch.testing.assert_close(seen[0], x * math.sin(0.3) + y * math.cos(0.3), atol=1e-4, rtol=0)
    torch.testing.assert_close(seen[1], x * math.cos(0.3) - y * math.sin(0.3), atol=1e-4, rtol=0)
    back = view.undo(view.show(picture), picture.shape[-2:])[0, :, 10:20, 15:25]
    torch.testing.assert_close(back, picture[0, :, 10:20, 15:25], atol=1e-4, rtol=0)


@pytest.mark.parametrize(("zoom", "side"), [(1.18, 96), (1.4, 112), (1.6, 128)])
def test_an_enlarged_view_has_the_pixels_to_show_the_middle_80_and_comes_back_at_the_old_size(
    zoom: float, side: int
) -> None:
    rows, columns = torch.meshgrid(torch.arange(96.0) - 47.5, torch.arange(96.0) - 47.5, indexing="ij")
    disc = (torch.hypot(rows, columns) < 36).float()[None, None]  # nearly the middle 80 pixels
    (view,) = enlarged_once(zoom)
    seen = view.show(disc)
    assert seen.shape == (1, 1, side, side)
    assert seen.sum() == pytest.approx(float(disc.sum()) * zoom**2, rel=0.01)
    assert {view.show(disc).shape for view in enlarged_views(zoom)} == {seen.shape}
    assert (view.undo(seen, disc.shape[-2:]) - disc).abs().mean() < 0.01


def test_bfloat16_and_float32_agree_within_half_a_point_of_dice(
    phantom: Phantom, localiser: TrainedNetwork, segmenter: TrainedNetwork
) -> None:
    crop = crop_heart(phantom.image, localiser).image
    two = slice(len(crop.array) // 2 - 1, len(crop.array) // 2 + 1)
    truth = resample_labels(phantom.labels, crop, len(Label)).array[two]
    window = slice((CROP_SIZE - WINDOW) // 2, (CROP_SIZE + WINDOW) // 2)
    slices = network_input(crop, segmenter)[two]
    views = enlarged_once(segmenter.spec.zoom)
    coarse, exact = (class_probabilities(segmenter, slices, views, bf16=bf16) for bf16 in (True, False))
    assert not np.array_equal(coarse, exact)
    scores = [region_dice(undecided_labels(p.swapaxes(0, 1), 0.5), truth[:, window, window]) for p in (coarse, exact)]
    assert scores[1]["myocardium"] > 0.7
    assert scores[0] == pytest.approx(scores[1], abs=0.005)


@pytest.mark.gpu
def test_a_gpu_agrees_with_the_cpu(phantom: Phantom, localiser: TrainedNetwork, segmenter: TrainedNetwork) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    slices = network_input(crop_heart(phantom.image, localiser).image, segmenter)
    on_gpu = replace(segmenter, network=copy.deepcopy(segmenter.network).to("cuda"))
    ours, reference = (
        undecided_labels(class_probabilities(network, slices, MIRRORS).swapaxes(0, 1), 0.5)
        for network in (on_gpu, segmenter)
    )
    assert region_dice(ours, reference)["myocardium"] > 0.995


def test_neighbours_beyond_the_ends_are_the_end_slices() -> None:
    stack = np.random.default_rng(0).normal(size=(3, 5, 6))
    channels = neighbour_channels(stack, context=1)
    assert channels.shape == (3, 3, 5, 6)
    first, second, third = channels[:, 1]
    assert np.array_equal(channels[0], np.stack([first, first, second]))
    assert np.array_equal(channels[2], np.stack([second, third, third]))
