"""Pixel values as DICOM stores them: whole numbers of up to 16 bits with a rescale, in one of several encodings."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)
from pydicom.valuerep import format_number_as_ds

from scarnet_cli.phantom.dicom.habits import Encoding

_LEVELS: Final = 4095
_JPEG2000_LEAST: Final = 32
_UINT12: Final = (0, 4095)
_UINT16: Final = (0, 65535)
_INT16: Final = (-32768, 32767)
TRANSFER_SYNTAXES: Final[dict[Encoding, UID]] = {
    "explicit": ExplicitVRLittleEndian,
    "implicit": ImplicitVRLittleEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "big_endian": ExplicitVRBigEndian,
    "rle": RLELossless,
    "jpeg2000": JPEG2000Lossless,
}


@dataclass(frozen=True, slots=True)
class StoredValues:
    """A volume's values as stored: value = slope * pixel + intercept.

    Attributes:
        pixels: (z, y, x) uint16 or int16.
        slope: 1 if the values were whole numbers that fit; the rescale is then exact.
        intercept: Value of pixel 0.
        bits: BitsStored.
    """

    pixels: NDArray[Any]
    slope: float
    intercept: float
    bits: int


def as_stored(values: NDArray[Any]) -> StoredValues:
    """Return values (z, y, x) as DICOM pixels.

    Whole numbers are kept exactly if all lie in 0 to 65535 or in -32768 to 32767. Other values are quantised to 4096
    levels between their minimum and maximum; the error is then at most half of the slope.
    """
    low, high = float(values.min()), float(values.max())
    if np.array_equal(values, np.rint(values)):
        for (least, most), kind, bits in ((_UINT12, np.uint16, 12), (_UINT16, np.uint16, 16), (_INT16, np.int16, 16)):
            if least <= low and high <= most:
                return StoredValues(values.astype(kind), 1.0, 0.0, bits)
    # Slope and intercept have at most 16 characters in the file: quantise with the numbers that a reader will see.
    slope = float(format_number_as_ds((high - low) / _LEVELS)) or 1.0
    intercept = float(format_number_as_ds(low))
    pixels = np.clip(np.rint((values - intercept) / slope), 0, _LEVELS).astype(np.uint16)
    return StoredValues(pixels, slope, intercept, 12)


def encoding_for(shape_yx: tuple[int, ...], encoding: Encoding) -> Encoding:
    """Return the encoding, or "explicit" for images too small for JPEG 2000's five halvings."""
    return "explicit" if encoding == "jpeg2000" and min(shape_yx) < _JPEG2000_LEAST else encoding


def set_pixels(dataset: Dataset, pixels: NDArray[Any], bits: int, encoding: Encoding) -> None:
    """Put one image (y, x) into a data set, compressed if the encoding requires it."""
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, bits, bits - 1
    dataset.PixelRepresentation = int(pixels.dtype == np.int16)
    order = ">" if encoding == "big_endian" else "<"
    dataset.add_new("PixelData", "OW", pixels.astype(pixels.dtype.newbyteorder(order)).tobytes())
    if encoding in ("rle", "jpeg2000"):
        dataset.compress(TRANSFER_SYNTAXES[encoding], generate_instance_uid=False)


def new_file(sop_class: UID, sop_instance: UID, encoding: Encoding, implementation: UID) -> FileDataset:
    """Return a data set for one file that holds only its file meta information, SOP class and instance UID."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, sop_instance
    meta.TransferSyntaxUID = TRANSFER_SYNTAXES["explicit" if encoding in ("rle", "jpeg2000") else encoding]
    meta.ImplementationClassUID, meta.ImplementationVersionName = implementation, "SCARNET"
    syntax = meta.TransferSyntaxUID
    dataset = FileDataset(
        "",
        {},
        file_meta=meta,
        preamble=b"\0" * 128,
        is_implicit_VR=syntax.is_implicit_VR,
        is_little_endian=syntax.is_little_endian,
    )
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, sop_instance
    return dataset
