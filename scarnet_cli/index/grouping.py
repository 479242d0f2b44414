"""Which files are one study's: by StudyInstanceUID unless others contradict it, or by the row of a samplesheet."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.dicom.facts import FoundFile, folder_of
from scarnet_cli.dicom.headers import JUNK, OWN_RESULT
from scarnet_cli.dicom.identity import part_id, path_key, study_id_from_uid
from scarnet_cli.dicom.notes import Note
from scarnet_cli.errors import DicomError
from scarnet_cli.index.files.collect import Contents
from scarnet_cli.index.files.recall import NOT_READ
from scarnet_cli.index.files.sweep import PASSED_OVER
from scarnet_cli.index.samplesheet import SampleRow
from scarnet_cli.index.whose import Said, codes_of, contradicted, doubtful_studies, parts_of, together

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
class Group:
    """The files of one study.

    Attributes:
        study_id: Its id.
        members: Places of its files in `Contents.files`.
        lost: Files that cannot be read and name no study, but lie with its.
        row: Its row of the samplesheet, if any.
        notes: How it was told from others, where its StudyInstanceUID did not do.
        problem: Why its files are no one study; None where they are.
    """

    study_id: str
    members: NDArray[np.int64]
    lost: tuple[FoundFile, ...] = ()
    row: SampleRow | None = None
    notes: tuple[Note, ...] = ()
    problem: DicomError | None = None


@dataclass(frozen=True, slots=True)
class Kinds:
    """What every file is, in numbers.

    Attributes:
        kind: Place of each file's kind in `kinds`.
        kinds: The kinds that there are.
        study: Place of each file's StudyInstanceUID in `uids`, -1 without one.
        uids: The StudyInstanceUIDs that there are, some perhaps of no file.
    """

    kind: NDArray[np.int64]
    kinds: list[str]
    study: NDArray[np.int64]
    uids: list[str]

    def counts(self) -> Counter[str]:
        """Return the number of files by kind."""
        numbers = np.bincount(self.kind, minlength=len(self.kinds)).tolist()
        return Counter({kind: number for kind, number in zip(self.kinds, numbers, strict=True) if number})

    def among(self, kinds: Collection[str]) -> NDArray[np.bool_]:
        """Tell which files are of one of some kinds."""
        return np.isin(self.kind, [i for i, kind in enumerate(self.kinds) if kind in kinds])


def kinds_of(contents: Contents) -> Kinds:
    """Return what every file is."""
    first = np.searchsorted(contents.of_row, np.arange(len(contents.files)))
    kind, kinds = codes_of(contents.rows["kind"])
    study, uids = codes_of(contents.rows["file_study_uid"])
    return Kinds(kind[first], kinds, study[first], uids)


def by_study(
    said: Said, contents: Contents, kinds: Kinds, lost: Iterable[FoundFile]
) -> tuple[list[Group], list[Group]]:
    """Group files by StudyInstanceUID, where that holds; those that cannot be read go to the studies they lie with.

    Files of several patients under one StudyInstanceUID are a study each; files that have none, or one each, are put
    together by what else they share: see `whose`.

    Args:
        said: What the files say of themselves.
        contents: The files.
        kinds: What they are.
        lost: Further files that could not be read.

    Returns:
        The studies; and the files that lie with no study, a group a folder with the key of the folder (of the file
        itself at the root) for an id.
    """
    owner = kinds.study.copy()  # number of each file's group: its StudyInstanceUID, or beyond
    joined = together(said)
    for number, members in enumerate(joined, start=len(kinds.uids)):
        owner[members] = number
    order = np.argsort(owner, kind="stable")
    cuts = np.searchsorted(owner[order], np.arange(len(kinds.uids) + len(joined) + 1))
    parts = dict(enumerate(np.split(order, cuts)[1:-1]))
    strays = np.flatnonzero((owner < 0) & kinds.among(NOT_READ)).tolist()
    beside, alone = _placed([*(contents.files[i] for i in strays), *lost], contents, owner)
    doubtful = doubtful_studies(said)
    studies = []
    for number, members in parts.items():
        if not len(members):
            continue
        uid = kinds.uids[number] if number < len(kinds.uids) else None
        files = tuple(beside.get(number, ()))
        if uid is None or number in doubtful:
            studies += _told_apart(said, contents, uid, members, files)
        else:
            studies.append(Group(study_id_from_uid(uid), members, files))
    return studies, [Group(key, order[:0], tuple(files)) for key, files in alone.items()]


def _told_apart(
    said: Said, contents: Contents, uid: str | None, members: NDArray[np.int64], lost: tuple[FoundFile, ...]
) -> list[Group]:
    """Return the study, or the studies, of files that lie together; they stay together where no one can tell."""
    parts = parts_of(said, members)
    notes = () if uid else (_NO_UID,)
    nameless = bool((said.study[members] < 0).any())
    if isinstance(parts, DicomError) or len(parts) == 1:
        problem = parts if isinstance(parts, DicomError) else _without_uid(said, members) if nameless else None
        study_id = study_id_from_uid(uid) if uid else part_id("", _keys(contents, members))
        return [Group(study_id, members, lost, notes=notes, problem=problem)]
    # An image of its own makes a part's id; files without a picture may be in several.
    studies = []
    for part in parts:
        study_id = part_id(uid or "", _keys(contents, part[said.frames[part] > 0]))
        problem = _without_uid(said, part) if nameless else None
        studies.append(Group(study_id, part, lost, notes=(*notes, _SEPARATED), problem=problem))
    return studies


def _without_uid(said: Said, members: NDArray[np.int64]) -> DicomError:
    """Return why images without StudyInstanceUID are no study by themselves: a folder is no proof of one."""
    count = int((said.frames[members] > 0).sum())
    message = (
        f"{count} images that lie together have no StudyInstanceUID, so that only their folder says that they are one "
        "study. Give the folder a row of a samplesheet, which needs no StudyInstanceUID, or export the study again."
    )
    return DicomError(NO_STUDY_UID, message)


def _keys(contents: Contents, members: NDArray[np.int64]) -> list[str]:
    return [contents.keys[i] for i in members.tolist()]


def _placed(
    strays: Sequence[FoundFile], contents: Contents, owner: NDArray[np.int64]
) -> tuple[dict[int, list[FoundFile]], dict[str, list[FoundFile]]]:
    """Return the strays by the studies that they lie with, and the others by the keys of their folders.

    They are all studies in the same folder; without one there, the one study below the nearest folder above that holds
    any: a series often has a folder of its own.
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
            alone[place_key(file)].append(file)
    return beside, alone


@lru_cache(maxsize=1024)  # a folder's files follow each other
def _folders_above(folder: str) -> list[str]:
    """Return a folder, or an archive, and those above it, the nearest first; not the input itself."""
    return [part for part in (folder, *map(str, PurePosixPath(folder).parents)) if part != "."]


def place_key(file: FoundFile) -> str:
    """Return the 16 hex digits that tables call a file's folder by; at the root, the file itself."""
    folder = folder_of(file)
    return path_key(file.path if folder == "." else folder)[:16]


def by_row(
    said: Said, contents: Contents, kinds: Kinds, rows: Iterable[tuple[SampleRow, set[str], Sequence[FoundFile]]]
) -> list[Group]:
    """Group the files that the rows of a samplesheet name.

    Args:
        said: What the files say of themselves.
        contents: The files.
        kinds: What they are; those that are no DICOM are left out.
        rows: Each row with the paths of its files, and those of its files that could not be read.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for place in np.flatnonzero(~kinds.among((JUNK, OWN_RESULT, *PASSED_OVER))).tolist():
        places[contents.files[place].path].append(place)
    groups = []
    for row, paths, lost in rows:
        members = np.array([i for p in sorted(paths) for i in places.get(p, ())], np.int64)
        groups.append(_of_row(said, row, members, tuple(lost)))
    return groups


def _of_row(said: Said, row: SampleRow, members: NDArray[np.int64], lost: tuple[FoundFile, ...]) -> Group:
    """Return the study of a row: its files need no StudyInstanceUID, but may not be of several studies or patients."""
    images = members[said.frames[members] > 0]
    odd = said.alone[images] | (said.study[images] < 0)
    studies = np.unique(said.study[images][said.study[images] >= 0])
    anew = bool(odd.any()) and (len(studies) > 1 or bool((said.study[images] < 0).any()))
    problem = contradicted(said, members) if len(images) else None
    if problem is None and len(studies) > 1 and not odd.all():
        message = (
            f"The samplesheet's folder or archive of this study holds {len(studies)} studies (StudyInstanceUIDs); give "
            "each its own row."
        )
        problem = DicomError("several_studies", message)
    return Group(row.study, members, lost, row, (_NO_UID,) if anew else (), problem)
