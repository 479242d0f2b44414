import numpy as np
import pytest

from scarnet_cli.errors import ModelError
from scarnet_cli.image.labels import region_mask
from scarnet_cli.image.resample import resample_to
from scarnet_cli.image.volume import Volume
from scarnet_cli.infer.localise import crop_heart, locate_heart
from scarnet_cli.model.weights import TrainedNetwork
from scarnet_cli.phantom.make import Phantom


def turned(volume: Volume) -> Volume:
    """Return the same picture stored a quarter turn round, on a grid of its own."""
    z_mm, y_mm, x_mm = volume.spacing_zyx_mm
    return Volume(np.ascontiguousarray(np.rot90(volume.array, axes=(1, 2))), (z_mm, x_mm, y_mm), (0, 0, 0), np.eye(3))


def test_the_crop_holds_the_whole_myocardium(phantom: Phantom, localiser: TrainedNetwork) -> None:
    crop = crop_heart(phantom.image, localiser).image
    assert crop.shape_zyx == (phantom.image.shape_zyx[0], 128, 128)
    inside = resample_to(crop.with_array(np.ones(crop.shape_zyx, np.float32)), phantom.image, "nearest").array > 0
    myocardium = region_mask(phantom.labels.array, "myocardium")
    assert (myocardium & inside).sum() == myocardium.sum()


def test_a_picture_stored_a_quarter_turn_round_is_found_at_the_turned_place(
    phantom: Phantom, localiser: TrainedNetwork
) -> None:
    (row, column), _ = locate_heart(phantom.image, localiser)
    (turned_row, turned_column), _ = locate_heart(turned(phantom.image), localiser)
    last_column_mm = (phantom.image.shape_zyx[2] - 1) * phantom.image.spacing_zyx_mm[2]
    # rot90: new row = last column - old column, new column = old row; the network is not exactly symmetric
    assert turned_row == pytest.approx(last_column_mm - column, abs=10.0)
    assert turned_column == pytest.approx(row, abs=10.0)


def test_a_picture_without_a_heart_raises(localiser: TrainedNetwork) -> None:
    noise = np.random.default_rng(0).normal(100, 5, (8, 256, 256)).astype(np.float32)
    with pytest.raises(ModelError, match="No left ventricle was found") as caught:
        locate_heart(Volume(noise, (10.0, 1.5, 1.5), (0.0, 0.0, 0.0), np.eye(3)), localiser)
    assert caught.value.code == "heart_not_found"


def test_a_blank_picture_raises(localiser: TrainedNetwork) -> None:
    with pytest.raises(ModelError, match=r"Every voxel is 7\.0"):
        locate_heart(Volume(np.full((8, 160, 160), 7.0), (10.0, 1.5, 1.5), (0.0, 0.0, 0.0), np.eye(3)), localiser)


def test_a_heart_at_the_edge_is_flagged_as_cut_off(phantom: Phantom, localiser: TrainedNetwork) -> None:
    (row, _), _ = locate_heart(phantom.image, localiser)
    # the crop reaches 90 mm up from the heart, the picture 75
    cut = phantom.image.array[:, int((row - 75) / phantom.image.spacing_zyx_mm[1]) :]
    small = Volume(np.ascontiguousarray(cut), phantom.image.spacing_zyx_mm, (0, 0, 0), np.eye(3))
    assert crop_heart(small, localiser).cut_off


def test_segmentation_weights_are_refused(phantom: Phantom, segmenter: TrainedNetwork) -> None:
    with pytest.raises(ModelError, match="are for segment, not for localise"):
        locate_heart(phantom.image, segmenter)
