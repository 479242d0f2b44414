"""Recognise this pipeline's own DICOM results among the input by the manufacturer that it writes into them."""

from typing import Final

MANUFACTURER: Final = "scarnet-pipeline"
# Segmentation and structured report.
_MODALITIES: Final = ("SEG", "SR")


def is_own_result(modality: str | None, manufacturer: str | None) -> bool:
    """Tell whether an object is a result of this pipeline and therefore not part of the study."""
    return modality in _MODALITIES and manufacturer == MANUFACTURER
