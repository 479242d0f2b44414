"""Label maps from elsewhere, to be measured in place of the network's: NIfTI, NRRD or DICOM Segmentation."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from scarnet_cli.cases.label_values import LabelValues, to_labels
from scarnet_cli.cases.segments import Segment, join_segments
from scarnet_cli.dicom.results.read_seg import read_segmentation
from scarnet_cli.errors import GeometryError
from scarnet_cli.image.foreign_nifti import like, read_foreign_nifti
from scarnet_cli.image.nrrd import MAGIC, read_nrrd
from scarnet_cli.image.placement import place_on_grid
from scarnet_cli.image.volume import Volume, grid_text

_UNUSABLE: Final = "labels_unusable"
_PREAMBLE: Final = 128
_DICOM: Final = b"DICM"


@dataclass(frozen=True, slots=True)
class GivenLabels:
    """A label map from elsewhere.

    Attributes:
        labels: (z, y, x) uint8 values of `Label`, on the image's grid.
        editor: Who drew it, if the file says so.
        date: When it was drawn, YYYY-MM-DD: as the file says, else of its last change (UTC).
    """

    labels: Volume
    editor: str | None
    date: str


def read_given_labels(path: Path, image: Volume, values: LabelValues | None) -> GivenLabels:
    """Read a label map and place it on an image's grid; what it is, its content tells, not its name.

    Args:
        path: The file.
        image: The study's image; its values are not read.
        values: What the label map's values, or its segments' numbers, mean; None if they are those of `Label`, and
            segments are told by their names.

    Raises:
        GeometryError: The file cannot be read, its voxels are not the image's, or a value or segment is unknown. The
            message leaves out the file's name.
    """
    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat()
    with path.open("rb") as file:
        start = file.read(_PREAMBLE + len(_DICOM))
    try:
        if start[_PREAMBLE:] == _DICOM:
            seg = read_segmentation(path)
            drawn, editor, date = seg.grid.with_array(join_segments(seg.segments, values)), seg.editor, seg.date
        else:
            drawn, editor, date = _read_volume(path, start, values), None, None
    except GeometryError as error:
        raise GeometryError(_UNUSABLE, f"The label map to measure cannot be used. {error}") from error
    return GivenLabels(placed_labels(drawn, image), editor, date or changed)


def placed_labels(drawn: Volume, image: Volume) -> Volume:
    """Return a label map on the image's grid, without resampling.

    Raises:
        GeometryError: Its voxels are not the image's; the message gives both grids.
    """
    labels = place_on_grid(drawn, image)
    if labels is None:
        message = (
            f"The label map to measure is not on the image's grid: it has {grid_text(like(drawn, image))}, the image "
            f"{grid_text(image)}. Draw it on the study's image.nii.gz, or resample it to that."
        )
        raise GeometryError(_UNUSABLE, message)
    return labels


def _read_volume(path: Path, start: bytes, values: LabelValues | None) -> Volume:
    if not start.startswith(MAGIC):
        volume = read_foreign_nifti(path).volume
        return volume.with_array(to_labels(volume.array, values, "Its values"))
    nrrd = read_nrrd(path)
    if not nrrd.segments:
        return nrrd.grid.with_array(to_labels(nrrd.grid.array, values, "Its values"))
    if max(segment.layer for segment in nrrd.segments) >= len(nrrd.layers):
        message = "A segment is in a layer that the file does not have; write it again."
        raise GeometryError(_UNUSABLE, message)
    segments = [Segment(s.name, s.value, nrrd.layers[s.layer] == s.value) for s in nrrd.segments]
    return nrrd.grid.with_array(join_segments(segments, values))
