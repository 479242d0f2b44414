"""Decode one slice's pixels by the decoder of its transfer syntax, and rescale them."""

import warnings
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from scarnet_cli.dicom.codestream import require_coded_size
from scarnet_cli.dicom.datasets import DAMAGE
from scarnet_cli.dicom.facts import FrameFacts
from scarnet_cli.dicom.philips import Rescale
from scarnet_cli.errors import DicomError

# No scanner makes larger cardiac slices; a header that claims one is damaged or hostile.
LARGEST_SIDE: Final = 4096
_JPEG: Final = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1)
# Integers of up to this many bytes are exact in float32.
_EXACT_BYTES: Final = 2
_END_OF_IMAGE: Final = b"\xff\xd9"
_POSITIVE: Final = "MONOCHROME2"
_NEGATIVE: Final = "MONOCHROME1"
# The decoder of each transfer syntax; pylibjpeg decodes JPEG and JPEG 2000.
_DECODERS: Final = {RLELossless: "pydicom", JPEGLSLossless: "pyjpegls", JPEGLSNearLossless: "pyjpegls"}


def decode_slice(dataset: Dataset, facts: FrameFacts, rescale: Rescale, which: str) -> NDArray[np.float32]:
    """Return one slice's values after rescaling, shape (y, x).

    Raises:
        DicomError: The pixels are damaged, do not match the header, or are not on a linear greyscale.
    """
    rows, columns = facts.rows or 0, facts.columns or 0
    if not (0 < rows <= LARGEST_SIDE and 0 < columns <= LARGEST_SIDE):
        message = f"{which} says {rows} x {columns} pixels; at most {LARGEST_SIDE} a side are read."
        raise DicomError("bad_matrix", message)
    if facts.samples not in (None, 1):
        message = f"{which} has {facts.samples} samples per pixel; grey scale has one. Export the original image."
        raise DicomError("bad_pixels", message)
    _require_plain_values(dataset, which)
    x, y, z = facts.position_xyz_mm or (0.0, 0.0, 0.0)
    where = f"{which} (slice at x {x:.1f}, y {y:.1f}, z {z:.1f} mm)"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            require_coded_size(dataset, facts.frame or 0, rows, columns, where)
            stored = _stored_pixels(dataset, facts.frame or 0)
    except DAMAGE as error:
        message = (
            f"{where}: its pixels cannot be decoded ({type(error).__name__}: cut short, damaged or in an encoding that "
            "is not installed); copy or export the study again."
        )
        raise DicomError("bad_pixels", message) from error
    if stored.shape != (rows, columns):
        message = f"{where} decodes to {stored.shape}, its header says {rows} x {columns}; export it again."
        raise DicomError("bad_pixels", message)
    stored = _without_padding(dataset, stored)
    if is_negative(dataset):
        stored = np.invert(stored) if stored.dtype.kind == "i" else _highest(dataset, stored) - stored
    if rescale == Rescale(1.0, 0.0) and stored.dtype.itemsize <= _EXACT_BYTES:
        return stored.astype(np.float32)
    # In double precision, rounded to float32 once: several float32 steps would lose the last digits.
    values = stored.astype(np.float64) * rescale.slope + rescale.intercept
    if not np.isfinite(values).all():
        message = f"{where} has values that are not finite; export it again."
        raise DicomError("bad_pixels", message)
    return values.astype(np.float32)


def is_negative(dataset: Dataset) -> bool:
    """Tell whether a slice is stored as a negative: the lowest value is white (PS3.3 C.7.6.3.1.2)."""
    return str(dataset.get("PhotometricInterpretation", _POSITIVE)).strip() == _NEGATIVE


def has_padding(dataset: Dataset) -> bool:
    """Tell whether pixels outside the image are stored as a nonzero value (PixelPaddingValue, PS3.3 C.7.5.1.1.2)."""
    return bool(dataset.get("PixelPaddingValue"))


def is_lossy(dataset: Dataset) -> bool:
    """Tell whether a slice's pixels were compressed with loss, now or before (PS3.3 C.7.6.1.1.5)."""
    return str(dataset.get("LossyImageCompression", "")).strip() == "01"


def _without_padding(dataset: Dataset, stored: NDArray[Any]) -> NDArray[Any]:
    """Replace padding by the background: the lowest value of the other pixels, or the highest in a negative.

    Pixels that are padded with 0 are background already. A slice that is all padding is left unchanged.
    """
    if not has_padding(dataset):
        return stored
    # Some writers give the limits of signed pixels as unsigned numbers (VR US): their bits count, as the pixels' type.
    ends = [
        int(np.array(int(dataset[k].value)).astype(stored.dtype))
        for k in ("PixelPaddingValue", "PixelPaddingRangeLimit")
        if dataset.get(k) is not None
    ]
    padded = (stored >= min(ends)) & (stored <= max(ends))
    if padded.all() or not padded.any():
        return stored
    background = stored[~padded].max() if is_negative(dataset) else stored[~padded].min()
    return np.where(padded, background, stored)


def _highest(dataset: Dataset, stored: NDArray[Any]) -> NDArray[Any]:
    """Return the highest unsigned value that the header allows, or the highest stored value if that is greater."""
    allowed = (1 << int(dataset.get("BitsStored") or 8 * stored.dtype.itemsize)) - 1
    return np.asarray(max(allowed, int(stored.max())), stored.dtype)


def _require_plain_values(dataset: Dataset, which: str) -> None:
    """Refuse stored values that are not a signal on a linear scale.

    Raises:
        DicomError: They are colours, or need a look-up table.
    """
    interpretation = str(dataset.get("PhotometricInterpretation", _POSITIVE)).strip()
    if interpretation not in (_POSITIVE, _NEGATIVE):
        message = f"{which} is stored as {interpretation[:16]}, not as grey scale; export the original image."
        raise DicomError("bad_pixels", message)
    if dataset.get("ModalityLUTSequence"):
        message = (
            f"{which} has a table of values (ModalityLUTSequence), which no MR image has, so its signal is unknown. "
            "Export the original image."
        )
        raise DicomError("bad_pixels", message)


def _stored_pixels(dataset: Dataset, frame: int) -> NDArray[Any]:
    """Return one frame's stored values, always by the same decoder, so that other installed packages change nothing."""
    meta = dataset.file_meta
    if "TransferSyntaxUID" not in meta:  # a bare data set: pydicom has detected its encoding
        implicit, little = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
    syntax = meta.TransferSyntaxUID
    if syntax in _JPEG:
        _require_end_of_image(dataset, frame)
    decoder = _DECODERS.get(syntax, "pylibjpeg") if syntax.is_compressed and syntax.is_encapsulated else ""
    bits, shift = _bits_used(dataset) if decoder in ("", "pydicom") else (0, 0)  # others store their precision
    if not shift:
        return pixel_array(dataset, index=frame, decoding_plugin=decoder)
    stored = pixel_array(dataset, index=frame, decoding_plugin=decoder, bits_stored=bits + shift)
    limit = 1 << bits - dataset.PixelRepresentation
    fits = stored.min() >= -limit * dataset.PixelRepresentation and stored.max() < limit
    is_low = fits and bool((stored & (1 << shift) - 1).any())  # HighBit is wrong: the values lie in the lower bits
    return stored if is_low else stored >> shift


def _bits_used(dataset: Dataset) -> tuple[int, int]:
    """Return BitsStored, and how many bits further up than usual the values lie: 4 for 12 bits up to HighBit 15.

    Older images hold their values in the upper bits; pydicom takes the lower ones, without the largest digits.
    """
    bits = int(dataset.get("BitsStored") or 0)
    highest = int(dataset.get("HighBit") or 0)
    is_above = 0 < bits <= highest < int(dataset.get("BitsAllocated") or 0)
    return bits, highest + 1 - bits if is_above else 0


def _require_end_of_image(dataset: Dataset, frame: int) -> None:
    """Raise ValueError if a JPEG frame is cut short: the decoder would silently fill the missing part with grey."""
    frames = int(dataset.get("NumberOfFrames") or 1)
    if not get_frame(dataset.PixelData, frame, number_of_frames=frames).rstrip(b"\0").endswith(_END_OF_IMAGE):
        message = "no end of image"
        raise ValueError(message)
