"""Look up the files of a sweep in the memory, all at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from scarnet_cli.dicom.archives import in_archive
from scarnet_cli.dicom.facts import FoundFile
from scarnet_cli.dicom.headers import ARCHIVE, BROKEN
from scarnet_cli.dicom.identity import path_key
from scarnet_cli.dicom.packing import DEEPEST
from scarnet_cli.index.files.cache import TEXTS, run_starts
from scarnet_cli.index.files.sweep import LINK_LOOP, LOST

# Kinds of files that could not be read. They may become readable without a change of time: each index tries again.
NOT_READ: Final = (BROKEN, LINK_LOOP, *LOST)


@dataclass(frozen=True, slots=True)
class KnownFiles:
    """Files that the memory knows, with their rows, and those that must be read.

    Attributes:
        files: Unchanged files, and the members of unchanged archives.
        keys: The key of each.
        rows: Their rows of the memory; the rows of a file are adjacent.
        of_row: Index in `files` of each row's file.
        unread: Files that are new or changed, or could not be read.
    """

    files: list[FoundFile]
    keys: list[str]
    rows: pa.Table
    of_row: NDArray[np.int64]
    unread: list[FoundFile]

    def without(self, paths: Collection[str]) -> "KnownFiles":
        """Return a copy without the files at some paths and without the members of archives there."""
        kept = np.array([file.path not in paths for file in self.files], bool)
        indices = np.cumsum(kept) - 1
        rows = kept[self.of_row]
        files = [file for file, keep in zip(self.files, kept.tolist(), strict=True) if keep]
        keys = [key for key, keep in zip(self.keys, kept.tolist(), strict=True) if keep]
        return KnownFiles(files, keys, self.rows.filter(pa.array(rows)), indices[self.of_row[rows]], self.unread)


def recall(memory: pa.Table, files: Sequence[FoundFile]) -> KnownFiles:
    """Look up swept files in the memory, which has rows of `cache.HELD`."""
    known = _Known(memory)
    keys = [path_key(file.path) for file in files]
    starts = known.starts(files, keys)
    members, member_keys, member_starts, owners = _members(known, files, starts)
    starts[owners[member_starts < 0]] = -1  # if a member is unknown, the whole archive is read again
    member_starts[starts[owners] < 0] = -1
    everything = [*zip(files, keys, strict=True), *zip(members, member_keys, strict=True)]
    all_starts = np.concatenate([starts, member_starts])
    order = np.argsort(all_starts, kind="stable")  # the memory's order, so that its rows need not be reordered
    order = order[all_starts[order] >= 0]
    kept = [everything[i] for i in order.tolist()]
    rows, of_row = known.rows(all_starts[order])
    unread = [files[i] for i in np.flatnonzero(starts < 0).tolist()]
    return KnownFiles([file for file, _ in kept], [key for _, key in kept], rows, of_row, unread)


def _members(
    known: "_Known", files: Sequence[FoundFile], starts: NDArray[np.int64]
) -> tuple[list[FoundFile], list[str], NDArray[np.int64], NDArray[np.int64]]:
    """Return members of archives, level by level: files, keys, first rows, and index in `files` of the archive."""
    members: list[FoundFile] = []
    keys: list[str] = []
    all_starts, all_owners = [np.array([], np.int64)], [np.array([], np.int64)]
    level, owners = list(files), np.arange(len(files))
    for _ in range(DEEPEST):
        archives = np.flatnonzero((starts >= 0) & known.is_archive(starts))
        counts = known.members[starts[archives]]
        pairs = zip((level[i] for i in archives.tolist()), counts.tolist(), strict=True)
        level = [file._replace(member=_number(file, i)) for file, count in pairs for i in range(count)]
        level_keys = [path_key(file.path, file.member) for file in level]
        starts, owners = known.starts(level, level_keys), np.repeat(owners[archives], counts)
        members += level
        keys += level_keys
        all_starts.append(starts)
        all_owners.append(owners)
    return members, keys, np.concatenate(all_starts), np.concatenate(all_owners)


def _number(archive: FoundFile, index: int) -> int:
    return index if archive.member is None else in_archive(archive.member, index)


class _Known:
    """The memory's columns as arrays for look-up."""

    def __init__(self, memory: pa.Table) -> None:
        kinds = memory["kind"].cast(pa.string())
        self._rows = memory
        self._keys = self._rows["key"]
        self._sizes = self._rows["size"].fill_null(0).to_numpy()
        self._times = self._rows["mtime_ns"].fill_null(0).to_numpy()
        options = pc.SetLookupOptions(value_set=pa.array([*NOT_READ, *TEXTS]))
        self._readable = ~pc.call_function("is_in", [kinds], options).to_numpy()
        self._archives = pc.call_function("equal", [kinds, pa.scalar(ARCHIVE)]).to_numpy()
        self.members = self._rows["members"].fill_null(0).to_numpy()

    def starts(self, files: Sequence[FoundFile], keys: Sequence[str]) -> NDArray[np.int64]:
        """Return the first row of each file; -1 if it is new, has changed or could not be read."""
        options = pc.SetLookupOptions(value_set=self._keys)
        found = pc.call_function("index_in", [pa.array(keys, pa.string())], options)
        starts = found.fill_null(-1).to_numpy().astype(np.int64)
        if not len(self._keys):
            return starts
        same = starts >= 0
        same &= self._sizes[starts] == np.fromiter((file.size for file in files), np.int64, len(files))
        same &= self._times[starts] == np.fromiter((file.mtime_ns for file in files), np.int64, len(files))
        return np.where(same & self._readable[starts], starts, -1)

    def is_archive(self, starts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which of the files are archives."""
        return self._archives[starts] if len(self._keys) else np.zeros(len(starts), bool)

    def rows(self, starts: NDArray[np.int64]) -> tuple[pa.Table, NDArray[np.int64]]:
        """Return the rows of files, given their first rows in ascending order, and the index of each row's file."""
        runs = run_starts(self._keys)
        number = np.full(len(runs), -1)
        number[starts] = np.arange(len(starts))
        of_row = number[runs]
        return self._rows.filter(pa.array(of_row >= 0)), of_row[of_row >= 0]
