"""Group files into studies: by StudyInstanceUID unless other elements contradict it, or by rows of a samplesheet."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.dicom.facts import FoundFile, folder_of
from scarnet_cli.dicom.headers import JUNK, OWN_RESULT
from scarnet_cli.dicom.identity import part_id, study_id_from_uid
from scarnet_cli.dicom.notes import Note
from scarnet_cli.errors import DicomError
from scarnet_cli.index.files.contents import Contents, Members
from scarnet_cli.index.files.recall import NOT_READ
from scarnet_cli.index.files.sweep import PASSED_OVER, folder_key, lost_files
from scarnet_cli.index.inputs import SweptPart
from scarnet_cli.index.patients import contradicted, doubtful_studies, parts_of, together
from scarnet_cli.index.samplesheet import SampleRow

NO_STUDY_UID: Final = "no_study_uid"
PATIENTS_SEPARATED: Final = "patients_separated"
_NO_UID: Final = Note(
    NO_STUDY_UID,
    "No StudyInstanceUID, or a new one in every file: the files of one folder were taken for one study.",
    flag=True,
)
_SEPARATED: Final = Note(
    PATIENTS_SEPARATED,
    "One StudyInstanceUID, or one folder without any, holds files of several patients: this is one patient's part.",
    flag=True,
)


@dataclass(frozen=True, slots=True)
class StudyGroup:
    """The files of one study.

    Attributes:
        study_id: The study's id.
        members: Indices of its files in `Contents.files`.
        lost: Unreadable files of unknown study that lie with its files.
        row: Its row of the samplesheet, if any.
        notes: How its files were told from those of other studies, if not by StudyInstanceUID.
        problem: Why its files are not one study, or None.
    """

    study_id: str
    members: Members
    lost: tuple[FoundFile, ...] = ()
    row: SampleRow | None = None
    notes: tuple[Note, ...] = ()
    problem: DicomError | None = None


def group_by_study(contents: Contents, lost: Iterable[FoundFile]) -> tuple[list[StudyGroup], list[StudyGroup]]:
    """Group files by StudyInstanceUID if it is reliable; unreadable files go to the studies that they lie with.

    If files under one StudyInstanceUID are of several patients, each patient's files are a study. Files without a
    StudyInstanceUID, or each with a different one, are joined by other elements that they share: see `patients`.

    Returns:
        The studies; and the files that lie with no study, one group per folder, whose id is the key of the folder (of
        the file itself at the root).
    """
    uids = contents.study_uids
    owner = contents.study.copy()  # number of each file's group: index of its UID; joined files get numbers above those
    joined = together(contents)
    for number, members in enumerate(joined, start=len(uids)):
        owner[members] = number
    order = np.argsort(owner, kind="stable")
    cuts = np.searchsorted(owner[order], np.arange(len(uids) + len(joined) + 1))
    strays = np.flatnonzero((owner < 0) & contents.among(NOT_READ)).tolist()
    beside, alone = _beside_studies([*(contents.files[i] for i in strays), *lost], contents, owner)
    doubtful = doubtful_studies(contents)
    studies = []
    for number, members in enumerate(np.split(order, cuts)[1:-1]):
        if not len(members):
            continue
        uid = uids[number] if number < len(uids) else None
        files = tuple(beside.get(number, ()))
        if uid is None or number in doubtful:
            studies += _told_apart(contents, uid, members, files)
        else:
            studies.append(StudyGroup(study_id_from_uid(uid), members, files))
    return studies, [StudyGroup(key, order[:0], tuple(files)) for key, files in alone.items()]


def _told_apart(contents: Contents, uid: str | None, members: Members, lost: tuple[FoundFile, ...]) -> list[StudyGroup]:
    """Return the study or studies of files that lie together; they stay one study if patients cannot be told apart."""
    parts = parts_of(contents, members)
    notes = () if uid else (_NO_UID,)
    nameless = bool((contents.study[members] < 0).any())
    if isinstance(parts, DicomError) or len(parts) == 1:
        problem = parts if isinstance(parts, DicomError) else _without_uid(contents, members) if nameless else None
        study_id = study_id_from_uid(uid) if uid else part_id("", _keys(contents, members))
        return [StudyGroup(study_id, members, lost, notes=notes, problem=problem)]
    # Only images decide a part's id: a file without an image may be in several parts.
    studies = []
    for part in parts:
        study_id = part_id(uid or "", _keys(contents, part[contents.frames[part] > 0]))
        problem = _without_uid(contents, part) if nameless else None
        studies.append(StudyGroup(study_id, part, lost, notes=(*notes, _SEPARATED), problem=problem))
    return studies


def _without_uid(contents: Contents, members: Members) -> DicomError:
    """Return the refusal of images without StudyInstanceUID: a common folder does not prove that they are a study."""
    count = int((contents.frames[members] > 0).sum())
    message = (
        f"{count} images that lie together have no StudyInstanceUID, so that only their folder says that they are one "
        "study. Give the folder a row of a samplesheet, which needs no StudyInstanceUID, or export the study again."
    )
    return DicomError(NO_STUDY_UID, message)


def _keys(contents: Contents, members: Members) -> list[str]:
    return [contents.keys[i] for i in members.tolist()]


def _beside_studies(
    strays: Sequence[FoundFile], contents: Contents, owner: NDArray[np.int64]
) -> tuple[dict[int, list[FoundFile]], dict[str, list[FoundFile]]]:
    """Return the strays by number of the studies that they lie with, and the other strays by key of their folder.

    A stray lies with all studies in its folder. If there are none, it lies with the study below the nearest folder
    above that holds any, if that folder holds only one: a series often has a separate folder.
    """
    folders = [folder_of(file) for file in strays]
    studies_in: dict[str, set[int]] = {folder: set() for folder in folders}
    studies_below: dict[str, set[int]] = {above: set() for folder in folders for above in _folders_above(folder)}
    for file, study in zip(contents.files, owner.tolist(), strict=True) if strays else ():
        if study >= 0:
            studies_in.get(folder_of(file), set()).add(study)
            for above in _folders_above(folder_of(file)):
                studies_below.get(above, set()).add(study)
    beside: dict[int, list[FoundFile]] = defaultdict(list)
    alone: dict[str, list[FoundFile]] = defaultdict(list)
    for file, folder in zip(strays, folders, strict=True):
        near = next((studies_below[above] for above in _folders_above(folder) if studies_below[above]), set())
        owners = studies_in[folder] or (near if len(near) == 1 else set())
        for study in owners:
            beside[study].append(file)
        if not owners:
            alone[folder_key(file)].append(file)
    return beside, alone


@lru_cache(maxsize=1024)  # files of one folder follow each other
def _folders_above(folder: str) -> list[str]:
    """Return a folder or archive and all folders above it, nearest first, without the input's root."""
    return [part for part in (folder, *map(str, PurePosixPath(folder).parents)) if part != "."]


def group_by_row(contents: Contents, parts: Iterable[SweptPart]) -> list[StudyGroup]:
    """Return one study for each row of a samplesheet that names DICOM."""
    by_path: dict[str, list[int]] = defaultdict(list)
    for index in np.flatnonzero(~contents.among((JUNK, OWN_RESULT, *PASSED_OVER))).tolist():
        by_path[contents.files[index].path].append(index)
    number_of = {uid: number for number, uid in enumerate(contents.study_uids)}
    members_of: dict[int, Members] = {}
    groups = []
    for part in parts:
        if part.row is None:
            continue
        if id(part.files) not in members_of:
            paths = sorted({file.path for file in part.files})
            indices = [index for path in paths for index in by_path.get(path, ())]
            members_of[id(part.files)] = np.array(indices, np.int64)
        members = members_of[id(part.files)]
        if part.row.study_uid is not None:
            # What names no study, and is no image, lies with all.
            there = contents.study[members]
            beside = (there < 0) & (contents.frames[members] == 0)
            members = members[beside | (there == number_of.get(part.row.study_uid, len(number_of)))]
        groups.append(_of_row(contents, part.row, members, tuple(lost_files(part.unread))))
    return groups


def _of_row(contents: Contents, row: SampleRow, members: Members, lost: tuple[FoundFile, ...]) -> StudyGroup:
    """Return the study of a row. Its files need no StudyInstanceUID, but must not be of several studies or patients."""
    images = members[contents.frames[members] > 0]
    odd = contents.alone[images] | (contents.study[images] < 0)
    studies = np.unique(contents.study[images][contents.study[images] >= 0])
    anew = bool(odd.any()) and (len(studies) > 1 or bool((contents.study[images] < 0).any()))
    problem = contradicted(contents, members) if len(images) else None
    if row.study_uid is not None and not len(images):
        message = "The samplesheet's folder or archive of this study holds no image of its study_instance_uid."
        problem = DicomError("not_found", message)
    if problem is None and len(studies) > 1 and not odd.all():
        message = (
            f"The samplesheet's folder or archive of this study holds {len(studies)} studies (StudyInstanceUIDs); give "
            "each its own row, with its study_instance_uid."
        )
        problem = DicomError("several_studies", message)
    return StudyGroup(row.study, members, lost, row, (_NO_UID,) if anew else (), problem)
