"""Learn what each file holds: from the memory where the file is unchanged, else from its header."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from scarnet_cli.dicom.facts import FoundFile
from scarnet_cli.dicom.headers import ARCHIVE, BROKEN, Header
from scarnet_cli.dicom.identity import path_key
from scarnet_cli.dicom.index.cache import file_rows, write_cache
from scarnet_cli.dicom.index.read_files import Found, end_with_parent, read_file, read_files
from scarnet_cli.dicom.index.recall import recall

logger = logging.getLogger(__name__)

# Below this many new files the start of worker processes costs more than they save.
_POOL_AT_LEAST: Final = 4000
_CHUNK: Final = 200
# What was read is written down in parts of so many files, and not read again after a kill.
_FILES_A_PART: Final = 5000
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read what is new.

    Attributes:
        jobs: Worker processes.
        parts: Folder where what was read is kept until the index is complete; None to keep nothing.
        begin: Called with the number of files to read.
        advance: Called with the number of files read since.
    """

    jobs: int = 1
    parts: Path | None = None
    begin: Callable[[int], None] = lambda _: None
    advance: Callable[[int], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Contents:
    """What every file of the input holds, archives member by member.

    Attributes:
        files: The files and members.
        keys: The key of each.
        remembered: How many of them, from the first on, are as the memory knows them; the others were read now.
        rows: Rows of `cache.HELD`: of a file's frames, or one for a file without; those of a file lie together.
        of_row: Place in `files` of the file that each row belongs to, rising.
    """

    files: list[FoundFile]
    keys: list[str]
    remembered: int
    rows: pa.Table
    of_row: NDArray[np.int64]


def collect(root: Path, files: Sequence[FoundFile], memory: pa.Table, options: ReadOptions) -> Contents:
    """Return what every file holds, read anew where it is new, has changed or could not be read.

    Args:
        root: The input's root.
        files: The files as swept.
        memory: What earlier indexes remember: rows of `cache.HELD`.
        options: See `ReadOptions`.
    """
    known = recall(memory, files)
    logger.info("%d files, %d of them new or changed", len(files), len(known.unread))
    options.begin(len(known.unread))
    fresh = Fresh(options.parts)
    for file, found in _read_all(root, known.unread, options.jobs):
        fresh.add(file, found)
        options.advance(1)
    fresh.write()
    remembered = len(known.files)
    rows = pa.concat_tables([known.rows, *fresh.tables]).unify_dictionaries()
    of_fresh = remembered + np.repeat(np.arange(len(fresh.files)), fresh.lengths)
    of_row = np.concatenate([known.of_row, of_fresh])
    return Contents(known.files + fresh.files, known.keys + fresh.keys, remembered, rows, of_row)


class Fresh:
    """What was read now, written down in parts as it comes."""

    def __init__(self, folder: Path | None) -> None:
        """Keep parts in `folder`; None to keep none."""
        self.files: list[FoundFile] = []
        self.keys: list[str] = []
        self.lengths: list[int] = []  # rows of each file
        self.tables: list[pa.Table] = []
        self._folder = folder
        self._number = 1 + max((int(path.stem) for path in part_paths(folder)), default=0)
        self._waiting: list[tuple[str, int, int, int, Header]] = []

    def add(self, file: FoundFile, found: Found) -> None:
        """Take in a file, with its members where it is an archive."""
        for member, header in found:
            place = file if member is None else file._replace(member=member)
            key = path_key(place.path, member)
            members = len(found) - 1 if header.kind == ARCHIVE else 0
            self.files.append(place)
            self.keys.append(key)
            self.lengths.append(max(1, len(header.frames)))
            self._waiting.append((key, file.size, file.mtime_ns, members, header))
        if len(self._waiting) >= _FILES_A_PART:
            self.write()

    def write(self) -> None:
        """Write down what is not yet."""
        if not self._waiting:
            return
        self.tables.append(file_rows(self._waiting))
        if self._folder is not None:
            write_cache(self.tables[-1], self._folder / f"{self._number:06d}.parquet")
        self._number += 1
        self._waiting = []


def part_paths(folder: Path | None) -> list[Path]:
    """Return the parts that an index left in a folder, the latest first."""
    return sorted(folder.glob("[0-9]*.parquet"), reverse=True) if folder is not None else []


def _read_all(root: Path, files: Sequence[FoundFile], jobs: int) -> Iterator[tuple[FoundFile, Found]]:
    chunks = list(in_groups(files, _CHUNK))
    if jobs <= 1 or len(files) < _POOL_AT_LEAST:
        for chunk in chunks:
            yield from zip(chunk, read_files(root, [file.path for file in chunk]), strict=True)
        return
    waiting = deque(chunks)
    while waiting:
        yield from _read_in_pool(root, waiting, jobs)
        if waiting:  # a file took a worker's process down, and the pool with it; most likely one of the first chunk
            chunk = waiting.popleft()
            yield from zip(chunk, (_read_alone(root, file.path) for file in chunk), strict=True)


def _pool(jobs: int) -> ProcessPoolExecutor:
    # "spawn": a fork would copy the locks of Arrow's threads.
    return ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=end_with_parent)


def _read_in_pool(root: Path, waiting: deque[list[FoundFile]], jobs: int) -> Iterator[tuple[FoundFile, Found]]:
    """Read chunks in worker processes and take them off the list, until all are read or a worker has died."""
    with _pool(jobs) as pool:
        results = [pool.submit(read_files, root, [file.path for file in chunk]) for chunk in waiting]
        for result in results:
            try:
                found = result.result()
            except BrokenProcessPool:
                return
            yield from zip(waiting.popleft(), found, strict=True)


def _read_alone(root: Path, path: str) -> Found:
    """Read a file in a process of its own; one that takes it down is broken."""
    with _pool(1) as pool:
        try:
            return pool.submit(read_file, root, path).result()
        except BrokenProcessPool:
            return [(None, Header(BROKEN))]


def in_groups(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    """Yield the items in lists of `size`, the last one of what is left."""
    waiting = iter(items)
    while group := list(islice(waiting, size)):
        yield group
