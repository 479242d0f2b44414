"""What CROP and SEGMENT leave of a study as JSON, beside its images. What CONVERT leaves: dicom/study_record.py."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grid:
    """The grid of a volume, in LPS.

    Attributes:
        shape_zyx: Slices, rows, columns.
        spacing_zyx_mm: Distance between neighbours along each axis of the array.
        origin_xyz_mm: Position of the first voxel.
        direction: Columns are the directions of x, y and z of the grid.
    """

    shape_zyx: tuple[int, int, int]
    spacing_zyx_mm: tuple[float, float, float]
    origin_xyz_mm: tuple[float, float, float]
    direction: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class CropRecord:
    """crop.json.

    Attributes:
        study_id: The study.
        confidence: The localiser's, 0 to 1.
        flags: Codes that CROP raised.
        grid: The full grid that the crop was cut from.
    """

    study_id: str
    confidence: float
    flags: tuple[str, ...]
    grid: Grid


@dataclass(frozen=True, slots=True)
class SegmentRecord:
    """segment.json.

    Attributes:
        study_id: The study.
        confidence: The network's confidence in the label map, 0 to 1.
        model: Name of the network.
        model_sha256: SHA-256 of its weights file.
        segment_mode: How it was used: "default", or "fast", each slice looked at once.
        device: What it computed on: "cpu", or the GPU's name.
        flags: Codes that CROP and SEGMENT raised.
    """

    study_id: str
    confidence: float
    model: str
    model_sha256: str
    segment_mode: str
    device: str
    flags: tuple[str, ...]
