"""What marks a DICOM object as a result of this pipeline: written so, and known again among the input."""

from typing import Final

MANUFACTURER: Final = "scarnet-pipeline"
# A segmentation, and a report of measures.
_MODALITIES: Final = ("SEG", "SR")


def is_own_result(modality: str | None, manufacturer: str | None) -> bool:
    """Tell whether an object is a result of this pipeline: no part of the study that it was made of."""
    return modality in _MODALITIES and manufacturer == MANUFACTURER
