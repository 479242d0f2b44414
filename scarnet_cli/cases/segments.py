"""Named segments, as 3D Slicer and DICOM Segmentations hold them, and the label map that they make together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.cases.label_values import LabelValues, label_named
from scarnet_cli.errors import GeometryError
from scarnet_cli.image.labels import Label


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment.

    Attributes:
        name: Its name for people.
        value: Its number in its file.
        mask: (z, y, x), true within it.
    """

    name: str
    value: int
    mask: NDArray[np.bool_]


def join_segments(segments: Sequence[Segment], values: LabelValues | None) -> NDArray[np.uint8]:
    """Return the (z, y, x) label map of at least one segment.

    Where segments overlap, MVO goes before scar, scar before myocardium, and that before the blood pool: a reader may
    have drawn the whole myocardium and the scar on it. An empty segment may have any name, as editors add them unasked.

    Args:
        segments: The segments, of one shape.
        values: What their numbers mean; None to go by their names.

    Raises:
        GeometryError: It is not clear what a segment is.
    """
    labels = [label_named(segment.name) if values is None else values.get(segment.value) for segment in segments]
    drawn = [bool(segment.mask.any()) for segment in segments]
    if unclear := sum(label is None and holds for label, holds in zip(labels, drawn, strict=True)):
        message = (
            f"{unclear} of the label map's {len(segments)} segments are of an unknown kind. Name them blood pool, "
            "myocardium, scar and MVO, or say in a table what their numbers mean (--label-values)."
        )
        raise GeometryError("labels_unusable", message)
    joined = np.zeros(segments[0].mask.shape, np.uint8)
    for label in Label:
        for segment, meaning in zip(segments, labels, strict=True):
            if meaning == label:
                joined[segment.mask] = label
    return joined
