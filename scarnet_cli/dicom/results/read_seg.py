"""Reading a DICOM Segmentation: our own after a correction, or that of another program such as 3D Slicer."""

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import highdicom as hd
import numpy as np
from pydicom import dcmread
from pydicom.errors import InvalidDicomError
from pydicom.uid import SegmentationStorage

from scarnet_cli.cases.segments import Segment
from scarnet_cli.errors import GeometryError
from scarnet_cli.image.volume import Volume

# highdicom's warnings quote values, patients' names among them.
logging.getLogger("highdicom").setLevel(logging.CRITICAL)

_SEGMENTATIONS: Final = (SegmentationStorage, "1.2.840.10008.5.1.4.1.1.66.7")  # the second is of label maps (Sup. 243)


@dataclass(frozen=True, slots=True)
class ReadSegmentation:
    """The content of a DICOM Segmentation.

    Attributes:
        segments: Its segments, at least one.
        grid: The grid of their masks; its values are zero.
        editor: ContentCreatorName; None if it is empty.
        date: ContentDate as YYYY-MM-DD; None if there is none.
    """

    segments: tuple[Segment, ...]
    grid: Volume
    editor: str | None
    date: str | None


def read_segmentation(path: Path) -> ReadSegmentation:
    """Read a DICOM Segmentation, (z, y, x) in the order of its own slices.

    Raises:
        GeometryError: The file is not a readable Segmentation, its frames do not make one stack, or they hold
            probabilities.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # from pydicom, about odd values
            if dcmread(path, specific_tags=["SOPClassUID"]).SOPClassUID not in _SEGMENTATIONS:
                message = (
                    "The label map is DICOM but no Segmentation; contours (RTSTRUCT) have no voxels. Write it "
                    "as a Segmentation, or as a label map on the image's grid (.nii.gz, .seg.nrrd)."
                )
                raise GeometryError("labels_unusable", message)
            dataset = hd.seg.segread(path)
            numbers = [int(number) for number in dataset.segment_numbers]
            # a frame that a slice lacks is empty: programs leave those out
            stack = dataset.get_volume(segment_numbers=numbers, allow_missing_positions=True)
    except (InvalidDicomError, AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        message = "The label map is not a DICOM Segmentation of one stack of slices; write it again."
        raise GeometryError("labels_unusable", message) from error
    masks = np.asarray(stack.array).reshape(*stack.spatial_shape, len(numbers))
    if not np.isin(masks, (0, 1)).all():
        message = "The Segmentation holds fractions (SegmentationType FRACTIONAL), not segments; write it as BINARY."
        raise GeometryError("labels_unusable", message)
    masks = masks > 0
    names = [str(dataset.get_segment_description(number).segment_label) for number in numbers]
    segments = tuple(
        Segment(name, number, masks[..., index])
        for index, (name, number) in enumerate(zip(names, numbers, strict=True))
    )
    return ReadSegmentation(
        segments, _grid(stack), str(dataset.get("ContentCreatorName") or "") or None, _date(dataset)
    )


def _grid(stack: hd.Volume) -> Volume:
    between_slices, between_rows, between_columns = (float(value) for value in stack.spacing)
    x, y, z = (float(value) for value in stack.position)
    axes = np.asarray(stack.direction, float)[:, ::-1]  # its columns are the directions of slices, rows and columns
    return Volume(
        np.zeros(stack.spatial_shape, np.uint8), (between_slices, between_rows, between_columns), (x, y, z), axes
    )


def _date(dataset: Any) -> str | None:  # noqa: ANN401 (a Segmentation)
    text = str(dataset.get("ContentDate") or "")
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}" if len(text) == len("YYYYMMDD") and text.isdecimal() else None
