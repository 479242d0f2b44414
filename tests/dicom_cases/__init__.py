"""Ways in which archives hold a short-axis stack, each written as DICOM files with its truth."""

from typing import Final

from dicom_cases import damage, files, multiframe, places, series, values
from dicom_cases.truth import CASES, Case, TrueStack, Truth

# The headings that cases stand under, in the order of the table in docs/dicom.md.
ROWS: Final = (
    files.ORDER,
    files.SYNTAX,
    files.COMPRESSED,
    values.RESCALE,
    multiframe.MULTIFRAME,
    series.SCATTERED,
    series.REPEATED,
    places.EVENNESS,
    places.STRAIGHTNESS,
    series.MIXED,
    damage.MISSING,
    damage.TEXT,
    places.ORIENTATION,
    files.CONTAINER,
)

__all__ = ["CASES", "ROWS", "Case", "TrueStack", "Truth"]
