"""What stored values mean: negatives become positives, and what is no signal on a linear scale is refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dicom_series import make_series, save, stored_pixels
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from scarnet_cli.dicom.notes import Note
from scarnet_cli.dicom.pixels import read_volume
from scarnet_cli.dicom.whole_files import Source
from scarnet_cli.errors import DicomError
from scarnet_cli.image.volume import Volume


def read(folder: Path, change: Callable[[Dataset, NDArray[np.uint16]], None]) -> tuple[Volume, list[Note]]:
    """Change each slice, given its pixels, and read the stack."""
    series = make_series()
    for dataset, pixels in zip(series, stored_pixels(7), strict=True):
        change(dataset, pixels)
    paths = save(series, folder)
    return read_volume(folder, [Source(path.name, None, None) for path in paths])


def unsigned_negative(dataset: Dataset, pixels: NDArray[np.uint16]) -> None:
    dataset.PhotometricInterpretation = "MONOCHROME1"
    dataset.PixelData = (4095 - pixels).astype("<u2").tobytes()


def signed_negative(dataset: Dataset, pixels: NDArray[np.uint16]) -> None:
    dataset.PhotometricInterpretation, dataset.PixelRepresentation = "MONOCHROME1", 1
    dataset.BitsStored, dataset.HighBit = 16, 15
    dataset.PixelData = (-1 - (pixels.astype(int) - 2000)).astype("<i2").tobytes()


def rescaled_negative(dataset: Dataset, pixels: NDArray[np.uint16]) -> None:
    unsigned_negative(dataset, pixels)
    dataset.RescaleSlope, dataset.RescaleIntercept = 2, 10


@pytest.mark.parametrize(
    ("change", "values"),
    [
        (unsigned_negative, stored_pixels(7)),
        (signed_negative, stored_pixels(7) - 2000.0),
        (rescaled_negative, 2.0 * stored_pixels(7) + 10.0),
    ],
)
def test_a_negative_becomes_the_positive_and_is_flagged(
    tmp_path: Path, change: Callable[[Dataset, NDArray[np.uint16]], None], values: NDArray[np.float64]
) -> None:
    volume, notes = read(tmp_path, change)
    np.testing.assert_array_equal(volume.array, values)
    assert [(note.code, note.flag) for note in notes] == [("negative_inverted", True)]


def test_one_negative_among_positives_is_turned_alone(tmp_path: Path) -> None:
    def third(dataset: Dataset, pixels: NDArray[np.uint16]) -> None:
        if dataset.InstanceNumber == 3:
            unsigned_negative(dataset, pixels)

    volume, notes = read(tmp_path, third)
    np.testing.assert_array_equal(volume.array, stored_pixels(7))
    assert [note.code for note in notes] == ["negative_inverted"]


@pytest.mark.parametrize(
    ("keyword", "value", "words"),
    [
        ("PhotometricInterpretation", "PALETTE COLOR", "is stored as PALETTE COLOR, not in shades of grey"),
        ("ModalityLUTSequence", [Dataset()], "has a table of values"),
    ],
)
def test_values_that_are_no_signal_are_refused(tmp_path: Path, keyword: str, value: object, words: str) -> None:
    def change(dataset: Dataset, _: NDArray[np.uint16]) -> None:
        setattr(dataset, keyword, value)

    with pytest.raises(DicomError, match=words):
        read(tmp_path, change)


@pytest.mark.parametrize("keyword", ["WindowCenter", "SmallestImagePixelValue", "LargestImagePixelValue"])
def test_what_is_for_display_alone_changes_nothing(tmp_path: Path, keyword: str) -> None:
    def change(dataset: Dataset, _: NDArray[np.uint16]) -> None:
        setattr(dataset, keyword, 100)
        dataset.WindowWidth = 50

    volume, notes = read(tmp_path, change)
    np.testing.assert_array_equal(volume.array, stored_pixels(7))
    assert notes == []
