"""NRRD files, which 3D Slicer writes: a label map, or named segments in one or more layers."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import SimpleITK as sitk  # noqa: N813 (the library's own custom)
from numpy.typing import NDArray

from scarnet_cli.errors import GeometryError
from scarnet_cli.image.nifti_header import BYTES_LIMIT
from scarnet_cli.image.volume import Volume, from_sitk

MAGIC: Final = b"NRRD"
_SEGMENT: Final = re.compile(r"Segment(\d+)_(Name|LabelValue|Layer)")
_DIMENSIONS: Final = 3
_VOXEL_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class NrrdSegment:
    """What a .seg.nrrd says of a segment: its name, and the layer and value that its voxels have."""

    name: str
    layer: int
    value: int


@dataclass(frozen=True, slots=True)
class Nrrd:
    """The content of an NRRD file.

    Attributes:
        layers: (layers, z, y, x) values; one layer but for segments that overlap.
        grid: The grid of a layer; its values are those of the first.
        segments: The segments that it names; none in a plain label map.
    """

    layers: NDArray[Any]
    grid: Volume
    segments: tuple[NrrdSegment, ...]


def read_nrrd(path: Path) -> Nrrd:
    """Read an NRRD file in its own order of axes.

    Raises:
        GeometryError: The file is no NRRD volume that can be read, or is too large.
    """
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO("NrrdImageIO")
    try:
        reader.ReadImageInformation()
        bound = float(np.prod(reader.GetSize())) * reader.GetNumberOfComponents() * _VOXEL_BYTES
        image = reader.Execute() if reader.GetDimension() == _DIMENSIONS and bound <= BYTES_LIMIT else None
    except RuntimeError as error:
        message = "The NRRD file cannot be read as one; write it again."
        raise GeometryError("unreadable_image", message) from error
    if image is None:
        message = "The NRRD file is not one volume of a usual size; write it again."
        raise GeometryError("not_a_volume", message)
    array = sitk.GetArrayFromImage(image)
    layers = np.moveaxis(array, -1, 0) if array.ndim > _DIMENSIONS else array[None]
    segments = _segments(image)
    if len(layers) > 1 and not segments:
        message = f"The NRRD file has {len(layers)} layers and names no segments; save it as one label map."
        raise GeometryError("not_a_volume", message)
    return Nrrd(layers, from_sitk(image, layers[0]), segments)


def _segments(image: sitk.Image) -> tuple[NrrdSegment, ...]:
    """Return the segments that a file names. Before 3D Slicer 4.11 each was a layer of its own, of ones."""
    said: dict[int, dict[str, str]] = {}
    for key in image.GetMetaDataKeys():
        if match := _SEGMENT.fullmatch(key):
            said.setdefault(int(match[1]), {})[match[2]] = image.GetMetaData(key)
    try:
        return tuple(
            NrrdSegment(
                of["Name"], int(of.get("Layer", 0 if "LabelValue" in of else number)), int(of.get("LabelValue", 1))
            )
            for number, of in sorted(said.items())
            if "Name" in of
        )
    except ValueError as error:
        message = "The NRRD file's segments have no whole numbers; write it again."
        raise GeometryError("unreadable_image", message) from error
