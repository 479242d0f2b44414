import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from scarnet_cli.benchmark.disturbances import DISTURBANCES, random_numbers
from scarnet_cli.cases.cases import Case
from scarnet_cli.image.volume import Volume


def case_of(image: NDArray[np.number], labels: NDArray[np.integer] | None = None) -> Case:
    """Return a case with pixels of 1 mm, 8 mm apart in z."""
    grid = Volume(image, (8.0, 1.0, 1.0), (5.0, -3.0, 2.0), np.eye(3))
    return Case("Case_1", grid, grid.with_array(np.zeros(image.shape, np.uint8) if labels is None else labels))


def disturb(name: str, case: Case, severity: float, repeat: int = 0) -> Case:
    return DISTURBANCES[name].disturb(case, severity, random_numbers(0, name, case.case_id, repeat))


def halves() -> Case:
    """Two slices whose left half is 0 and whose right half is 100, with two columns of 1 between."""
    return case_of(np.repeat([[[0.0] * 32 + [1.0] * 2 + [100.0] * 30]], 64, axis=1).repeat(2, axis=0))


def test_noise_is_rician_and_its_sd_a_part_of_the_range() -> None:
    noisy = disturb("rician_noise", halves(), 10.0).image.array
    # without signal the mean is SD * sqrt(pi / 2); with much signal the SD is that of the noise
    assert noisy[:, :, :32].mean() == pytest.approx(0.1 * math.sqrt(math.pi / 2), rel=0.03)
    assert noisy[:, :, 34:].std() == pytest.approx(0.1, rel=0.05)


def test_noise_follows_the_range_round_the_heart_without_padding_and_spots_elsewhere() -> None:
    image = np.full((1, 400, 400), 50.0)
    image[:, :, 200:] = 60.0
    image[:, :40], image[:, 360:] = 0.0, 100.0  # the crop's 179 pixels reach neither
    labels = np.zeros(image.shape, np.uint8)
    labels[:, 190:210, 190:210] = 2
    flat = disturb("rician_noise", case_of(image, labels), 10.0).image.array[0, 150:250, 100:190]
    assert flat.mean() == pytest.approx(0.5, abs=0.001)
    assert flat.std() == pytest.approx(0.1 * (0.6 - 0.5), rel=0.05)


def test_a_repeat_has_other_noise_and_the_same_repeat_the_same() -> None:
    first, again, other = (disturb("rician_noise", halves(), 5.0, repeat).image.array for repeat in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.05


def test_a_bias_field_multiplies_the_signal_up_to_about_its_factor_and_leaves_no_signal() -> None:
    image = np.full((2, 64, 66), 150.0)
    image[:, :, :2], image[:, :, 2:33], image[:, :, 65] = 0.0, 100.0, 200.0  # padding, no signal, signal, the brightest
    biased = disturb("bias_field", case_of(image), 2.0).image.array
    np.testing.assert_array_equal(biased[:, :, :3], image[:, :, :3])
    np.testing.assert_allclose(biased[:, :, 3:33], 100.0)
    gain = (biased[:, :, 33:65] - 100.0) / 50.0
    assert 1 / 3 < gain.min() < gain.max() < 3  # the interpolation passes its knots a little
    assert gain.max() / gain.min() > 1.5


def test_blur_halves_a_thin_line_half_its_width_away() -> None:
    image = np.zeros((1, 32, 32))
    image[:, :, 16] = 1.0
    row = disturb("blur", case_of(image), 4.0).image.array[0, 16]
    assert row[18] / row[16] == pytest.approx(0.5, rel=0.01)


@pytest.mark.parametrize(
    ("name", "severity", "expected"),
    [("gamma", 2.0, (0.0, 0.0625, 0.36, 1.0)), ("contrast", 2.0, (0.0, 0.0, 0.7, 1.0))],
)
def test_signals_are_bent_and_clipped(name: str, severity: float, expected: tuple[float, ...]) -> None:
    image = np.array([0.0, 25.0, 60.0, 100.0]).repeat(16).reshape(1, 4, 16)
    bent = disturb(name, case_of(image), severity).image.array
    np.testing.assert_allclose(bent[0, :, 0], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("nulled", "expected"),
    # no signal is 128: air, half of the wall's signal, wall, wall, blood, scar, and tissue that is still inverted
    [
        (0.0, (0, 20, 40, 40, 62, 72, 28)),
        (100.0, (0, 0, 0, 0, 22, 32, 28)),
        (125.0, (0, 5, 10, 10, 12, 22, 28)),
    ],
)
def test_magnitude_is_the_distance_from_no_signal_after_the_walls_is_nulled(
    nulled: float, expected: tuple[int, ...]
) -> None:
    row = [0, 50, 128, 148, 168, 168, 190, 200, 100, 256]  # padding, its edge, the seven above, the brightest
    labels = [0, 0, 0, 0, 2, 2, 1, 3, 0, 0]
    image, marks = (np.array([[values]] * 2).reshape(2, 1, 10) for values in (row, labels))
    magnitude = disturb("magnitude", case_of(image, marks), nulled).image.array
    np.testing.assert_allclose(magnitude[0, 0, :9], (0, 0, *expected))
    assert (magnitude[0] == magnitude[1]).all()


def test_of_signed_values_no_signal_is_0_and_nothing_is_nulled_without_a_wall() -> None:
    case = case_of(np.array([[[-9.0, -9.0, -4.0, 0.0, 3.0, 30.0]]]))
    for nulled in (0.0, 100.0):
        np.testing.assert_allclose(disturb("magnitude", case, nulled).image.array, [[[0, 0, 0, 0, 3, 30]]])


def test_a_quarter_turn_moves_image_and_labels_alike() -> None:
    labels = np.zeros((2, 9, 9), np.uint8)
    labels[0, 1:3, 2:6], labels[1, 4, 4] = 2, 3
    turned = disturb("turns", case_of(labels.astype(np.float32), labels), 90.0)
    np.testing.assert_array_equal(turned.labels.array, np.rot90(labels, axes=(1, 2)))
    np.testing.assert_allclose(turned.image.array, turned.labels.array, atol=1e-4)


def test_larger_pixels_cover_the_same_area_and_take_the_labels_along() -> None:
    labels = np.zeros((2, 16, 24), np.uint8)
    labels[:, 4:12, 8:16] = 2
    coarse = disturb("low_resolution", case_of(labels * 10.0, labels), 2.0)
    assert coarse.image.shape_zyx == coarse.labels.shape_zyx == (2, 8, 12)
    assert coarse.image.spacing_zyx_mm == coarse.labels.spacing_zyx_mm == (8.0, 2.0, 2.0)
    assert coarse.image.origin_xyz_mm == (5.5, -2.5, 2.0)  # half a small pixel inwards
    np.testing.assert_array_equal(coarse.labels.array[0], labels[0, ::2, ::2])


def test_slices_go_missing_from_image_and_labels_together_but_never_all() -> None:
    image = np.arange(5.0).repeat(4).reshape(5, 2, 2)
    fewer = disturb("missing_slices", case_of(image, image.astype(np.uint8)), 3.0)
    kept = fewer.image.array[:, 0, 0].tolist()
    assert len(kept) == 2
    assert kept == sorted(kept)
    np.testing.assert_array_equal(fewer.image.array, fewer.labels.array)
    assert disturb("missing_slices", case_of(image[:2]), 3.0).image.shape_zyx == (1, 2, 2)


def test_every_disturbance_gives_a_finite_case_on_one_grid() -> None:
    case = halves()
    labels = np.zeros((2, 64, 64), np.uint8)
    labels[:, 20:40, 30:40], labels[:, 25:35, 36:44] = 2, 1
    for name, how in DISTURBANCES.items():
        for severity in how.severities:
            disturbed = disturb(name, case_of(case.image.array, labels), severity)
            assert disturbed.image.shape_zyx == disturbed.labels.shape_zyx, name
            assert np.isfinite(disturbed.image.array).all(), name
            assert set(np.unique(disturbed.labels.array).tolist()) <= {0, 1, 2}, name


def test_random_numbers_differ_by_disturbance_case_and_seed() -> None:
    asked = [(0, "ghosts", "A", 0), (0, "turns", "A", 0), (0, "ghosts", "B", 0), (1, "ghosts", "A", 0)]
    drawn = [torch.rand(1, generator=random_numbers(*one)).item() for one in asked]
    assert len(set(drawn)) == len(asked)
