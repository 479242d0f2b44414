"""The crop round one study's heart: CROP writes it, SEGMENT reads it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from scarnet_cli.image.volume import Volume
from scarnet_cli.infer.localise import SURE_CONFIDENCE, crop_heart
from scarnet_cli.model.weights import TrainedNetwork
from scarnet_cli.stage.folder import StudyFile, StudyFolder, study_folder
from scarnet_cli.stage.records import CropRecord, geometry_of

HEART_CUT_OFF: Final = "heart_crop_cut_off"
HEART_UNCERTAIN: Final = "heart_uncertain"


@dataclass(frozen=True, slots=True)
class CroppedStudy:
    """Output of CROP for one study.

    Attributes:
        crop: (z, 128, 128) intensities round the heart, scaled slice by slice to 0..1.
        full: The full grid that the crop was cut from, as a volume of zeros.
        flags: Codes that CROP raised.
        localiser_sha256: SHA-256 of the localiser's weights file, if known.
    """

    crop: Volume
    full: Volume
    flags: tuple[str, ...]
    localiser_sha256: str | None


def crop_study(folder: StudyFolder, converted: Path, localiser: TrainedNetwork) -> None:
    """Crop the image that CONVERT made of a study; write crop.nii.gz and crop.json.

    Raises:
        ModelError: The weights are not a localiser's, the image is blank, or no heart is found.
        IntermediateError: The image is missing or damaged.
    """
    image = study_folder(converted, folder.study_id).read_volume(StudyFile.IMAGE)
    crop = crop_heart(image, localiser)
    folder.write_volume(StudyFile.CROP, crop.image)
    raised = {HEART_CUT_OFF: crop.cut_off, HEART_UNCERTAIN: crop.confidence < SURE_CONFIDENCE}
    flags = tuple(code for code, holds in raised.items() if holds)
    record = CropRecord(
        study_id=folder.study_id,
        confidence=round(crop.confidence, 4),
        flags=flags,
        shape_zyx=image.shape_zyx,
        geometry=geometry_of(image),
        localiser_sha256=localiser.sha256,
    )
    folder.write_record(StudyFile.CROP_RECORD, record)


def read_crop(folder: StudyFolder) -> CroppedStudy:
    """Read what `crop_study` wrote into a study's folder.

    Raises:
        IntermediateError: One of the files is missing or damaged.
    """
    crop = folder.read_volume(StudyFile.CROP)
    record = folder.read_record(StudyFile.CROP_RECORD, CropRecord)
    grid = record.geometry
    zeros = np.zeros(record.shape_zyx, np.uint8)
    full = Volume(zeros, grid.spacing_zyx_mm, grid.origin_xyz_mm, np.array(grid.direction))
    return CroppedStudy(crop, full, record.flags, record.localiser_sha256)
