"""Sweep the input and learn what each file holds: from the cache where the file is unchanged, else from its header."""

import io
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path, PurePath
from typing import Final

from scarnet_cli.dicom.archives import is_archive, read_members
from scarnet_cli.dicom.cache import Remembered, recall
from scarnet_cli.dicom.facts import FoundFile
from scarnet_cli.dicom.headers import ARCHIVE, BROKEN, JUNK, Header, read_header
from scarnet_cli.dicom.identity import path_key
from scarnet_cli.errors import DicomError

logger = logging.getLogger(__name__)

# Below this many new files the start of worker processes costs more than they save.
_POOL_AT_LEAST: Final = 4000
_CHUNK: Final = 200

Known = tuple[FoundFile, Header]


def collect(
    root: Path,
    files: Sequence[FoundFile],
    memory: Mapping[str, Remembered],
    *,
    jobs: int = 1,
    advance: Callable[[int], None] = lambda _: None,
) -> tuple[list[Known], dict[str, Remembered]]:
    """Return what every file holds, archives member by member, and the memory for the next time.

    Args:
        root: The input's root.
        files: The files as swept.
        memory: What the last index remembered, by key.
        jobs: Worker processes for reading headers.
        advance: Called with the number of files done, for a progress bar.
    """
    fresh: dict[str, Remembered] = {}
    known: list[Known] = []
    unread: list[FoundFile] = []
    for file in files:
        past = recall(memory, file)
        if past is None or not _recall_all(file, past, memory, known, fresh):
            unread.append(file)
    advance(len(files) - len(unread))
    logger.info("%d files, %d of them new or changed", len(files), len(unread))
    for file, found in _read_all(root, unread, jobs):
        for member, header in found:
            place = file._replace(member=member)
            count = len(found) - 1 if header.kind == ARCHIVE else 0
            fresh[path_key(file.path, member)] = Remembered(file.size, file.mtime_ns, header, count)
            known.append((place, header))
        advance(1)
    known.sort(key=lambda item: (item[0].path, -1 if item[0].member is None else item[0].member))
    return known, fresh


def _recall_all(
    file: FoundFile,
    past: Remembered,
    memory: Mapping[str, Remembered],
    known: list[Known],
    fresh: dict[str, Remembered],
) -> bool:
    """Take over an unchanged file and, of an archive, its members; False where one is missing in the memory."""
    found = [(file, past)]
    for member in range(past.members):
        place = file._replace(member=member)
        inner = recall(memory, place)
        if inner is None:
            return False
        found.append((place, inner))
    for place, remembered in found:
        known.append((place, remembered.header))
        fresh[path_key(place.path, place.member)] = remembered
    return True


Found = list[tuple[int | None, Header]]


def _read_all(root: Path, files: Sequence[FoundFile], jobs: int) -> Iterator[tuple[FoundFile, Found]]:
    if jobs <= 1 or len(files) < _POOL_AT_LEAST:
        yield from ((file, read_file(root, file.path)) for file in files)
        return
    chunks = list(_chunks(files))
    paths = [[file.path for file in chunk] for chunk in chunks]
    # "spawn": a fork would copy the locks of Arrow's threads.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for chunk, found in zip(chunks, pool.map(partial(_read_chunk, root), paths), strict=True):
            yield from zip(chunk, found, strict=True)


def _chunks(files: Iterable[FoundFile]) -> Iterator[list[FoundFile]]:
    waiting = iter(files)
    while chunk := list(islice(waiting, _CHUNK)):
        yield chunk


def _read_chunk(root: Path, paths: list[str]) -> list[Found]:
    return [read_file(root, path) for path in paths]


def read_file(root: Path, path: str) -> Found:
    """Return what a file holds; of an archive itself first, then its members by their place."""
    full = root / path
    try:
        with full.open("rb") as stream:
            header = read_header(stream, PurePath(path).suffix)
    except OSError:
        return [(None, Header(BROKEN))]
    if header.kind != JUNK or not is_archive(full):
        return [(None, header)]
    return _read_archive(full)


def _read_archive(path: Path) -> Found:
    found: Found = [(None, Header(ARCHIVE))]
    try:
        found.extend((place, read_header(io.BytesIO(content), suffix)) for place, suffix, content in read_members(path))
    except DicomError as error:
        logger.warning("an archive is left out: %s", error)
        return [(None, Header(BROKEN))]
    return found
