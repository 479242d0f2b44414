"""Tell files of different patients apart, and join files that are one study.

Witnesses are the elements that identify patient, day and scanner; one may contradict another. This module sees only
numbers that tell whether two files have the same value (see `index.files.same_patient`), never the values.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.dicom.facts import Witnesses, parent_of
from scarnet_cli.dicom.repeats import LEAST_SLICES
from scarnet_cli.dicom.series.names import merged_name
from scarnet_cli.errors import DicomError
from scarnet_cli.index.files.contents import Contents, Members
from scarnet_cli.index.files.same_patient import COLUMNS, Numbers, varying

# Identifiers of a person come first: two values are two people. Sex, day and scanner count if those are blank or the
# same for everybody, and are ignored if they would cut a study into pieces.
_KEYWORDS: Final = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "Manufacturer",
    "ManufacturerModelName",
    "DeviceSerialNumber",
)
_PERSON: Final = slice(0, 3)
_SEX: Final = slice(3, 4)
_SCANNER: Final = slice(COLUMNS.index("same_maker"), len(COLUMNS))
# The day separates whole folders only: a scan may last past midnight.
_DAY: Final = slice(COLUMNS.index("same_study_day"), COLUMNS.index("same_study_day") + 1)


def doubtful_studies(contents: Contents) -> set[int]:
    """Return the codes of StudyInstanceUIDs whose images differ in a witness or in frame of reference."""
    known = (contents.study >= 0) & (contents.frames > 0)
    studies = contents.study[known]
    columns = [*contents.witnesses.T, contents.codes("frame_of_reference") + 1]
    return {int(code) for column in columns for code in varying(column[known], studies)}


def together(contents: Contents) -> list[Members]:
    """Return groups of images that are one study although each has its own StudyInstanceUID, or none.

    Images in one folder are joined if they share a series, a frame of reference, PatientID or name, or have no
    StudyInstanceUID at all; images in neighbouring folders if they share PatientID and frame of reference.
    """
    members = np.flatnonzero((contents.alone | (contents.study < 0)) & (contents.frames > 0))
    if not len(members):
        return []
    series, frames = contents.texts("series_uid", members), contents.texts("frame_of_reference", members)
    patient, name = contents.witnesses[members, 0].tolist(), contents.witnesses[members, 1].tolist()
    groups = _Union(members.tolist())
    for index, uid, frame, person, called in zip(members.tolist(), series, frames, patient, name, strict=True):
        folder = contents.folder(index)
        keys: list[tuple[Hashable, ...]] = [(folder, "series", uid)] if uid else []
        keys += [(folder, "frame", frame), (parent_of(folder), "both", frame, person)] if frame else []
        keys += [(folder, "patient", person)] if person else []
        keys += [(folder, "name", called)] if called else []
        keys += [(folder,)] if contents.study[index] < 0 else []
        groups.join(index, keys)
    return [np.array(group, np.int64) for group in groups.groups() if len(group) > 1 or contents.study[group[0]] < 0]


class _Union:
    """Sets that are joined if their members share a key."""

    def __init__(self, members: Iterable[int]) -> None:
        self._parent = {member: member for member in members}
        self._owner: dict[Hashable, int] = {}

    def join(self, member: int, keys: Iterable[Hashable]) -> None:
        for key in keys:
            a, b = self._root(member), self._root(self._owner.setdefault(key, member))
            self._parent[max(a, b)] = min(a, b)

    def _root(self, member: int) -> int:
        while self._parent[member] != member:
            self._parent[member] = member = self._parent[self._parent[member]]
        return member

    def groups(self) -> list[list[int]]:
        found: dict[int, list[int]] = defaultdict(list)
        for member in self._parent:
            found[self._root(member)].append(member)
        return list(found.values())


def parts_of(contents: Contents, members: Members) -> list[Members] | DicomError:
    """Divide files that lie together into parts, one for each apparent patient; usually there is one.

    Returns:
        The parts, which together hold all files, even those without an image; or why they cannot be told apart.
    """
    parts = _by_values(contents, members, _PERSON)
    if parts is not None and len(parts) > 1:
        return _refused(contents, members, _PERSON) if _in_pieces(contents, parts) else parts
    for witnesses in (_SCANNER, _DAY, _SEX):
        scans = _by_values(contents, members, witnesses)
        if (
            scans is not None
            and _are_scans(contents, scans)
            and not (witnesses == _DAY and _split_folders(contents, scans))
        ):
            return scans
    return _by_folder(contents, members) or (_refused(contents, members, _PERSON) if parts is None else [members])


def patients_of(witnesses: Sequence[Witnesses]) -> DicomError | None:
    """Return the refusal of a server's study whose images are of several patients, or None."""
    numbers = Numbers()
    given = [[number or 0 for number in numbers.of(None, said)] for said in witnesses]
    table = np.array(given, np.int64).reshape(len(given), len(COLUMNS))
    differs = any(len(np.unique(column[column > 0])) > 1 for column in table[:, _PERSON].T)
    return _refusal(table, _PERSON) if differs else None


def contradicted(contents: Contents, members: Members) -> DicomError | None:
    """Return the refusal of a samplesheet's study whose files are of several patients, or None.

    Args:
        contents: The contents of all files.
        members: The study's files; only numbers of one scope are compared.
    """
    scopes = contents.scopes[members]
    for scope in np.unique(scopes).tolist():
        found = parts_of(contents, members[scopes == scope])
        if isinstance(found, DicomError):
            return found
        if len(found) > 1:
            return _refused(contents, members, slice(0, len(COLUMNS)))
    return None


def _by_values(contents: Contents, members: Members, witnesses: slice) -> list[Members] | None:
    """Divide files by the values of some witnesses, where an absent value fits any.

    An image that fits several parts goes to the part of its folder; if the folder has not exactly one, return None.
    """
    images = members[contents.frames[members] > 0]
    values = contents.witnesses[images, witnesses]
    patterns: list[list[int]] = []
    distinct, which = np.unique(values, axis=0, return_inverse=True)
    for row in sorted(distinct.tolist(), key=lambda row: (row.count(0), row)):
        fitting = [pattern for pattern in patterns if _fit(pattern, row)]
        if not fitting:
            patterns.append(row)
        elif len(fitting) == 1:
            fitting[0][:] = [a or b for a, b in zip(fitting[0], row, strict=True)]
    fits = [[n for n, pattern in enumerate(patterns) if _fit(pattern, row)] for row in distinct.tolist()]
    own = {int(index): fits[w] for index, w in zip(images, which.ravel().tolist(), strict=True)}
    return _parts_by_folder(contents, members, own, len(patterns))


def _fit(a: Sequence[int], b: Sequence[int]) -> bool:
    return all(x == y or not x or not y for x, y in zip(a, b, strict=True))


def _parts_by_folder(
    contents: Contents, members: Members, own: dict[int, list[int]], count: int
) -> list[Members] | None:
    """Return the parts, given those that each image fits; a file that fits several, or is no image, goes by folder."""
    if count <= 1:
        return [members]
    by_folder: dict[str, set[int]] = defaultdict(set)
    for index, fits in own.items():
        if len(fits) == 1:
            by_folder[contents.folder(index)].add(fits[0])
    parts: list[list[int]] = [[] for _ in range(count)]
    for index in members.tolist():
        fits = own.get(index, [])
        if len(fits) != 1:
            near = by_folder.get(contents.folder(index), set())
            if index in own and len(near) != 1:
                return None
            fits = list(near) or list(range(count))
        for fit in fits:
            parts[fit].append(index)
    return [np.array(part, np.int64) for part in parts]


def _in_pieces(contents: Contents, parts: Sequence[Members]) -> bool:
    """Tell whether most parts are a single frame: the value is then new in every file and identifies no one."""
    return sum(int(contents.frames[part].sum()) == 1 for part in parts) * 2 > len(parts)


def _are_scans(contents: Contents, parts: Sequence[Members]) -> bool:
    """Tell whether parts are whole examinations: at least two have enough frames for a stack, and few are pieces."""
    return (
        not _in_pieces(contents, parts) and sum(int(contents.frames[part].sum()) >= LEAST_SLICES for part in parts) > 1
    )


def _split_folders(contents: Contents, parts: Sequence[Members]) -> bool:
    """Tell whether any folder holds files of several parts."""
    folders = [{contents.folder(index) for index in part.tolist()} for part in parts]
    return len(set[str]().union(*folders)) < sum(map(len, folders))


def _by_folder(contents: Contents, members: Members) -> list[Members] | None:
    """Divide files by folder if each folder looks like a separate examination; else return None.

    This requires that no two folders share a frame of reference or an image, and that each folder has a whole series
    whose name another folder's whole series has too.
    """
    images = members[contents.frames[members] > 0]
    frames = contents.texts("frame_of_reference", images)
    if len(set(filter(None, frames))) < 2:  # noqa: PLR2004 (fewer cannot differ)
        return None
    child = _child_of({index: contents.folder(index) for index in members.tolist()})
    if len(set(child.values())) < 2 or "" in child.values():  # noqa: PLR2004
        return None
    names = [merged_name(name or "") for name in contents.texts("description", images)]
    instances = contents.texts("sop_uid", images)
    folders = [child[index] for index in images.tolist()]
    if _shared(folders, frames) or _shared(folders, _single(instances)):
        return None
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for folder, name, index in zip(folders, names, images.tolist(), strict=True):
        counts[folder, name] += int(contents.frames[index]) if name else 0
    whole = {(folder, name) for (folder, name), count in counts.items() if count >= LEAST_SLICES}
    twins = {folder for folder, name in whole if sum(other == name for _, other in whole) > 1}
    if twins != set(folders):
        return None
    return [
        np.array([index for index in members.tolist() if child[index] == folder], np.int64) for folder in sorted(twins)
    ]


def _single(instances: Sequence[str | None]) -> list[str | None]:
    """Return SOPInstanceUIDs, with None for one that more than half of all images have: it identifies nothing."""
    counts: dict[str | None, int] = defaultdict(int)
    for uid in instances:
        counts[uid] += 1
    return [uid if counts[uid] * 2 <= max(4, len(instances)) else None for uid in instances]


def _shared(folders: Sequence[str], values: Sequence[str | None]) -> bool:
    """Tell whether two folders have a value in common."""
    owner: dict[str, str] = {}
    return any(
        owner.setdefault(value, folder) != folder for folder, value in zip(folders, values, strict=True) if value
    )


def _child_of(folders: dict[int, str]) -> dict[int, str]:
    """Return each file's folder directly below the deepest common folder; empty for a file in the common folder."""
    paths = {index: () if folder == "." else tuple(folder.split("/")) for index, folder in folders.items()}
    shortest = min(paths.values(), key=len)
    depth = next((i for i, part in enumerate(shortest) if any(p[i] != part for p in paths.values())), len(shortest))
    return {index: path[depth] if len(path) > depth else "" for index, path in paths.items()}


def _refused(contents: Contents, members: Members, witnesses: slice) -> DicomError:
    """Return a refusal that names the contradicting elements, never their values."""
    return _refusal(contents.witnesses[members], witnesses)


def _refusal(numbers: NDArray[np.int64], witnesses: slice) -> DicomError:
    counts = {
        _KEYWORDS[i]: len(np.unique(numbers[numbers[:, i] > 0, i])) for i in range(*witnesses.indices(len(COLUMNS)))
    }
    told = ", ".join(f"{keyword} has {count} values" for keyword, count in counts.items() if count > 1)
    message = (
        f"Files of one study are of several patients, and which file is whose cannot be told: "
        f"{told or 'the folders have frames of reference of their own'}. Export each patient's study again with a "
        "StudyInstanceUID of its own, or give each a folder and a row of a samplesheet."
    )
    return DicomError("several_patients", message)
