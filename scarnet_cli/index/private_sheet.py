"""A samplesheet of what a folder holds, to fill in: the one file that says which study is whose.

Its columns `private_…` hold names and dates, which nothing reads: see `user_columns.PRIVATE`.
"""

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import pyarrow as pa
from pydicom.dataset import Dataset

from scarnet_cli.buckets.place import Place, located
from scarnet_cli.dicom.datasets import DAMAGE, read_dataset
from scarnet_cli.dicom.facts import FoundFile, folder_of
from scarnet_cli.dicom.headers import text
from scarnet_cli.dicom.whole_files import each_file
from scarnet_cli.errors import DicomError, InputError
from scarnet_cli.faults import machine_fault
from scarnet_cli.files import atomic_path
from scarnet_cli.index.files.cache import NOTHING
from scarnet_cli.index.grouping import StudyGroup
from scarnet_cli.index.index_input import IndexOptions, Survey, survey
from scarnet_cli.index.inputs import read_input
from scarnet_cli.index.planning import plan_groups
from scarnet_cli.index.study_plan import PlannedStudy, source_of
from scarnet_cli.tables.user_columns import PRIVATE

_OWNER_ONLY: Final = 0o600
# Columns that the pipeline reads, `site`, `group` and `visit` to be filled in, and those that it does not.
_READ: Final = ("study", "dicom", "study_instance_uid", "patient", "visit", "group", "site")
_PRIVATE: Final = tuple(
    PRIVATE + name for name in ("patient_id", "patient_name", "study_date", "description", "problem")
)
_TAGS: Final = ["SpecificCharacterSet", "PatientID", "PatientName", "StudyDate"]


@dataclass(frozen=True, slots=True)
class PrivateRow:
    """One study, and whose it is.

    Attributes:
        study: Its id, as a run of the folder gives it.
        place: Folder, archive or file that holds it, and maybe others.
        study_uid: Its StudyInstanceUID; None where it has none of its own.
        patient_id: PatientID.
        patient_name: PatientName.
        study_date: StudyDate.
        description: Descriptions of the series that would be measured.
        problem: Code of the failure that a run would end with; empty without.
    """

    study: str
    place: Place
    study_uid: str | None
    patient_id: str
    patient_name: str
    study_date: str
    description: str
    problem: str


def read_private_rows(source: Place, memory: pa.Table | None, options: IndexOptions) -> list[PrivateRow]:
    """Return a row for each study of a folder or archive, by patient and date.

    Raises:
        InputError: It is a samplesheet or a NIfTI file, or holds no DICOM.
        MachineError: The machine failed, or the input was temporarily unavailable.
    """
    given = read_input(source)
    if given.rows is not None:
        message = (
            "The input names its studies itself (a samplesheet or a NIfTI file); give a folder or archive of DICOM."
        )
        raise InputError("bad_input", message)
    found = survey(given, memory or NOTHING, options)
    planned = plan_groups(found.contents, found.groups, memory or NOTHING, options.choice)
    plans = {study.study_id: study for study in planned.studies}
    rows = [_row(found, source, group, plans[group.study_id]) for group in found.groups]
    return sorted(rows, key=lambda row: (row.patient_id, row.study_date, row.study))


def require_new(path: Path) -> None:
    """Require that a file does not exist: what somebody filled in must not be lost.

    Raises:
        InputError: It does.
    """
    if path.exists():
        message = f"{path.name} exists, and may be filled in already; name another file or take it away."
        raise InputError("output_exists", message)


def write_private_sheet(rows: Sequence[PrivateRow], path: Path) -> None:
    """Write rows as a samplesheet that its owner alone can read; patients are P001 and so on, by PatientID.

    Raises:
        InputError: See `require_new`.
    """
    require_new(path)
    ids = sorted({row.patient_id for row in rows if row.patient_id})
    patients = {patient_id: f"P{number:03}" for number, patient_id in enumerate(ids, start=1)}
    lines = io.StringIO(newline="")
    writer = csv.writer(lines)
    writer.writerow([*_READ, *_PRIVATE])
    for row in rows:
        read = (row.study, row.place, row.study_uid or "", patients.get(row.patient_id, ""), "", "", "")
        private = (row.patient_id, row.patient_name, row.study_date, row.description, row.problem)
        writer.writerow([*read, *private])
    with atomic_path(path, mode=_OWNER_ONLY) as temporary:
        temporary.write_text(lines.getvalue(), encoding="utf-8-sig")  # with its mark, or Excel misreads it


def _row(found: Survey, source: Place, group: StudyGroup, plan: PlannedStudy) -> PrivateRow:
    contents = found.contents
    images = group.members[contents.frames[group.members] > 0]
    files = [contents.files[index] for index in group.members.tolist()]
    header = _header(found.root, contents.files[images[0]]) if len(images) else Dataset()
    uids = {contents.study_uids[number] for number in contents.study[images].tolist() if number >= 0}
    descriptions = dict.fromkeys(verdict.description or "" for verdict in plan.series if verdict.chosen)
    return PrivateRow(
        study=group.study_id,
        place=_place_of(found.root, source, files),
        study_uid=uids.pop() if len(uids) == 1 else None,
        patient_id=text(header, "PatientID") or "",
        patient_name=text(header, "PatientName") or "",
        study_date=text(header, "StudyDate") or "",
        description=" + ".join(filter(None, descriptions)),
        problem=plan.failure.code if plan.failure else "",
    )


def _header(root: Place, file: FoundFile) -> Dataset:
    """Return who a file is of; nothing where it cannot be read."""
    try:
        for _, opened in each_file(root, [source_of(file, None)]):
            with opened() as stream:
                return read_dataset(stream, tags=list(_TAGS))
    except (DicomError, *DAMAGE) as error:
        if machine_fault(error):
            raise
    return Dataset()


def _place_of(root: Place, source: Place, files: Sequence[FoundFile]) -> Place:
    """Return the nearest folder that holds all files, or the one archive or file that is all of them."""
    paths = {file.path for file in files}
    if len(paths) == 1:
        return located(root, paths.pop())
    folders = {str(PurePosixPath(file.path).parent) if file.member is not None else folder_of(file) for file in files}
    shared = os.path.commonpath([f"/{'' if folder == '.' else folder}" for folder in folders]).lstrip("/")
    return located(root, shared) if shared else source.absolute()
