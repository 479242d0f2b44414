"""Data sets by pydicom, quietly."""

import logging
import struct
import warnings
import zlib
from typing import Any, BinaryIO, Final

import pydicom
from pydicom import config
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError

# pydicom's warnings quote the values they are about, names among them: none may reach a log. What matters of them shows
# when a value is used.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)
config.settings.reading_validation_mode = config.IGNORE

# What pydicom raises on damaged files, besides its own errors.
DAMAGE: Final = (
    InvalidDicomError,
    BytesLengthException,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    OSError,
    EOFError,
    NotImplementedError,
    ArithmeticError,
    AssertionError,
    RecursionError,
    MemoryError,
    struct.error,
    zlib.error,
)


def read_dataset(stream: BinaryIO, tags: list[Any] | None = None) -> Dataset:
    """Read a data set with or without preamble: whole, or only `tags` and what comes before the pixels.

    Raises:
        Exception: One of `DAMAGE`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values and character sets are judged by their use, not by a warning
        return pydicom.dcmread(stream, force=True, specific_tags=tags, stop_before_pixels=tags is not None)
