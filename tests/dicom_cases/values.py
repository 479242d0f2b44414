"""Cases of how pixel values become values: the rescale of a slice, of a frame, and Philips's private scale."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from dicom_series import make_series, save, stored_pixels
from pydicom.dataset import Dataset

from dicom_cases.files import signed_series
from dicom_cases.multiframe import enhanced
from dicom_cases.truth import Truth, case, true_stack

RESCALE: Final = "rescale"
_PHILIPS_CREATOR: Final = "Philips MR Imaging DD 001"
_PHILIPS_FRAMES: Final = "Philips MR Imaging DD 005"
_INTERCEPT_TAG: Final = 0x2005100D
_SLOPE_TAG: Final = 0x2005100E
_SCALES: Final = (0.5, 0.25, 1.0, 2.0, 0.5, 4.0, 0.125)


@case(RESCALE, "RescaleSlope a slice")
def slope_a_slice(folder: Path) -> Truth:
    series = make_series()
    for i, dataset in enumerate(series):
        dataset.RescaleSlope, dataset.RescaleIntercept = 1 + 0.5 * i, -100 * i
    save(series, folder)
    index = np.arange(7.0)[:, None, None]
    return Truth(true_stack(values=stored_pixels(7) * (1 + 0.5 * index) - 100 * index))


@case(RESCALE, "signed pixels")
def signed(folder: Path) -> Truth:
    save(signed_series(), folder)
    return Truth(true_stack(values=stored_pixels(7) - 2000.0))


@case(RESCALE, "other things in the unused bits")
def unused_bits(folder: Path) -> Truth:
    series = make_series()
    for dataset in series:  # older scanners kept overlays there
        pixels = np.frombuffer(dataset.PixelData, "<u2")
        dataset.PixelData = (pixels | np.where(np.arange(pixels.size) % 3, 0x1000, 0xF000).astype("<u2")).tobytes()
    save(series, folder)
    return Truth(true_stack())


@case(RESCALE, "a display window a slice")
def window_a_slice(folder: Path) -> Truth:
    series = make_series()
    for i, dataset in enumerate(series):  # for display only: no value may change
        dataset.WindowCenter, dataset.WindowWidth = 100 * (i + 1), 50 * (i + 1)
    save(series, folder)
    return Truth(true_stack())


@case(RESCALE, "Philips scale, one for all slices")
def philips_scale(folder: Path) -> Truth:
    save(philips_series([0.0123] * 7, [1.75] * 7), folder)
    return Truth(true_stack(values=stored_pixels(7) * 1.75 - 50))


@case(RESCALE, "Philips scale a slice, undone by the rescale")
def philips_scale_undone(folder: Path) -> Truth:
    slopes = [1.5 / scale for scale in _SCALES]
    save(philips_series(_SCALES, slopes), folder)
    return Truth(true_stack(values=stored_pixels(7) * np.array(slopes)[:, None, None] - 50))


@case(RESCALE, "Philips scale a slice, not undone by the rescale")
def philips_scale_left(folder: Path) -> Truth:
    # FP = (SV - SI) / SS is the scanner's own value (Chenevert 2014); the first slice's unit is kept: its value is 1.5
    # SV - 50, with SI 8 and SS 0.5, so value = 0.75 FP - 38.
    save(philips_series(_SCALES, [1.5] * 7), folder)
    floating = (stored_pixels(7) - 8.0) / np.array(_SCALES)[:, None, None]
    return Truth(true_stack(values=0.75 * floating - 38), flags=("philips_scale",))


@case(RESCALE, "enhanced, Philips scale a frame, not undone by the rescale")
def philips_scale_a_frame(folder: Path) -> Truth:
    series = philips_series(_SCALES, [1.5] * 7)
    dataset = enhanced(series)
    for frame, classic in zip(dataset.PerFrameFunctionalGroupsSequence, series, strict=True):
        block = frame.private_block(0x2005, _PHILIPS_FRAMES, create=True)
        block.add_new(0x0F, "SQ", [philips_scale_item(classic)])
    for tag in (_INTERCEPT_TAG, _SLOPE_TAG):
        del dataset[tag]
    save([dataset], folder)
    floating = (stored_pixels(7) - 8.0) / np.array(_SCALES)[:, None, None]
    return Truth(true_stack(values=0.75 * floating - 38), flags=("philips_scale",))


def philips_scale_item(classic: Dataset) -> Dataset:
    """Return the item of a frame that holds its private scale."""
    item, block = Dataset(), classic.private_block(0x2005, _PHILIPS_CREATOR)
    own = item.private_block(0x2005, _PHILIPS_CREATOR, create=True)
    own.add_new(0x0D, "FL", block[0x0D].value)
    own.add_new(0x0E, "FL", block[0x0E].value)
    return item


def philips_series(scales: Sequence[float], slopes: Sequence[float]) -> list[Dataset]:
    series = make_series(image_type=("ORIGINAL", "PRIMARY", "R_IR", "R", "IR"), name="LGE_SA_BH")
    for dataset, scale, slope in zip(series, scales, slopes, strict=True):
        dataset.Manufacturer = "Philips Medical Systems"
        dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = slope, -50, "normalized"
        block = dataset.private_block(0x2005, _PHILIPS_CREATOR, create=True)
        block.add_new(0x0D, "FL", 8.0)
        block.add_new(0x0E, "FL", scale)
    return series
