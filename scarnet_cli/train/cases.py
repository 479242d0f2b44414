"""Labelled cases for training and evaluation."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from scarnet_cli.errors import GeometryError, InputError
from scarnet_cli.image.labels import Label, region_mask
from scarnet_cli.image.volume import Volume, read_nifti, same_grid

EMIDEC_PATTERN: Final = "Case_*"


@dataclass(frozen=True, slots=True)
class Case:
    """One patient's LGE short-axis stack with the expert's label map on the same grid."""

    case_id: str
    image: Volume
    labels: Volume

    @property
    def has_scar(self) -> bool:
        """Tell whether the expert drew any scar or MVO."""
        return bool(region_mask(self.labels.array, "scar").any())


def read_cases(folder: Path) -> list[Case]:
    """Read all cases of a folder in EMIDEC's layout, sorted by name; each case is one patient.

    Raises:
        InputError: The folder holds no such case, or a case lacks its contours.
        GeometryError: Image and contours of a case are on different grids, or a label is unknown.
    """
    folders = sorted(path for path in folder.glob(EMIDEC_PATTERN) if path.is_dir())
    if not folders:
        message = "The folder holds no Case_*/Images/Case_*.nii.gz; give a folder in EMIDEC's layout."
        raise InputError("no_cases", message)
    return [read_case(path) for path in folders]


def read_case(folder: Path) -> Case:
    """Read one case of EMIDEC: `Case_X/Images/Case_X.nii.gz` and `Case_X/Contours/Case_X.nii.gz`."""
    name = folder.name
    image_path, labels_path = (folder / part / f"{name}.nii.gz" for part in ("Images", "Contours"))
    for path in (image_path, labels_path):
        if not path.is_file():
            message = f"{name} lacks {path.parent.name}/{path.name}; complete the folder or take it out."
            raise InputError("incomplete_case", message)
    image, labels = read_nifti(image_path), read_nifti(labels_path)
    if not same_grid(image, labels):
        message = f"{name}: image {image.shape_zyx} and contours {labels.shape_zyx} are on different grids."
        raise GeometryError("grid_mismatch", message)
    unknown = sorted(set(np.unique(labels.array).tolist()) - set(Label))
    if unknown:
        message = f"{name}: label values {unknown} are not among {[int(v) for v in Label]}."
        raise GeometryError("unknown_label", message)
    return Case(name, image, labels.with_array(labels.array.astype(np.uint8)))
