"""Ways in which archives hold a short-axis stack, each written as DICOM files with its truth."""

from dicom_cases import damage, files, multiframe, places, series, values
from dicom_cases.truth import CASES, Case, TrueStack, Truth

__all__ = ["CASES", "Case", "TrueStack", "Truth", "damage", "files", "multiframe", "places", "series", "values"]
