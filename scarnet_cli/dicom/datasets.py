"""Read data sets by pydicom, within bounds and without warnings."""

import logging
import struct
import warnings
import zlib
from io import BytesIO
from typing import Any, BinaryIO, Final

import pydicom
from pydicom import config
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError

from scarnet_cli.dicom.bounds import (
    HEADER_BYTES,
    STUDY_BYTES,
    VALUE_BYTES,
    BoundedStream,
    Budget,
    DeflatedError,
    few_items,
    inflate,
)

# pydicom's warnings quote values, patients' names among them, so none may reach a log. A value that matters is checked
# when it is used.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)
config.settings.reading_validation_mode = config.IGNORE

# What pydicom raises on damaged files, its own errors included.
DAMAGE: Final = (
    InvalidDicomError,
    BytesLengthException,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    OSError,
    EOFError,
    RuntimeError,  # from its decoders; covers NotImplementedError and RecursionError
    ArithmeticError,
    AssertionError,
    MemoryError,
    struct.error,
    zlib.error,
)


def read_dataset(stream: BinaryIO, tags: list[Any] | None = None, budget: Budget | None = None) -> Dataset:
    """Read a data set with or without preamble: all of it, or only those of `tags` that come before the pixels.

    A deflated data set comes back as explicit little endian.

    Args:
        stream: Seekable binary stream at its start.
        tags: Tags to read; None for all.
        budget: Bytes that may be read from this and other files together; by default, a budget for this file alone.

    Raises:
        Exception: One of `DAMAGE`: the file is damaged or exceeds the bounds.
    """
    budget = budget or Budget(STUDY_BYTES if tags is None else HEADER_BYTES)
    try:
        return _read_bounded(stream, budget, tags)
    except DeflatedError as found:
        inflated = inflate(stream, found.offset, budget.left, whole=tags is None)
        return _read_bounded(inflated, budget, tags)


def _read_bounded(stream: BinaryIO, budget: Budget, tags: list[Any] | None) -> Dataset:
    bounded = BoundedStream(stream, budget)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values and character sets are checked where they are used
        return pydicom.dcmread(bounded, force=True, specific_tags=tags, stop_before_pixels=tags is not None)


def bounded_value(dataset: Dataset, keyword: str) -> Any:  # noqa: ANN401 (anything pydicom may return)
    """Return a value; None if it is absent, cannot be decoded, or is larger than `VALUE_BYTES` or `few_items` allow."""
    try:
        element = dataset.get_item(keyword)  # not decoded yet
        if isinstance(element, RawDataElement) and isinstance(element.value, bytes):
            sequence = keyword.endswith("Sequence")
            if not (few_items(element.value) if sequence else len(element.value) <= VALUE_BYTES):
                return None
        return dataset.get(keyword)
    except DAMAGE:
        return None


def bounded_bytes(dataset: Dataset, keyword: str) -> bytes:
    """Return a value's raw bytes, or ASCII if it is already decoded; empty if it is absent or too large."""
    try:
        value = dataset.get_item(keyword).value  # not decoded yet
    except DAMAGE:
        return b""
    written = value if isinstance(value, bytes) else str(value or "").encode("ascii", "ignore")
    return written if len(written) <= VALUE_BYTES else b""


def sequences(dataset: Dataset) -> list[Any]:
    """Return the values of a data set's sequences without decoding anything else; a vendor's own are left out.

    Philips repeats a classic image's elements, its rescale and UID among them, in a private sequence of each frame.
    """
    tags = [tag for tag in dataset.keys() if not tag.is_private]  # noqa: SIM118 (iterating would decode the elements)
    return [dataset[tag].value or [] for tag in tags if _vr(dataset, tag) == "SQ"]


def _vr(dataset: Dataset, tag: Any) -> str | None:  # noqa: ANN401 (a tag)
    vr = dataset.get_item(tag).VR
    return dictionary_VR(tag) if vr in (None, "UN") and dictionary_has_tag(tag) else vr


def file_bytes(dataset: Dataset) -> bytes:
    """Return a data set as the bytes of a DICOM file."""
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
