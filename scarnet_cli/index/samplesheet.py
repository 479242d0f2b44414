"""Read a samplesheet: check every row before anything runs, and list all wrong rows at once."""

import math
import re
import unicodedata
from collections.abc import Container, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from scarnet_cli.buckets.object_path import ObjectPath
from scarnet_cli.buckets.place import Place, at_once, is_address, located
from scarnet_cli.dicom.identity import is_uid
from scarnet_cli.errors import InputError
from scarnet_cli.faults import machine_fault
from scarnet_cli.sheet import SheetKind, problem_of_label, problem_of_name, read_sheet
from scarnet_cli.tables.studies import LABELS, StudyLabels, labels_in
from scarnet_cli.tables.user_columns import problem_of_user_column, problems_of_user_cells, user_cells_in

SAMPLESHEET: Final = SheetKind(
    "samplesheet",
    ("study", "dicom"),
    (*LABELS, "rv_insertion", "reference", "labels", "study_instance_uid"),
    problem_of_user_column,
)
NIFTI_SUFFIXES: Final = (".nii", ".nii.gz")
_BLANKS: Final = re.compile(r"\s*;\s*|,?\s+")
_WINDOWS_PATH: Final = re.compile(r"[A-Za-z]:|.*\\").match
# Column of a path -> what is wrong with it if there is nothing.
_MISSING: Final = {"dicom": "does not exist", "reference": "is not a file", "labels": "are not a file"}


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One study of a samplesheet.

    Attributes:
        study: The study's name, used as study_id.
        dicom: Folder, archive, DICOM or NIfTI file, absolute; or an object or prefix in a bucket.
        labels: Its labels.
        rv_insertion: Anterior RV insertion, LPS x, y, z in mm, or None.
        reference: NIfTI label map to compare with, absolute, or None.
        label_map: Label map to measure in place of the network's, absolute, or None.
        study_uid: StudyInstanceUID of its study, where `dicom` may hold several, or None.
        user_cells: Its cells in the user's own columns.
    """

    study: str
    dicom: Place
    labels: StudyLabels
    rv_insertion: tuple[float, float, float] | None
    reference: Place | None
    label_map: Path | None = None
    study_uid: str | None = None
    user_cells: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_nifti(self) -> bool:
        """Whether the study is given as a NIfTI file."""
        return self.dicom.name.lower().endswith(NIFTI_SUFFIXES)


def read_samplesheet(path: Place) -> list[SampleRow]:
    """Read and check a samplesheet; paths in it are relative to its folder, and addresses name objects.

    Raises:
        InputError: It is not a CSV with the columns `study` and `dicom`, has no rows, or has wrong rows; the message
            gives the line of each wrong row.
        MachineError: The machine failed while it checked whether a file or folder exists.
    """
    folder = path.parent.absolute()
    there = _objects_there(path, folder)
    return read_sheet(path, SAMPLESHEET, lambda values: _row(values, folder, there))


def _objects_there(path: Place, folder: Place) -> set[tuple[Place, bool]]:
    """Return those objects (True) and objects or prefixes (False) named by rows that exist, asked for many at once."""
    named: set[tuple[ObjectPath, bool]] = set()

    def look(values: dict[str, str]) -> None:
        places = [(located(folder, values.get(name, "")), name == "reference") for name in ("dicom", "reference")]
        named.update((place, file) for place, file in places if isinstance(place, ObjectPath))

    with suppress(InputError):  # wrong rows are told when all is known
        read_sheet(path, SAMPLESHEET, look)
    asked = list(named)
    found = at_once(lambda one: one[0].is_file() if one[1] else one[0].exists(), asked, (place for place, _ in asked))
    return {one for one, is_there in zip(asked, found, strict=True) if is_there}


def _row(values: dict[str, str], folder: Place, objects: Container[tuple[Place, bool]]) -> SampleRow:
    problems = [problem for problem in [problem_of_name("study", values["study"])] if problem]
    given = {column: values.get(column, "") for column in _MISSING}
    if is_address(given["labels"]):
        problems.append("its labels are in a bucket; label maps are read from this machine alone")
        given["labels"] = ""
    places = {column: _place(text, folder, objects, file=column != "dicom") for column, text in given.items()}
    problems += [f"its {at} {_MISSING[at]}{_advice(text)}" for at, text in given.items() if text and not places[at]]
    source, reference, label_map = places.values()
    if not given["dicom"]:
        problems.append("its dicom is empty")
    problems += [p for name in LABELS if values.get(name) and (p := problem_of_label(name, values[name]))]
    study_uid = values.get("study_instance_uid") or None
    if study_uid and not is_uid(study_uid):
        problems.append("its study_instance_uid is not a UID: digits and dots")
    user_cells = user_cells_in(SAMPLESHEET, values)
    problems += problems_of_user_cells(user_cells)
    try:
        insertion = _point(values.get("rv_insertion", ""))
    except ValueError as error:
        problems.append(str(error))
        insertion = None
    if problems or source is None:
        raise ValueError("; ".join(problems))
    own = label_map if isinstance(label_map, Path) else None
    return SampleRow(values["study"], source, labels_in(values), insertion, reference, own, study_uid, user_cells)


def _place(text: str, folder: Place, objects: Container[tuple[Place, bool]], *, file: bool) -> Place | None:
    """Return what a cell names, if it is there; an accent may be one character in the sheet and two on the disk."""
    forms = dict.fromkeys([text, *(unicodedata.normalize(form, text) for form in ("NFC", "NFD"))]) if text else ()
    places = (located(folder, form) for form in forms)
    return next((place for place in places if _is_there(place, objects, file=file)), None)


def _advice(text: str) -> str:
    """Return what to do about a path that is not there, if its text tells; else nothing."""
    if _WINDOWS_PATH(text):
        return ": it is a Windows path; write the one that this machine has, with /"
    if text.startswith("~") or "$" in text:
        return ": ~ and $ are not replaced in a samplesheet; write the folder out"
    return ""


def _is_there(place: Place, objects: Container[tuple[Place, bool]], *, file: bool = False) -> bool:
    if isinstance(place, ObjectPath):
        return (place, file) in objects
    try:
        return place.is_file() if file else place.exists()
    except OSError as error:  # a name too long for the file system, or a folder without permission
        if fault := machine_fault(error):
            raise fault from error
        return False


def _point(text: str) -> tuple[float, float, float] | None:
    """Return the point in a text "x y z", or None if it is empty.

    The numbers are separated by blanks or semicolons, and may have decimal commas, or by commas.

    Raises:
        ValueError: The text is not three finite numbers.
    """
    if not text:
        return None
    text = text.strip(" ()[]")
    parts = _BLANKS.split(text) if _BLANKS.search(text) else text.split(",")
    try:
        x, y, z = (float(part.replace(",", ".")) for part in parts)
    except ValueError:
        x = y = z = math.nan
    if not all(map(math.isfinite, (x, y, z))):
        message = "rv_insertion is not three numbers in mm (LPS x y z)"
        raise ValueError(message)
    return x, y, z
