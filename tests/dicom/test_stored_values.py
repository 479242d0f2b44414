"""What stored values mean: negatives become positives, and what is no signal on a linear scale is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

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
        ("PhotometricInterpretation", "PALETTE COLOR", "is stored as PALETTE COLOR, not as grey scale"),
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


def garbage_above(dataset: Dataset, pixels: NDArray[np.uint16]) -> None:
    dataset.PixelData = (pixels | 0xA000).astype("<u2").tobytes()  # BitsStored is 12


def signed(dataset: Dataset, pixels: NDArray[np.uint16]) -> None:
    dataset.PixelRepresentation, dataset.BitsStored, dataset.HighBit = 1, 16, 15
    dataset.PixelData = (pixels.astype(int) - 2000).astype("<i2").tobytes()


def rescaled_slice_by_slice(dataset: Dataset, pixels: NDArray[np.uint16]) -> None:
    dataset.RescaleSlope, dataset.RescaleIntercept = int(dataset.InstanceNumber), -5


def windowed(dataset: Dataset, _: NDArray[np.uint16]) -> None:
    table = Dataset()
    table.LUTDescriptor, table.LUTData = [3, 0, 16], bytes(6)
    dataset.VOILUTSequence, dataset.WindowCenter, dataset.WindowWidth = [table], 100, 50


def mapped(dataset: Dataset, _: NDArray[np.uint16]) -> None:
    real = Dataset()
    real.RealWorldValueSlope, real.RealWorldValueIntercept = 3.0, 7.0
    real.RealWorldValueFirstValueMapped, real.RealWorldValueLastValueMapped = 0, 4095
    dataset.RealWorldValueMappingSequence = [real]


def limits(dataset: Dataset, _: NDArray[np.uint16]) -> None:
    dataset.SmallestImagePixelValue, dataset.LargestImagePixelValue = 100, 200


def padded(dataset: Dataset, pixels: NDArray[np.uint16]) -> None:
    dataset.PixelPaddingValue, dataset.PixelPaddingRangeLimit = 4090, 4095


def in_upper_bits(dataset: Dataset, pixels: NDArray[np.uint16]) -> None:
    dataset.HighBit = 15
    dataset.PixelData = (pixels.astype("<u2") << 4 | 3).astype("<u2").tobytes()


def wrong_high_bit(dataset: Dataset, _: NDArray[np.uint16]) -> None:
    dataset.HighBit = 15


def padded_with_bits(dataset: Dataset, pixels: NDArray[np.uint16]) -> None:
    """Pad signed pixels with -3000, whose bits are those of the unsigned 62536."""
    signed(dataset, np.where(pixels >= 4090, -1000, pixels.astype(int)))
    dataset.add_new("PixelPaddingValue", "US", 62536)


def padded_with_zero(dataset: Dataset, _: NDArray[np.uint16]) -> None:
    dataset.PixelPaddingValue = 0


def palette(dataset: Dataset, _: NDArray[np.uint16]) -> None:
    dataset.PhotometricInterpretation = "PALETTE COLOR"


def modality_table(dataset: Dataset, _: NDArray[np.uint16]) -> None:
    dataset.ModalityLUTSequence = [Dataset()]


def without_padding() -> NDArray[np.float64]:
    stored = stored_pixels(7).astype(float)
    least = [float(pixels.min()) for pixels in stored]
    return np.stack([np.where(pixels >= 4090, low, pixels) for pixels, low in zip(stored, least, strict=True)])


PLAIN = stored_pixels(7).astype(float)
NUMBERS = np.arange(1, 8)[:, None, None]


# The table of docs/dicom.md: attribute -> change, values (None where refused), what the page says.
def lossy(dataset: Dataset, pixels: NDArray[np.uint16]) -> None:
    dataset.LossyImageCompression, dataset.PixelData = "01", pixels.astype("<u2").tobytes()


MEANINGS: dict[str, tuple[Callable[[Dataset, NDArray[np.uint16]], None], NDArray[Any] | None, str]] = {
    "PhotometricInterpretation MONOCHROME1": (unsigned_negative, PLAIN, "applied; flag `negative_inverted`"),
    "PhotometricInterpretation: colours, palettes": (palette, None, "refused: `bad_pixels`"),
    "ModalityLUTSequence": (modality_table, None, "refused: `bad_pixels`"),
    "BitsStored, HighBit: other things in higher bits": (garbage_above, PLAIN, "applied: cleared"),
    "HighBit above BitsStored - 1": (in_upper_bits, PLAIN, "applied: the values lie in the upper bits"),
    "the same, though the values lie in the lower bits": (wrong_high_bit, PLAIN, "no matter"),
    "PixelRepresentation": (signed, PLAIN - 2000, "applied"),
    "RescaleSlope, RescaleIntercept, other in each slice": (
        rescaled_slice_by_slice,
        PLAIN * NUMBERS - 5,
        "applied, slice by slice",
    ),
    "VOILUTSequence, WindowCenter, WindowWidth": (windowed, PLAIN, "display alone: no matter"),
    "RealWorldValueMappingSequence": (mapped, PLAIN, "another unit of a linear scale: no matter"),
    "SmallestImagePixelValue, LargestImagePixelValue": (limits, PLAIN, "no matter"),
    "LossyImageCompression 01": (lossy, PLAIN, "no matter, but noise is smoother; flag `lossy_compressed`"),
    "PixelPaddingValue, PixelPaddingRangeLimit": (
        padded,
        without_padding(),
        "applied: the least of the others; flag `padding_replaced`",
    ),
    "PixelPaddingValue of signed pixels, written as unsigned": (
        padded_with_bits,
        without_padding() - 2000,
        "applied likewise; flag `padding_replaced`",
    ),
    "PixelPaddingValue 0": (padded_with_zero, PLAIN, "background already: no matter"),
}


@pytest.mark.parametrize("name", MEANINGS)
def test_every_attribute_that_changes_the_meaning_of_values_is_decided(tmp_path: Path, name: str) -> None:
    change, values, said = MEANINGS[name]
    page = (Path(__file__).parents[2] / "docs" / "dicom.md").read_text()
    assert f"| {name} | {said} |" in page
    if values is None:
        with pytest.raises(DicomError) as refused:
            read(tmp_path, change)
        assert f"refused: `{refused.value.code}`" == said
        return
    volume, notes = read(tmp_path, change)
    np.testing.assert_array_equal(volume.array, values)
    assert [f"flag `{note.code}`" for note in notes] == [part for part in said.split("; ") if part.startswith("flag")]
