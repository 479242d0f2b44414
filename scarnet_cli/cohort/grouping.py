"""Which files are one study's: by StudyInstanceUID, or by the row of a samplesheet."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from scarnet_cli.cohort.samplesheet import SampleRow
from scarnet_cli.dicom.facts import FoundFile
from scarnet_cli.dicom.headers import JUNK, OWN_RESULT
from scarnet_cli.dicom.identity import path_key, study_id_from_uid
from scarnet_cli.dicom.index.collect import Contents
from scarnet_cli.dicom.index.recall import NOT_READ
from scarnet_cli.dicom.index.sweep import PASSED_OVER


@dataclass(frozen=True, slots=True)
class Group:
    """The files of one study.

    Attributes:
        study_id: Its id.
        members: Places of its files in `Contents.files`.
        lost: Files that cannot be read and name no study, but lie with its.
        row: Its row of the samplesheet, if any.
    """

    study_id: str
    members: NDArray[np.int64]
    lost: tuple[FoundFile, ...] = ()
    row: SampleRow | None = None


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
    kind, kinds = _codes(contents.rows["kind"])
    study, uids = _codes(contents.rows["file_study_uid"])
    return Kinds(kind[first], kinds, study[first], uids)


def _codes(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], list[str]]:
    array = column.combine_chunks()
    return array.indices.fill_null(-1).to_numpy().astype(np.int64), array.dictionary.to_pylist()


def by_study(contents: Contents, kinds: Kinds, lost: Iterable[FoundFile]) -> tuple[list[Group], list[Group]]:
    """Group files by StudyInstanceUID; those that cannot be read and name none go to the studies in their folder.

    Args:
        contents: The files.
        kinds: What they are.
        lost: Further files that could not be read.

    Returns:
        The studies; and the files that lie with no study, a group a folder with the key of the folder (of the file
        itself at the root) for an id.
    """
    order = np.argsort(kinds.study, kind="stable")
    cuts = np.searchsorted(kinds.study[order], np.arange(len(kinds.uids) + 1))
    members = {uid: part for uid, part in zip(kinds.uids, np.split(order, cuts)[1:], strict=False) if len(part)}
    strays = np.flatnonzero((kinds.study < 0) & kinds.among(NOT_READ)).tolist()
    beside, alone = _placed([*(contents.files[i] for i in strays), *lost], contents, kinds)
    studies = [Group(study_id_from_uid(uid), part, tuple(beside.get(uid, ()))) for uid, part in members.items()]
    return studies, [Group(key, order[:0], tuple(files)) for key, files in alone.items()]


def _placed(
    strays: Sequence[FoundFile], contents: Contents, kinds: Kinds
) -> tuple[dict[str, list[FoundFile]], dict[str, list[FoundFile]]]:
    """Return the strays by the studies in their folders, and the others by the keys of their folders."""
    folders: dict[str, set[str]] = {folder_of(file): set() for file in strays}
    if folders:
        for file, study in zip(contents.files, kinds.study.tolist(), strict=True):
            if study >= 0 and (found := folders.get(folder_of(file))) is not None:
                found.add(kinds.uids[study])
    beside: dict[str, list[FoundFile]] = defaultdict(list)
    alone: dict[str, list[FoundFile]] = defaultdict(list)
    for file in strays:
        for uid in folders[folder_of(file)]:
            beside[uid].append(file)
        if not folders[folder_of(file)]:
            alone[place_key(file)].append(file)
    return beside, alone


def folder_of(file: FoundFile) -> str:
    """Return the folder that a file lies in; for a member the archive itself."""
    return file.path if file.member is not None else str(PurePosixPath(file.path).parent)


def place_key(file: FoundFile) -> str:
    """Return the 16 hex digits that tables call a file's folder by; at the root, the file itself."""
    folder = folder_of(file)
    return path_key(file.path if folder == "." else folder)[:16]


def by_row(
    contents: Contents, kinds: Kinds, rows: Iterable[tuple[SampleRow, set[str], Sequence[FoundFile]]]
) -> list[Group]:
    """Group the files that the rows of a samplesheet name.

    Args:
        contents: The files.
        kinds: What they are; those that are no DICOM are left out.
        rows: Each row with the paths of its files, and those of its files that could not be read.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for place in np.flatnonzero(~kinds.among((JUNK, OWN_RESULT, *PASSED_OVER))).tolist():
        places[contents.files[place].path].append(place)
    return [
        Group(row.study, np.array([i for p in sorted(paths) for i in places.get(p, ())], np.int64), tuple(lost), row)
        for row, paths, lost in rows
    ]
