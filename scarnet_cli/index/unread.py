"""Report what was not read, and why: rows of the table `unread`, and a failure for each lost folder or study."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from scarnet_cli.dicom.containers import NIFTI, UNKNOWN_ARCHIVE
from scarnet_cli.dicom.facts import FoundFile
from scarnet_cli.dicom.headers import ARCHIVE, BROKEN, JUNK, OWN_RESULT
from scarnet_cli.dicom.identity import path_key
from scarnet_cli.dicom.packing import BAD, ENCRYPTED, NESTED, REFUSED, TOO_DEEP, TOO_LARGE
from scarnet_cli.index.files.contents import Contents
from scarnet_cli.index.files.recall import NOT_READ
from scarnet_cli.index.files.sweep import (
    CRASHED,
    DEAD_LINK,
    IO_ERROR,
    LINK_LOOP,
    LOST,
    NO_FILE,
    NO_MEMORY,
    OWN_OUTPUT,
    PASSED_OVER,
    STUCK,
    SYSTEM_FOLDER,
    UNREADABLE,
    VANISHED,
    WALKED_BEFORE,
    UnreadItem,
    folder_key,
)
from scarnet_cli.index.grouping import StudyGroup
from scarnet_cli.index.study_plan import PlannedStudy, failed_study, files_digest
from scarnet_cli.tables.unread import UnreadRow

_FIND: Final = "`scarnet find INPUT KEY` prints where it lies"
# Reason -> what happened, and what to do.
REASONS: Final[dict[str, str]] = {
    VANISHED: "Was there when its folder was listed and gone when it was read; run again when nothing is being moved.",
    UNREADABLE: f"The operating system does not let it be read (permission, or a damaged disk); {_FIND}.",
    DEAD_LINK: f"A link that leads nowhere: fetch what it should lead to, or remove it; {_FIND}.",
    CRASHED: f"Twice it ended the process that read it: damaged, or made to do so. Leave it out; {_FIND}.",
    STUCK: f"It did not let itself be read in time (SCARNET_FILE_SECONDS): a disk or file server that hangs; {_FIND}.",
    NO_MEMORY: f"Memory ran out on it; give INDEX more, or leave it out; {_FIND}.",
    IO_ERROR: f"The disk or file server reports an input/output error, each time that it was tried; {_FIND}.",
    LINK_LOOP: f"A link that leads to itself; nothing is lost; {_FIND}.",
    WALKED_BEFORE: f"A link to a folder that was walked already, and is read once; nothing is lost; {_FIND}.",
    NO_FILE: f"A pipe, socket or device, no file; nothing is lost; {_FIND}.",
    BAD: f"An archive, or a packed file, that cannot be read to its end; make it again or unpack it; {_FIND}.",
    ENCRYPTED: f"An archive that is encrypted; unpack it with its password; {_FIND}.",
    TOO_LARGE: f"An archive, or a packed file, that holds more than is read of one; unpack it; {_FIND}.",
    TOO_DEEP: f"An archive in archives in an archive, or packed over and over; unpack it; {_FIND}.",
    NESTED: f"An archive in an archive, which was opened and read like any other; nothing is lost; {_FIND}.",
    UNKNOWN_ARCHIVE: "An archive of a kind that is not opened (rar, 7z, zstd, an image of a disk, ...), so that nobody "
    f"knows what it holds; unpack it if that is images; {_FIND}.",
    NIFTI: f"NIfTI files beside DICOM, which is what was looked for; name them in a samplesheet; {_FIND}.",
    SYSTEM_FOLDER: f"A disk's own folder (trash, search index, repaired pieces), which is not searched; {_FIND}.",
    OWN_OUTPUT: f"The folder of this run's results or work, which is not searched; {_FIND}.",
}


# Kinds of files that belong to no study, and their names in the summary.
_PASSED_OVER: Final = {
    JUNK: "other",
    NIFTI: "NIfTI",
    UNKNOWN_ARCHIVE: "archives of an unknown kind",
    OWN_RESULT: "results of this pipeline",
}
# For these reasons each file has a row of its own, with its own key.
_EACH: Final = (CRASHED, STUCK, NO_MEMORY, IO_ERROR, UNKNOWN_ARCHIVE, *REFUSED)


def unread_rows(unread: Iterable[UnreadItem]) -> tuple[UnreadRow, ...]:
    """Return rows of the table `unread`: one for each folder, and one for all files of a folder with the same reason.

    An archive that was not opened has its own row, and so has a file that failed by crash, time, memory or disk error.
    """
    counts = Counter((_key(item), "folder" if item.is_folder else "file", item.reason) for item in set(unread))
    return tuple(
        UnreadRow(key, kind, reason, count, REASONS[reason]) for (key, kind, reason), count in sorted(counts.items())
    )


def files_summary(counts: Counter[str], rows: Iterable[UnreadRow]) -> str:
    """Return one line that says how many files were read, passed over and not read."""
    passed = {_PASSED_OVER[kind]: counts[kind] for kind in _PASSED_OVER if counts[kind]}
    taken = {kind: count for kind, count in sorted(counts.items()) if kind not in _PASSED_OVER}
    words = [f"files: {_listed(taken) or 'none'}"]
    words += [f"passed over: {_listed(passed)}"] if passed else []
    missed = sum(row.count for row in rows if row.reason != NESTED)
    words += [f"not read: {missed}, see unread.parquet"] if missed else []
    return "; ".join(words)


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())


def lost_folders(unread: Iterable[UnreadItem]) -> list[PlannedStudy]:
    """Return a failed study for each folder that could not be listed, since its studies are unknown."""
    return [
        failed_study(_key(item), files_digest([(path_key(item.path), 0, 0)]), "unreadable_folder", _words(item))
        for item in sorted(set(unread))
        if item.is_folder and item.reason in LOST
    ]


def lost_study(group: StudyGroup) -> PlannedStudy:
    """Return a failed study for unreadable files that lie with no study."""
    message = (
        f"{len(group.lost)} files that lie together cannot be read, and none says which study it is of (cut short, "
        "damaged, gone, not allowed, or no DICOM in spite of the name); copy them again or leave them out."
    )
    digest = files_digest((path_key(file.path, file.member), file.size, file.mtime_ns) for file in group.lost)
    return failed_study(group.study_id, digest, "not_readable", message)


def unread_contents(contents: Contents) -> list[UnreadItem]:
    """Return the files that could not be read or were passed over, and archives in archives."""
    told = {*NOT_READ, *PASSED_OVER, ARCHIVE} - {BROKEN}
    unread = []
    for index in np.flatnonzero(contents.among(told)).tolist():
        file, kind = contents.files[index], contents.kind(index)
        if kind != ARCHIVE or file.member is not None:  # an archive is listed only if it lies in another
            reason = NESTED if kind == ARCHIVE else kind
            unread.append(UnreadItem(file.path, is_folder=False, reason=reason, member=file.member))
    return unread


def _words(item: UnreadItem) -> str:
    return f"A folder could not be listed, and the studies in it are not in this run. {REASONS[item.reason]}"


def _key(item: UnreadItem) -> str:
    alone = item.is_folder or item.reason in _EACH
    return path_key(item.path)[:16] if alone else folder_key(FoundFile(item.path, item.member, 0, 0))
