"""NIfTI as other tools write it: by nibabel, with known truth."""

import gzip
import itertools
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from scarnet_cli.errors import GeometryError
from scarnet_cli.image.foreign_nifti import as_stack, like, read_foreign_nifti
from scarnet_cli.image.volume import Volume, read_nifti, same_grid, write_nifti

# Short-axis-like: columns run mostly to the left, rows mostly down, slices along their product.
_TURN = np.deg2rad(25)
SHORT_AXIS = np.array([[np.cos(_TURN), 0.0, np.sin(_TURN)], [np.sin(_TURN), 0.0, -np.cos(_TURN)], [0.0, 1.0, 0.0]])
SHORT_AXIS[:, 1] *= -1  # rows run to the feet
SHORT_AXIS[:, 2] = np.cross(SHORT_AXIS[:, 0], SHORT_AXIS[:, 1])
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def stack() -> Volume:
    array = np.random.default_rng(0).normal(size=(4, 6, 5)).astype(np.float32)
    return Volume(array, (9.0, 1.5, 1.25), (10.0, -20.0, 30.0), SHORT_AXIS)


def affine_of(volume: Volume) -> NDArray[np.float64]:
    """Return the RAS affine of a volume's (i, j, k)."""
    affine = np.eye(4)
    affine[:3, :3] = volume.direction * volume.spacing_zyx_mm[::-1]
    affine[:3, 3] = volume.origin_xyz_mm
    return LPS @ affine


def write(path: Path, volume: Volume, affine: NDArray[np.float64] | None = None) -> None:
    image = nibabel.Nifti1Image(volume.array.transpose(2, 1, 0), affine_of(volume) if affine is None else affine)
    nibabel.save(image, path)


def written_otherwise(volume: Volume, path: Path, order: tuple[int, ...], turned: tuple[int, ...]) -> None:
    """Write the same voxels with the axes in another order and turned round, and the affine that goes with it."""
    ijk, affine = volume.array.transpose(2, 1, 0), affine_of(volume)
    for axis in turned:
        affine[:3, 3] += affine[:3, axis] * (ijk.shape[axis] - 1)
        affine[:3, axis] *= -1
    ijk = np.flip(ijk, turned).transpose(order)
    affine[:3, :3] = affine[:3, list(order)]
    nibabel.save(nibabel.Nifti1Image(ijk, affine), path)


ORIENTATIONS = [
    (order, turned)
    for order in itertools.permutations(range(3))
    for number in range(4)
    for turned in itertools.combinations(range(3), number)
]


def test_all_48_orders_of_the_axes_are_one_stack(tmp_path: Path) -> None:
    assert len(ORIENTATIONS) == 48
    for order, turned in ORIENTATIONS:
        written_otherwise(stack(), tmp_path / "a.nii.gz", order, turned)
        foreign = read_foreign_nifti(tmp_path / "a.nii.gz")
        found = as_stack(foreign.volume)
        assert np.array_equal(found.array, stack().array), (order, turned)
        assert same_grid(found, stack())
        assert found.spacing_zyx_mm == pytest.approx((9.0, 1.5, 1.25), rel=1e-6)
        assert foreign.flags == ()


def test_a_label_map_in_any_order_is_brought_to_the_image_s(tmp_path: Path) -> None:
    grid = replace(stack(), direction=SHORT_AXIS[:, [1, 0, 2]] * [1, 1, -1])  # not as a reader would see it
    for order, turned in ORIENTATIONS:
        written_otherwise(grid, tmp_path / "a.nii.gz", order, turned)
        found = like(read_foreign_nifti(tmp_path / "a.nii.gz").volume, grid)
        assert np.array_equal(found.array, grid.array), (order, turned)
        assert same_grid(found, grid)


def test_voxels_and_grid_are_those_that_itk_reads(tmp_path: Path) -> None:
    write_nifti(stack(), tmp_path / "a.nii.gz")
    foreign, ours = read_foreign_nifti(tmp_path / "a.nii.gz").volume, read_nifti(tmp_path / "a.nii.gz")
    assert np.array_equal(foreign.array, ours.array)
    assert same_grid(foreign, ours)


@pytest.mark.parametrize("spacing", [(1.4, 1.4, 1.4), (1.6, 1.4, 1.4), (2.0, 2.0, 1.0)])
def test_a_volume_without_a_clear_axis_of_slices_is_refused(spacing: tuple[float, float, float]) -> None:
    with pytest.raises(GeometryError, match="no axis is clearly the slices"):
        as_stack(replace(stack(), spacing_zyx_mm=spacing))


def test_cosines_of_three_digits_are_repaired_and_flagged(tmp_path: Path) -> None:
    affine = affine_of(stack())
    widths = np.linalg.norm(affine[:3, :3], axis=0)
    affine[:3, :3] = np.round(affine[:3, :3] / widths, 3) * widths
    affine[:3, 0] += 0.004 * affine[:3, 1]
    write(tmp_path / "a.nii.gz", stack(), affine)
    foreign = read_foreign_nifti(tmp_path / "a.nii.gz")
    assert foreign.flags == ("orientation_repaired",)
    direction = foreign.volume.direction
    assert np.allclose(direction.T @ direction, np.eye(3), atol=1e-12)
    assert np.abs(direction - SHORT_AXIS).max() < 5e-3


def test_axes_far_from_a_right_angle_are_refused_with_the_angle(tmp_path: Path) -> None:
    affine = affine_of(stack())
    affine[:3, 2] += 9.0 * np.tan(np.deg2rad(3.0)) * affine[:3, 0] / 1.25
    write(tmp_path / "a.nii.gz", stack(), affine)
    with pytest.raises(GeometryError, match=r"miss a right angle by 3\.00 degrees; up to 0\.57"):
        read_foreign_nifti(tmp_path / "a.nii.gz")


def test_a_file_without_orientation_keeps_its_order_and_says_so(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(stack().array.transpose(2, 1, 0), affine_of(stack()))
    image.set_sform(None, 0)
    image.set_qform(None, 0)
    nibabel.save(image, tmp_path / "a.nii.gz")
    foreign = read_foreign_nifti(tmp_path / "a.nii.gz")
    assert foreign.flags == ("orientation_unknown",)
    found = as_stack(foreign.volume)
    assert np.array_equal(found.array, stack().array)
    assert found.spacing_zyx_mm == pytest.approx((9.0, 1.5, 1.25))


def test_the_sform_counts_before_the_qform_and_alone_each_counts(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(stack().array.transpose(2, 1, 0), None)
    image.set_qform(affine_of(stack()), 1)
    image.set_sform(None, 0)
    nibabel.save(image, tmp_path / "q.nii.gz")
    assert same_grid(read_foreign_nifti(tmp_path / "q.nii.gz").volume, stack())
    moved = affine_of(stack())
    moved[:3, 3] += 7.0
    image.set_sform(moved, 2)
    nibabel.save(image, tmp_path / "s.nii.gz")
    expected = replace(stack(), origin_xyz_mm=(3.0, -27.0, 37.0))
    assert same_grid(read_foreign_nifti(tmp_path / "s.nii.gz").volume, expected)


def write_both(path: Path, sform: NDArray[np.float64], qform: NDArray[np.float64]) -> None:
    image = nibabel.Nifti1Image(stack().array.transpose(2, 1, 0), sform)
    image.set_sform(sform, 2)
    image.set_qform(qform, 1)
    nibabel.save(image, path)


def test_sform_and_qform_that_turn_the_axes_differently_are_flagged(tmp_path: Path) -> None:
    straight = np.diag([-1.25, -1.5, 9.0, 1.0])  # a program that wrote the spacing and forgot the directions
    write_both(tmp_path / "a.nii.gz", straight, affine_of(stack()))
    foreign = read_foreign_nifti(tmp_path / "a.nii.gz")
    assert foreign.flags == ("orientation_disputed",)
    assert foreign.volume.direction == pytest.approx(np.eye(3))
    moved = affine_of(stack())
    moved[:3, 3] += 7.0
    write_both(tmp_path / "b.nii.gz", moved, affine_of(stack()))
    assert read_foreign_nifti(tmp_path / "b.nii.gz").flags == ()


def test_sform_and_qform_that_give_two_sizes_are_refused_with_both(tmp_path: Path) -> None:
    scaled = affine_of(stack()) @ np.diag([1.1, 1.1, 1.1, 1.0])  # aligned with a larger heart
    write_both(tmp_path / "a.nii.gz", scaled, affine_of(stack()))
    expected = r"1\.375 x 1\.65 x 9\.9 mm apart by its sform, 1\.25 x 1\.5 x 9 by its qform"
    with pytest.raises(GeometryError, match=expected) as refused:
        read_foreign_nifti(tmp_path / "a.nii.gz")
    assert refused.value.code == "bad_spacing"


def test_a_fourth_axis_of_one_entry_is_left_out_and_one_of_two_is_refused(tmp_path: Path) -> None:
    for number in (1, 2):
        array = np.stack([stack().array.transpose(2, 1, 0)] * number, axis=3)
        nibabel.save(nibabel.Nifti1Image(array, affine_of(stack())), tmp_path / f"{number}.nii.gz")
    assert np.array_equal(read_foreign_nifti(tmp_path / "1.nii.gz").volume.array, stack().array)
    with pytest.raises(GeometryError, match="has 5 x 6 x 4 x 2 values; one volume"):
        read_foreign_nifti(tmp_path / "2.nii.gz")


def test_stored_values_are_scaled_as_the_header_says(tmp_path: Path) -> None:
    stored = np.arange(120, dtype=np.int16).reshape(5, 6, 4)
    image = nibabel.Nifti1Image(stored, affine_of(stack()))
    image.header.set_slope_inter(0.5, 3.0)
    nibabel.save(image, tmp_path / "a.nii.gz")
    values = read_foreign_nifti(tmp_path / "a.nii.gz").volume.array
    assert values[1, 2, 3] == stored[3, 2, 1] * 0.5 + 3.0


@pytest.mark.parametrize(("code", "unit_mm"), [(0, 1.0), (1, 1e3), (2, 1.0), (3, 1e-3), (10, 1.0), (9, 1e3)])
def test_distances_are_in_the_unit_that_the_header_names(code: int, unit_mm: float, tmp_path: Path) -> None:
    affine = affine_of(stack())
    affine[:3] /= unit_mm
    image = nibabel.Nifti1Image(stack().array.transpose(2, 1, 0), affine)
    image.header["xyzt_units"] = code  # 8 and more: the unit of time is added
    nibabel.save(image, tmp_path / "a.nii.gz")
    assert same_grid(read_foreign_nifti(tmp_path / "a.nii.gz").volume, stack())


def test_voxels_of_a_size_that_no_heart_has_are_refused_with_the_unit(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(stack().array.transpose(2, 1, 0), affine_of(stack()))
    image.header["xyzt_units"] = 1
    nibabel.save(image, tmp_path / "a.nii.gz")
    with pytest.raises(GeometryError, match=r"are 1250 x 1500 x 9000 mm apart \(it says metres\)"):
        read_foreign_nifti(tmp_path / "a.nii.gz")


def test_the_content_tells_whether_a_file_is_packed_and_not_its_name(tmp_path: Path) -> None:
    write(tmp_path / "a.nii", stack())
    packed = gzip.compress((tmp_path / "a.nii").read_bytes())
    (tmp_path / "plain.nii.gz").write_bytes((tmp_path / "a.nii").read_bytes())
    (tmp_path / "packed.nii").write_bytes(packed)
    for name in ("plain.nii.gz", "packed.nii"):
        assert np.array_equal(read_foreign_nifti(tmp_path / name).volume.array, stack().array)


def test_a_packed_file_whose_values_are_not_those_that_were_packed_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.nii", stack())
    packed = bytearray(gzip.compress((tmp_path / "a.nii").read_bytes(), 0))  # values as they are: one bit of one turns
    packed[-40] ^= 1
    (tmp_path / "a.nii.gz").write_bytes(packed)
    with pytest.raises(GeometryError, match="The NIfTI file is not a NIfTI image that can be read"):
        read_foreign_nifti(tmp_path / "a.nii.gz")


def test_complex_numbers_are_refused(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Image(np.ones((5, 6, 4), np.complex64), affine_of(stack())), tmp_path / "a.nii.gz")
    with pytest.raises(GeometryError, match="5 x 6 x 4 values; one volume of single real values is needed"):
        read_foreign_nifti(tmp_path / "a.nii.gz")


def test_the_header_of_a_pair_is_named_as_one(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Pair(stack().array.transpose(2, 1, 0), affine_of(stack())), tmp_path / "a.img")
    with pytest.raises(GeometryError, match=r"header of a pair \(\.hdr and \.img\); write both as one file"):
        read_foreign_nifti(tmp_path / "a.hdr")


@pytest.mark.parametrize("content", [b"", b"no image", b"\x1f\x8b cut"])
def test_what_is_no_nifti_is_refused_without_the_file_s_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "DOE_JANE.nii.gz").write_bytes(content)
    with pytest.raises(GeometryError, match="The NIfTI file is not a NIfTI image") as caught:
        read_foreign_nifti(tmp_path / "DOE_JANE.nii.gz")
    assert "DOE" not in str(caught.value)
