import resource
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from scarnet_cli.errors import GeometryError, MachineError
from scarnet_cli.image.volume import Volume, axis_code, grid_text, read_nifti, same_grid, write_nifti

# A right-handed double-oblique direction: 30 degrees about x after 20 degrees about z.
_A, _B = np.deg2rad(30), np.deg2rad(20)
OBLIQUE = np.array([[1, 0, 0], [0, np.cos(_A), -np.sin(_A)], [0, np.sin(_A), np.cos(_A)]]) @ np.array(
    [[np.cos(_B), -np.sin(_B), 0], [np.sin(_B), np.cos(_B), 0], [0, 0, 1]]
)


def oblique_volume() -> Volume:
    array = np.arange(4 * 5 * 6, dtype=np.float32).reshape(4, 5, 6)
    return Volume(array, (9.0, 1.5, 1.25), (10.0, -20.0, 30.0), OBLIQUE)


def test_world_places_a_voxel_by_spacing_origin_and_direction() -> None:
    volume = Volume(np.zeros((2, 2, 2)), (8.0, 2.0, 1.0), (1.0, 2.0, 3.0), np.eye(3))
    # index z, y, x = 1, 1, 1 lies 1 mm along x, 2 mm along y, 8 mm along z
    assert volume.world(np.array([1.0, 1.0, 1.0])) == pytest.approx([2.0, 4.0, 11.0])


def test_world_agrees_with_itk_on_an_oblique_grid(tmp_path: Path) -> None:
    volume = oblique_volume()
    write_nifti(volume, tmp_path / "a.nii.gz")
    image = sitk.ReadImage(str(tmp_path / "a.nii.gz"))
    # NIfTI stores single precision
    assert volume.world(np.array([3.0, 2.0, 5.0])) == pytest.approx(
        image.TransformIndexToPhysicalPoint((5, 2, 3)), abs=1e-4
    )


def test_nifti_round_trip_keeps_voxels_and_grid(tmp_path: Path) -> None:
    volume = oblique_volume()
    write_nifti(volume, tmp_path / "a.nii.gz")
    again = read_nifti(tmp_path / "a.nii.gz")
    assert np.array_equal(again.array, volume.array)
    assert same_grid(again, volume)
    assert again.spacing_zyx_mm == pytest.approx((9.0, 1.5, 1.25))


def test_equal_volumes_are_written_as_equal_bytes(tmp_path: Path) -> None:
    for name in ("a.nii.gz", "b.nii.gz"):
        write_nifti(oblique_volume(), tmp_path / name)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii"])
def test_an_image_that_could_not_be_written_whole_is_an_error_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    # ITK itself is silent, as on a full disk.
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limit[1]))
    try:
        with pytest.raises(MachineError, match="could not be written whole"):
            write_nifti(oblique_volume(), tmp_path / name)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert list(tmp_path.iterdir()) == []


def test_writing_leaves_no_temporary_file(tmp_path: Path) -> None:
    write_nifti(oblique_volume(), tmp_path / "a.nii.gz")
    assert [path.name for path in tmp_path.iterdir()] == ["a.nii.gz"]


def test_grids_of_equal_shape_but_other_origin_differ() -> None:
    volume = oblique_volume()
    moved = Volume(volume.array, volume.spacing_zyx_mm, (10.0, -20.0, 30.5), volume.direction)
    assert not same_grid(volume, moved)


def test_a_text_file_named_nifti_raises(tmp_path: Path) -> None:
    (tmp_path / "a.nii.gz").write_text("no image")
    with pytest.raises(GeometryError, match=r"a\.nii\.gz is not a NIfTI image"):
        read_nifti(tmp_path / "a.nii.gz")


def test_a_4d_file_with_two_frames_raises(tmp_path: Path) -> None:
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((2, 3, 4, 5), np.float32), isVector=False), str(tmp_path / "a.nii"))
    with pytest.raises(GeometryError, match="one 3D volume of single values is needed"):
        read_nifti(tmp_path / "a.nii")


def test_an_array_of_another_shape_raises() -> None:
    with pytest.raises(GeometryError, match=r"shape \(1, 5, 6\), its grid \(4, 5, 6\)"):
        oblique_volume().with_array(np.zeros((1, 5, 6)))


def test_voxel_ml_uses_the_spacing_of_every_axis() -> None:
    assert oblique_volume().voxel_ml == pytest.approx(9.0 * 1.5 * 1.25 / 1000)


def test_a_grid_in_words_has_size_spacing_axes_and_origin() -> None:
    volume = Volume(np.zeros((1, 30, 40)), (8.0, 2.0, 1.0), (1.0, 2.0, 3.0), np.diag([-1.0, 1.0, -1.0]))
    assert grid_text(volume) == "40 x 30 x 1 voxels of 1 x 2 x 8 mm, axes RPI, origin (1.00, 2.00, 3.00) mm"
    assert axis_code(OBLIQUE) == "LPS"
