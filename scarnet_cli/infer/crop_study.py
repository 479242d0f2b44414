"""One study cropped round its heart: written by CROP, read by SEGMENT."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from scarnet_cli.faults import reading_intermediate
from scarnet_cli.files import read_json, write_json
from scarnet_cli.image.volume import Volume, read_nifti, write_nifti
from scarnet_cli.infer.localise import SURE_CONFIDENCE, crop_heart
from scarnet_cli.model.weights import TrainedNetwork

HEART_CUT_OFF: Final = "heart_crop_cut_off"
HEART_UNCERTAIN: Final = "heart_uncertain"
CROP_IMAGE: Final = "crop.nii.gz"
CROP_RECORD: Final = "crop.json"


@dataclass(frozen=True, slots=True)
class CroppedStudy:
    """What CROP left of one study.

    Attributes:
        crop: (z, 128, 128) intensities round the heart.
        full: The full grid that it was cut from, as a volume of zeros.
        flags: Codes that CROP raised.
    """

    crop: Volume
    full: Volume
    flags: list[str]


def crop_study(image: Path, localiser: TrainedNetwork, folder: Path) -> None:
    """Crop one converted image; writes crop.nii.gz and crop.json into `folder`.

    Raises:
        ModelError: No heart is in the image.
        IntermediateError: The image is gone or damaged.
    """
    with reading_intermediate(image):
        volume = read_nifti(image)
    crop = crop_heart(volume, localiser)
    write_nifti(crop.image, folder / CROP_IMAGE)
    flags = [
        code
        for code, raised in ((HEART_CUT_OFF, crop.cut_off), (HEART_UNCERTAIN, crop.confidence < SURE_CONFIDENCE))
        if raised
    ]
    confidence = round(crop.confidence, 4)
    record = {"study_id": folder.name, "confidence": confidence, "flags": flags, "grid": _grid(volume)}
    write_json(folder / CROP_RECORD, record)


def read_grid(record: dict[str, Any]) -> Volume:
    """Return the full grid that crop.json describes, as a volume of zeros."""
    grid = record["grid"]
    return Volume(
        np.zeros(grid["shape_zyx"], np.uint8),
        tuple(grid["spacing_zyx_mm"]),
        tuple(grid["origin_xyz_mm"]),
        np.array(grid["direction"]),
    )


def read_crop(folder: Path) -> CroppedStudy:
    """Read what `crop_study` wrote into a study's folder.

    Raises:
        IntermediateError: One of its files is gone or damaged.
    """
    with reading_intermediate(folder / CROP_IMAGE) as path:
        crop = read_nifti(path)
    with reading_intermediate(folder / CROP_RECORD) as path:
        record = read_json(path)
        return CroppedStudy(crop, read_grid(record), record["flags"])


def _grid(image: Volume) -> dict[str, Any]:
    return {
        "shape_zyx": image.shape_zyx,
        "spacing_zyx_mm": image.spacing_zyx_mm,
        "origin_xyz_mm": image.origin_xyz_mm,
        "direction": image.direction.tolist(),
    }
