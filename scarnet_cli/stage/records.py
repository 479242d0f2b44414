"""The JSON records that CROP and SEGMENT write for a study. That of CONVERT is in dicom/study_entry.py."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from scarnet_cli.image.volume import Volume

# The segment_mode of another network, run by a command in SEGMENT's place.
COMMAND: Final = "command"


@dataclass(frozen=True, slots=True)
class Geometry:
    """A volume's grid in LPS, in double precision, since a NIfTI header keeps only seven digits.

    Attributes:
        origin_xyz_mm: Position of the centre of the first voxel.
        direction: (3, 3) matrix, row by row; columns are the unit vectors of the grid's x, y and z axes.
        spacing_zyx_mm: Distance between voxel centres.
    """

    origin_xyz_mm: tuple[float, float, float]
    direction: tuple[tuple[float, float, float], ...]
    spacing_zyx_mm: tuple[float, float, float]


def geometry_of(volume: "Volume") -> Geometry:
    """Return the geometry of a volume."""
    x, y, z = map(float, volume.origin_xyz_mm)
    between_slices, between_rows, between_columns = map(float, volume.spacing_zyx_mm)
    direction = tuple(tuple(row) for row in volume.direction.tolist())
    return Geometry((x, y, z), direction, (between_slices, between_rows, between_columns))


@dataclass(frozen=True, slots=True)
class CropRecord:
    """The record in crop.json.

    Attributes:
        study_id: The study.
        confidence: The localiser's confidence, 0 to 1.
        flags: Codes that CROP raised.
        shape_zyx: Slices, rows and columns of the grid that the crop was cut from.
        geometry: Geometry of that grid.
        localiser_sha256: SHA-256 of the localiser's weights file; None in records of earlier versions.
    """

    study_id: str
    confidence: float
    flags: tuple[str, ...]
    shape_zyx: tuple[int, int, int]
    geometry: Geometry
    localiser_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class LabelMapFile:
    """A label map from elsewhere: of a study's, the first is measured in place of the network's.

    Attributes:
        path: Its file: NIfTI, NRRD or DICOM Segmentation.
        source: "corrected" if it lies in the folder of --corrected, "given" if the samplesheet names it.
        reader: The folder there that it lies in; None outside of one. Readers' label maps are compared.
    """

    path: str
    source: Literal["corrected", "given"]
    reader: str | None = None


@dataclass(frozen=True, slots=True)
class Margins:
    """Half the widths of the 90 % intervals of a study's measures.

    Attributes:
        scar_percent: That of scar, in points of the myocardium.
        scar_ml: That of scar, in ml.
        mvo_percent: That of MVO, in points of the myocardium.
    """

    scar_percent: float
    scar_ml: float
    mvo_percent: float


@dataclass(frozen=True, slots=True)
class SegmentRecord:
    """The record in segment.json.

    Attributes:
        study_id: The study.
        confidence: The network's confidence in the label map, 0 to 1; None of a command's.
        scar_probability: Probability that the heart has scar; None if the weights are not calibrated.
        margins: Half the widths of the intervals; None if the weights are not calibrated.
        model: Name of the network, or the command that ran another one.
        model_sha256: SHA-256 of its weights file, or of the command.
        segment_mode: "default", or "fast", in which the network sees each slice once; `COMMAND` of a command's.
        device: Where it ran: "cpu", or the GPU's name; None of a command's.
        flags: Codes that CROP and SEGMENT raised.
        localiser_sha256: SHA-256 of the weights of the network that cropped round the heart.
        decision_scar_share: Decision of the weights (infer/decision.py): what is scar.
        decision_least_scar_percent: Likewise: which hearts have none, by their scar.
        decision_least_expected_scar_percent: Likewise: which hearts have none, by their expected scar.
        decision_least_mvo_percent: Likewise: which pieces of MVO are scar.
    """

    study_id: str
    confidence: float | None
    scar_probability: float | None
    margins: Margins | None
    model: str
    model_sha256: str
    segment_mode: str
    device: str | None
    flags: tuple[str, ...]
    localiser_sha256: str | None = None
    decision_scar_share: float | None = None
    decision_least_scar_percent: float | None = None
    decision_least_expected_scar_percent: float | None = None
    decision_least_mvo_percent: float | None = None
