"""The labelled regions of one study, checked and cut to the heart."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scarnet_cli.errors import QuantificationError
from scarnet_cli.image.components import connected_components
from scarnet_cli.image.labels import Label, region_mask
from scarnet_cli.image.volume import Volume, require_same_grid

# Pixels around the labels that 3 x 3 filters and bilinear sampling need.
_MARGIN: Final = 2


@dataclass(frozen=True, slots=True)
class Regions:
    """Signal and masks on one grid, cut in plane to the labels' bounding box; every array is (z, y, x).

    Attributes:
        signal: Float64 intensities.
        blood_pool: Label 1.
        myocardium: Labels 2, 3 and 4.
        scar: Labels 3 and 4.
        mvo: Label 4.
        cavity: Blood pool, and what the myocardium encloses within a slice (for label maps without a blood pool).
        grid: Geometry of the arrays; its own array is the label map.
        at_picture_edge: Whether the labels reach the image's first or last row or column.
    """

    signal: NDArray[np.float64]
    blood_pool: NDArray[np.bool_]
    myocardium: NDArray[np.bool_]
    scar: NDArray[np.bool_]
    mvo: NDArray[np.bool_]
    cavity: NDArray[np.bool_]
    grid: Volume
    at_picture_edge: bool

    @property
    def pixel_mm2(self) -> float:
        """Area of one pixel."""
        return self.grid.spacing_zyx_mm[1] * self.grid.spacing_zyx_mm[2]

    @property
    def in_plane_mm(self) -> tuple[float, float]:
        """Distance between rows and between columns."""
        return self.grid.spacing_zyx_mm[1], self.grid.spacing_zyx_mm[2]


def find_regions(image: Volume, labels: Volume) -> Regions:
    """Return the regions of an image and its label map, after checking both.

    Args:
        image: LGE signal, (z, y, x), on any scale.
        labels: Values of `Label`, as integers or whole floats, on the same grid.

    Raises:
        GeometryError: The grids differ; the message gives both.
        QuantificationError: The label map holds other values, or the signal is not finite inside a label.
    """
    require_same_grid(image, labels)
    values = _label_values(labels.array)
    box = _bounding_box(values)
    cut = values[box]
    signal = image.array[box].astype(np.float64)
    if not np.isfinite(signal[cut > 0]).all():
        message = "The image holds NaN or infinite signal inside the labelled heart; write the image again."
        raise QuantificationError("non_finite_signal", message)
    masks = {region: region_mask(cut, region) for region in ("blood_pool", "myocardium", "scar", "mvo")}
    cavity = _cavity(masks["blood_pool"], masks["myocardium"])
    grid = _cut_grid(labels, box, cut)
    at_edge = bool(values[:, [0, -1]].any() or values[:, :, [0, -1]].any())
    return Regions(signal=np.nan_to_num(signal), cavity=cavity, grid=grid, at_picture_edge=at_edge, **masks)


def pixels_of(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the (pixels, axes) indices of a mask, in the array's order."""
    return np.argwhere(mask).astype(np.float64)


def floating(wall: NDArray[np.bool_], cavity: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pieces of one slice's (y, x) myocardium that the cavity surrounds on all sides."""
    pieces, _ = connected_components(wall)
    beyond = ~(wall | cavity)
    outside = np.asarray(ndimage.binary_dilation(beyond, np.ones((3, 3), bool), border_value=True), bool)
    return wall & ~np.isin(pieces, np.unique(pieces[wall & outside]))


def distance_mm(mask: NDArray[np.bool_], in_plane_mm: tuple[float, float]) -> NDArray[np.float64]:
    """Return each (y, x) pixel's distance from the nearest pixel of a mask, which must not be empty."""
    return np.asarray(ndimage.distance_transform_edt(~mask, sampling=in_plane_mm), np.float64)


def _label_values(array: NDArray[np.generic]) -> NDArray[np.uint8]:
    values = np.unique(array)
    known = [label.value for label in Label]
    unknown = [f"{value:g}" for value in values if value not in known]
    if unknown:
        message = f"The label map holds the values {', '.join(unknown[:10])}; only 0 to 4 are known. Map them first."
        raise QuantificationError("unknown_label", message)
    return array.astype(np.uint8)


def _bounding_box(values: NDArray[np.uint8]) -> tuple[slice, slice, slice]:
    """Return the labels' in-plane box with a margin, in all slices; for an empty label map, the first pixels."""
    bounds = []
    for axis in (1, 2):
        filled = np.flatnonzero(values.any(axis=(0, 3 - axis)))
        first, last = (int(filled[0]), int(filled[-1])) if filled.size else (0, 0)
        bounds.append(slice(max(first - _MARGIN, 0), last + _MARGIN + 1))
    return slice(None), bounds[0], bounds[1]


def _cut_grid(labels: Volume, box: tuple[slice, slice, slice], cut: NDArray[np.uint8]) -> Volume:
    corner = np.array([0.0, float(box[1].start), float(box[2].start)])
    x, y, z = (float(position) for position in labels.world(corner))
    return Volume(cut, labels.spacing_zyx_mm, (x, y, z), labels.direction)


def _cavity(blood_pool: NDArray[np.bool_], myocardium: NDArray[np.bool_]) -> NDArray[np.bool_]:
    filled = [ndimage.binary_fill_holes(wall) for wall in myocardium]
    return (np.array(filled, bool) & ~myocardium) | blood_pool
