"""A volume: an array with its position in the patient.

Arrays are (z, y, x); z counts slices. Positions are LPS in mm. Only this room converts to and from SimpleITK's order
(x, y, z).
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import SimpleITK as sitk  # noqa: N813 (the library's own custom)
from numpy.typing import NDArray

from scarnet_cli.errors import GeometryError
from scarnet_cli.files import atomic_path
from scarnet_cli.image.nifti_header import require_whole, require_written

# Two grids are the same if their corners agree within this distance: float32 NIfTI headers round positions by about
# 1e-4 mm.
GRID_TOLERANCE_MM: Final = 1e-2
_SPATIAL_DIMENSIONS: Final = 3


@dataclass(frozen=True, slots=True)
class Volume:
    """Voxels and the affine geometry that places them.

    Attributes:
        array: (z, y, x) values.
        spacing_zyx_mm: Distance between voxel centres; along z from slice centre to slice centre, gaps included.
        origin_xyz_mm: LPS position of the centre of voxel (0, 0, 0).
        direction: (3, 3) orthonormal matrix; its columns are the LPS unit vectors of the x, y and z axes.
    """

    array: NDArray[Any]
    spacing_zyx_mm: tuple[float, float, float]
    origin_xyz_mm: tuple[float, float, float]
    direction: NDArray[np.float64]

    @property
    def shape_zyx(self) -> tuple[int, int, int]:
        """Number of slices, rows and columns."""
        z, y, x = self.array.shape
        return z, y, x

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in ml."""
        return float(np.prod(self.spacing_zyx_mm)) / 1000.0

    def with_array(self, array: NDArray[Any]) -> "Volume":
        """Return a volume of other values, of the same shape, on this grid.

        Raises:
            GeometryError: `array` has another shape.
        """
        if array.shape != self.array.shape:
            message = f"The array has shape {array.shape}, its grid {self.array.shape}; resample it first."
            raise GeometryError("grid_mismatch", message)
        return replace(self, array=array)

    def world(self, index_zyx: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the LPS positions in mm, (..., 3) in x, y, z order, of voxel indices, (..., 3) in z, y, x order."""
        scaled_xyz = (np.asarray(index_zyx, float) * self.spacing_zyx_mm)[..., ::-1]
        return scaled_xyz @ self.direction.T + self.origin_xyz_mm


def same_grid(a: Volume, b: Volume) -> bool:
    """Tell whether both grids have the same shape and place every corner voxel within `GRID_TOLERANCE_MM`."""
    if a.shape_zyx != b.shape_zyx:
        return False
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in a.shape_zyx], indexing="ij")).reshape(3, -1).T
    return bool(np.abs(a.world(corners) - b.world(corners)).max() <= GRID_TOLERANCE_MM)


def require_same_grid(image: Volume, labels: Volume, study: str = "") -> None:
    """Require a label map to be on its image's grid.

    Raises:
        GeometryError: The grids differ; the message gives both.
    """
    if not same_grid(image, labels):
        message = (
            f"Image and labels differ: the image has {grid_text(image)}, the labels {grid_text(labels)}. Resample one "
            "onto the other's grid first."
        )
        raise GeometryError("grid_mismatch", f"{study}: {message}" if study else message)


def grid_text(volume: Volume) -> str:
    """Return a grid as text that a person can compare: voxels, spacing, axes and origin, in x, y, z order."""
    size = " x ".join(str(n) for n in reversed(volume.shape_zyx))
    spacing = " x ".join(f"{s:.4g}" for s in reversed(volume.spacing_zyx_mm))
    origin = ", ".join(f"{o:.2f}" for o in volume.origin_xyz_mm)
    return f"{size} voxels of {spacing} mm, axes {axis_code(volume.direction)}, origin ({origin}) mm"


def axis_code(direction: NDArray[np.float64]) -> str:
    """Return a letter for each axis of a (3, 3) LPS direction: the side it runs towards, L or R, P or A, S or I."""
    nearest = [(int(np.abs(axis).argmax()), axis) for axis in direction.T]
    return "".join("LPS"[index] if axis[index] > 0 else "RAI"[index] for index, axis in nearest)


def read_nifti(path: Path) -> Volume:
    """Read a 3D NIfTI file as (z, y, x). A 2D file, or a 4D file of one volume, is read as 3D.

    Raises:
        GeometryError: The file is not a readable image, is cut short or too large, or has more than one volume.
    """
    require_whole(path)
    try:
        # Named, because otherwise ITK tries all its readers, even on files that are NIfTI in name only.
        image = sitk.ReadImage(str(path), imageIO="NiftiImageIO")
    except RuntimeError as error:
        message = f"{path.name} is not a NIfTI image that ITK can read; write it again or leave it out."
        raise GeometryError("unreadable_image", message) from error
    if image.GetDimension() > _SPATIAL_DIMENSIONS and image.GetSize()[3] == 1:
        image = image[:, :, :, 0]
    if image.GetDimension() != _SPATIAL_DIMENSIONS or image.GetNumberOfComponentsPerPixel() != 1:
        message = f"{path.name} has size {image.GetSize()}; one 3D volume of single values is needed."
        raise GeometryError("not_a_volume", message)
    return from_sitk(image, sitk.GetArrayFromImage(image))


def from_sitk(image: sitk.Image, array: NDArray[Any]) -> Volume:
    """Return (z, y, x) values on a 3D SimpleITK image's grid."""
    x, y, z = image.GetSpacing()
    ox, oy, oz = image.GetOrigin()
    return Volume(array, (z, y, x), (ox, oy, oz), np.array(image.GetDirection()).reshape(3, 3))


def to_sitk(volume: Volume) -> sitk.Image:
    """Return a SimpleITK image of the same voxels and geometry."""
    image = sitk.GetImageFromArray(volume.array)
    image.SetSpacing([float(s) for s in reversed(volume.spacing_zyx_mm)])
    image.SetOrigin([float(o) for o in volume.origin_xyz_mm])
    image.SetDirection([float(d) for d in volume.direction.ravel()])
    return image


def write_nifti(volume: Volume, path: Path) -> None:
    """Write compressed NIfTI atomically: a temporary file, then a rename. Equal volumes give equal bytes.

    Raises:
        MachineError: The file was not written in full.
    """
    image = to_sitk(volume)
    with atomic_path(path) as temporary:
        with suppress(RuntimeError):  # the file itself is checked, because ITK reports nothing on a full disk
            sitk.WriteImage(image, str(temporary), useCompression=True)
        require_written(temporary, volume.array.nbytes)
