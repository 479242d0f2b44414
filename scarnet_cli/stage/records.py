"""The JSON records that CROP and SEGMENT write for a study. That of CONVERT is in dicom/study_record.py."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grid:
    """The grid of a volume, in LPS.

    Attributes:
        shape_zyx: Slices, rows, columns.
        spacing_zyx_mm: Distance between voxel centres along each axis of the array.
        origin_xyz_mm: Position of the first voxel's centre.
        direction: (3, 3) matrix whose columns are the unit vectors along x, y and z.
    """

    shape_zyx: tuple[int, int, int]
    spacing_zyx_mm: tuple[float, float, float]
    origin_xyz_mm: tuple[float, float, float]
    direction: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class CropRecord:
    """The record in crop.json.

    Attributes:
        study_id: The study.
        confidence: The localiser's confidence, 0 to 1.
        flags: Codes that CROP raised.
        grid: The full grid that the crop was cut from.
    """

    study_id: str
    confidence: float
    flags: tuple[str, ...]
    grid: Grid


@dataclass(frozen=True, slots=True)
class SegmentRecord:
    """The record in segment.json.

    Attributes:
        study_id: The study.
        confidence: The network's confidence in the label map, 0 to 1.
        model: Name of the network.
        model_sha256: SHA-256 of its weights file.
        segment_mode: "default", or "fast", in which the network sees each slice once.
        device: Where it ran: "cpu", or the GPU's name.
        flags: Codes that CROP and SEGMENT raised.
    """

    study_id: str
    confidence: float
    model: str
    model_sha256: str
    segment_mode: str
    device: str
    flags: tuple[str, ...]
