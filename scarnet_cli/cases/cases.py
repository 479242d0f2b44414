"""Labelled cases for training and evaluation: a folder in EMIDEC's layout, or a table of image and label map."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from scarnet_cli.cases.label_values import LabelValues, to_labels
from scarnet_cli.errors import InputError, ScarnetError
from scarnet_cli.image.labels import region_mask
from scarnet_cli.image.volume import Volume, read_nifti, require_same_grid
from scarnet_cli.sheet import SheetKind, problem_of_name, read_sheet, require_none_wrong

CASE_SHEET: Final = SheetKind("samplesheet", ("case", "image", "labels"), ("patient",))
IMAGES, CONTOURS = "Images", "Contours"


@dataclass(frozen=True, slots=True)
class Case:
    """One LGE short-axis stack with the expert's label map on the same grid.

    Attributes:
        case_id: Name of the case in tables.
        image: The stack, (z, y, x) intensities.
        labels: Label map, (z, y, x) values of `Label`.
        patient: Joins the cases of one patient, which are never split between folds; None if the patient has only one.
    """

    case_id: str
    image: Volume
    labels: Volume
    patient: str | None = None

    @property
    def patient_id(self) -> str:
        """The patient's label, or the case's name if it has none."""
        return self.patient or self.case_id

    @property
    def has_scar(self) -> bool:
        """Whether the expert drew any scar or MVO."""
        return bool(region_mask(self.labels.array, "scar").any())

    @property
    def sha256(self) -> str:
        """SHA-256 (hex) of all voxels, which shows when a case has changed."""
        digest = hashlib.sha256()
        for volume in (self.image, self.labels):
            digest.update(f"{volume.shape_zyx} {volume.array.dtype} {volume.spacing_zyx_mm}".encode())
            digest.update(np.ascontiguousarray(volume.array).data)
        return digest.hexdigest()


def read_cases(source: Path, values: LabelValues | None = None) -> list[Case]:
    """Read all cases, sorted by name.

    Args:
        source: A folder in EMIDEC's layout, in which each case is one patient, or a CSV table with the columns
            `case,image,labels` and, if a patient has several cases, `patient`. Relative paths start at its folder.
        values: What the label maps' values mean, if they are not ours; see `read_label_values`.

    Raises:
        InputError: There is no case, or a case is wrong: a file is missing or is not a volume, image and label map are
            on different grids, or a label value is unknown. The message names all such cases.
    """
    cases = _read_folder(source, values) if source.is_dir() else _read_table(source, values)
    return sorted(cases, key=lambda case: case.case_id)


def read_case(folder: Path, values: LabelValues | None = None) -> Case:
    """Read one case of EMIDEC: `Case_X/Images/Case_X.nii.gz` and `Case_X/Contours/Case_X.nii.gz`.

    Raises:
        InputError: One of the files is missing.
        GeometryError: The files are not volumes or are on different grids, or a label value is unknown.
    """
    name = folder.name
    problem = problem_of_name("case", name)
    paths = [folder / part / f"{name}.nii.gz" for part in (IMAGES, CONTOURS)]
    missing = [f"{path.parent.name}/{path.name}" for path in paths if not path.is_file()]
    if problem or missing:
        message = problem or f"{name} lacks {' and '.join(missing)}; complete the folder or take it out."
        raise InputError("incomplete_case", message)
    return _make_case(name, read_nifti(paths[0]), read_nifti(paths[1]), values)


def _read_folder(folder: Path, values: LabelValues | None) -> list[Case]:
    folders = sorted(path for path in folder.iterdir() if any((path / part).is_dir() for part in (IMAGES, CONTOURS)))
    if not folders:
        message = (
            "The folder holds no CASE/Images/CASE.nii.gz; give a folder in EMIDEC's layout, or a CSV table with the "
            f"columns {', '.join(CASE_SHEET.required)}."
        )
        raise InputError("no_cases", message)
    cases: list[Case] = []
    wrong: list[str] = []
    for path in folders:
        try:
            cases.append(read_case(path, values))
        except ScarnetError as error:
            wrong.append(str(error))
    require_none_wrong(wrong, f"{len(folders)} cases", "the folder's")
    return cases


def _read_table(path: Path, values: LabelValues | None) -> list[Case]:
    folder = path.parent.absolute()

    def read_row(cells: dict[str, str]) -> Case:
        problems = [problem for problem in [problem_of_name("case", cells["case"])] if problem]
        problems += [
            f"{column} '{cells[column]}' is not a file"
            for column in ("image", "labels")
            if not (folder / cells[column]).is_file()
        ]
        if problems:
            raise ValueError("; ".join(problems))
        image, labels = (read_nifti(folder / cells[column]) for column in ("image", "labels"))
        return _make_case(cells["case"], image, labels, values, cells.get("patient") or None)

    return read_sheet(path, CASE_SHEET, read_row)


def _make_case(
    name: str, image: Volume, labels: Volume, values: LabelValues | None, patient: str | None = None
) -> Case:
    require_same_grid(image, labels, name)
    return Case(name, image, labels.with_array(to_labels(labels.array, values, name)), patient)
