"""image.nii.gz means the same to ITK, nibabel and FSL, and what DICOM meant."""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from dicom_cases import CASES
from dicom_cases.outcome import outcome
from dicom_cases.truth import TrueStack
from numpy.typing import NDArray

from scarnet_cli.image.volume import Volume, write_nifti

PLACED = [
    "plain",
    "axial",
    "axial, rows to the right",
    "sagittal",
    "coronal",
    "slices run against the normal",
    "pixels four times as high as wide",
    "far from the isocentre, sixteen digits",
]
RAS_OF_LPS = np.diag([-1.0, -1.0, 1.0])
SCANNER = 1
MILLIMETRE_AND_SECOND = 2 + 8
FLOAT32 = 16


@pytest.fixture(scope="module", params=PLACED)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TrueStack]:
    folder = tmp_path_factory.mktemp("case")
    truth = CASES[request.param].write(folder / "in")
    outcome(folder / "in", folder / "out")
    (path,) = (folder / "out").rglob("image.nii.gz")
    return path, truth.stack


def corner_indices(stack: TrueStack) -> NDArray[np.float64]:
    """Return x, y, z of each slice's corner pixels, in the order of `TrueStack.corners_xyz_mm`."""
    slices, rows, columns = stack.values.shape
    places = [(x, y, z) for z in range(slices) for x in (0, columns - 1) for y in (0, rows - 1)]
    return np.array(places, float).reshape(slices, 4, 3)


def raw_header(path: Path) -> Any:  # noqa: ANN401 (a header; nibabel gives its fields no types)
    """Return the header as it is stored; `nibabel.load` clears the scale."""
    with gzip.open(path) as file:
        return nibabel.Nifti1Header.from_fileobj(file)


def test_nibabel_places_every_slice_where_dicom_does(written: tuple[Path, TrueStack]) -> None:
    path, stack = written
    image: Any = nibabel.Nifti1Image.from_filename(path)
    np.testing.assert_array_equal(np.asarray(image.dataobj), stack.values.T)
    for affine in (image.header.get_sform(), image.header.get_qform()):
        ras = corner_indices(stack) @ affine[:3, :3].T + affine[:3, 3]
        np.testing.assert_allclose(ras @ RAS_OF_LPS, stack.corners_xyz_mm, rtol=0, atol=1e-4)


def test_itk_places_every_slice_where_dicom_does(written: tuple[Path, TrueStack]) -> None:
    path, stack = written
    image = sitk.ReadImage(str(path))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), stack.values)
    for index, corner in zip(corner_indices(stack).reshape(-1, 3), stack.corners_xyz_mm.reshape(-1, 3), strict=True):
        found = image.TransformContinuousIndexToPhysicalPoint(index.tolist())
        np.testing.assert_allclose(found, corner, rtol=0, atol=1e-4)


def test_header_leaves_nothing_to_guess(written: tuple[Path, TrueStack]) -> None:
    path, stack = written
    header = raw_header(path)
    assert (int(header["sform_code"]), int(header["qform_code"])) == (SCANNER, SCANNER)
    np.testing.assert_allclose(header.get_sform(), header.get_qform(), rtol=0, atol=1e-5)
    y, x = stack.spacing_yx_mm
    np.testing.assert_allclose(header["pixdim"][1:4], (x, y, 9.0), rtol=1e-6)
    assert int(header["xyzt_units"]) == MILLIMETRE_AND_SECOND
    assert (int(header["datatype"]), float(header["scl_slope"]), float(header["scl_inter"])) == (FLOAT32, 1.0, 0.0)


def left_handed() -> Volume:
    direction = np.diag([1.0, 1.0, -1.0])
    return Volume(np.arange(24, dtype=np.float32).reshape(2, 3, 4), (9.0, 1.4, 1.25), (10.0, -20.0, 30.0), direction)


def right_handed() -> Volume:
    volume = left_handed()
    return Volume(volume.array, volume.spacing_zyx_mm, volume.origin_xyz_mm, np.eye(3))


@pytest.mark.parametrize(("volume", "first_x_mm"), [(right_handed(), 3 * 1.25), (left_handed(), 0.0)])
def test_fsl_sees_left_and_right_as_they_are(tmp_path: Path, volume: Volume, first_x_mm: float) -> None:
    """FSL counts x from the other end where the determinant is positive, so that its own axes are left-handed.

    It refuses a file whose sform and qform differ in handedness. Source: FSL's user guide, "Orientation explained".
    """
    write_nifti(volume, tmp_path / "a.nii.gz")
    header = raw_header(tmp_path / "a.nii.gz")
    assert fsl_mm(header, (0, 0, 0)) == pytest.approx((first_x_mm, 0.0, 0.0))
    assert np.linalg.det(header.get_sform()[:3, :3]) * np.linalg.det(header.get_qform()[:3, :3]) > 0
    # From FSL's own millimetres to the world, one step along each axis:
    steps = [np.subtract(fsl_mm(header, step), fsl_mm(header, (0, 0, 0))) for step in np.eye(3, dtype=int).tolist()]
    to_world = header.get_sform()[:3, :3] @ np.linalg.inv(np.array(steps).T)
    assert np.linalg.det(to_world) == pytest.approx(-1.0)


def fsl_mm(header: Any, index_xyz: Sequence[int]) -> tuple[float, ...]:  # noqa: ANN401 (a header, as above)
    i, j, k = index_xyz
    if np.linalg.det(header.get_sform()[:3, :3]) > 0:
        i = int(header["dim"][1]) - 1 - i
    return tuple(float(n * size) for n, size in zip((i, j, k), header["pixdim"][1:4], strict=True))
