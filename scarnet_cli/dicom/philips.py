"""Philips's private scale: what the scanner multiplied a slice's values by before it stored them.

Stored value SV = FP * ScaleSlope + ScaleIntercept, FP the reconstruction's own floating-point value; RescaleSlope and
RescaleIntercept make the displayed value of SV. Source: T. L. Chenevert et al., Transl Oncol 2014;7:65-71,
doi 10.1593/tlo.13811.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydicom.dataset import Dataset

from scarnet_cli.dicom.datasets import DAMAGE

_GROUP: Final = 0x2005
_CREATOR: Final = "Philips MR Imaging DD 001"
_SCALE_INTERCEPT: Final = 0x0D
_SCALE_SLOPE: Final = 0x0E
# Slopes are written as float32 and as decimal strings: they agree to six digits, real differences are percents.
_SAME_FRACTION: Final = 1e-4


@dataclass(frozen=True, slots=True)
class Rescale:
    """Value = slope * stored value + intercept."""

    slope: float
    intercept: float


def private_scale(dataset: Dataset, frame: int | None) -> Rescale | None:
    """Return the private scale (SV of FP) of a classic image, or of a frame of a multi-frame object; None without."""
    try:
        layers = [*_frame_items(dataset, frame), dataset]
    except DAMAGE:  # in elements that nothing else reads
        layers = [dataset]
    for layer in layers:
        try:
            block = layer.private_block(_GROUP, _CREATOR)
            slope, intercept = (_number(block[e].value) for e in (_SCALE_SLOPE, _SCALE_INTERCEPT))
        except DAMAGE:
            continue
        if slope > 0:
            return Rescale(slope, intercept)
    return None


def _frame_items(dataset: Dataset, frame: int | None) -> list[Dataset]:
    groups = dataset.get("PerFrameFunctionalGroupsSequence") if frame is not None else None
    group = groups[frame] if groups else Dataset()
    return [item for element in group if element.VR == "SQ" for item in element.value or ()]


def _number(value: Any) -> float:  # noqa: ANN401 (a number, or the bytes of one whose type a copy has lost)
    return float(struct.unpack("<f", value)[0]) if isinstance(value, bytes) else float(value)


def one_scale(rescales: Sequence[Rescale], scales: Sequence[Rescale | None]) -> list[Rescale] | None:
    """Return rescales that bring slices stored by different scales to the scale of the first.

    Args:
        rescales: The standard rescale of each slice: displayed value of SV.
        scales: The private scale of each slice: SV of FP.

    Returns:
        None where nothing is to do: a slice has no private scale, all have the same, or the standard rescale undoes
        the differences already.
    """
    first, known = rescales[0], [scale for scale in scales if scale is not None]
    if len(known) < len(rescales):
        return None
    gains = [rescale.slope * scale.slope for rescale, scale in zip(rescales, known, strict=True)]
    if _all_same([scale.slope for scale in known]) or _all_same(gains):
        return None
    # Displayed value of FP in the first slice: gain * FP + zero.
    zero = first.intercept + first.slope * known[0].intercept
    slopes = [gains[0] / scale.slope for scale in known]
    return [Rescale(slope, zero - slope * scale.intercept) for slope, scale in zip(slopes, known, strict=True)]


def _all_same(values: Sequence[float]) -> bool:
    return max(values) - min(values) <= _SAME_FRACTION * max(map(abs, values))
