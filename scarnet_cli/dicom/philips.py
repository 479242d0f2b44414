"""Undo differences in Philips's private scale, by which the scanner multiplies a slice's values to store them.

Stored value SV = FP * ScaleSlope + ScaleIntercept, with FP the reconstruction's floating-point value; RescaleSlope and
RescaleIntercept convert SV into the displayed value. Source: T. L. Chenevert et al., Transl Oncol 2014;7:65-71,
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
# Slopes are written as float32 and as decimal strings: these agree to six digits; real differences are percents.
_SAME_FRACTION: Final = 1e-4


@dataclass(frozen=True, slots=True)
class Rescale:
    """The linear scale value = slope * stored value + intercept."""

    slope: float
    intercept: float


def private_scale(dataset: Dataset, frame: int | None) -> Rescale | None:
    """Return the private scale (FP to SV) of a classic image or a frame of a multi-frame object; None without one."""
    try:
        layers = [*_frame_items(dataset, frame), dataset]
    except DAMAGE:  # in elements that are needed for nothing else
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


def _number(value: Any) -> float:  # noqa: ANN401 (a number, or its bytes if a copy of the file lost its VR)
    return float(struct.unpack("<f", value)[0]) if isinstance(value, bytes) else float(value)


def one_scale(rescales: Sequence[Rescale], scales: Sequence[Rescale | None]) -> list[Rescale] | None:
    """Return rescales that bring slices stored by different scales to the scale of the first slice.

    Args:
        rescales: The standard rescale of each slice, from SV to displayed value.
        scales: The private scale of each slice, from FP to SV.

    Returns:
        One rescale per slice; None if no change is needed: a slice has no private scale, all have the same, or the
        standard rescale already undoes the differences.
    """
    first, known = rescales[0], [scale for scale in scales if scale is not None]
    if len(known) < len(rescales):
        return None
    gains = [rescale.slope * scale.slope for rescale, scale in zip(rescales, known, strict=True)]
    if _all_same([scale.slope for scale in known]) or _all_same(gains):
        return None
    # In the first slice, displayed value = gain * FP + zero.
    zero = first.intercept + first.slope * known[0].intercept
    slopes = [gains[0] / scale.slope for scale in known]
    return [Rescale(slope, zero - slope * scale.intercept) for slope, scale in zip(slopes, known, strict=True)]


def _all_same(values: Sequence[float]) -> bool:
    return max(values) - min(values) <= _SAME_FRACTION * max(map(abs, values))
