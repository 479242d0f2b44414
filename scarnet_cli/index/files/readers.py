"""Read files in separate processes: a process that dies or hangs is replaced, and its file is reported."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from functools import partial
from itertools import islice
from queue import SimpleQueue
from typing import Final, TypeVar

from scarnet_cli.buckets.place import Place
from scarnet_cli.dicom.facts import FoundFile
from scarnet_cli.dicom.headers import Header
from scarnet_cli.dicom.identity import path_key
from scarnet_cli.index.files.read_files import FileHeaders, read_files
from scarnet_cli.index.files.sweep import CRASHED, NO_MEMORY, STUCK
from scarnet_cli.worker import ProcessDeath, TaskTimeout, Worker, describe, start_worker

logger = logging.getLogger(__name__)

# Files sent to a process at once, and the least number per process at which another one saves time.
_PORTION: Final = 200
_FILES_A_PROCESS: Final = 2000
# An archive is read completely, so the time limit grows with the file's size.
_LEAST_BYTES_A_SECOND: Final = 2 << 20
# If this many files in a row cannot be read in time, the file server is at fault, not the files.
IN_A_ROW: Final = 3
_Item = TypeVar("_Item")


def read_apart(root: Place, files: Sequence[FoundFile], jobs: int, file_s: float) -> Iterator[FileHeaders]:
    """Yield the headers of each file, in the order of `files`, as `read_file` returns them.

    A file that ends its process twice is `CRASHED`, or `NO_MEMORY` if the process was killed; one that cannot be read
    in time is `STUCK`. The other files of its portion are read again one by one.

    Raises:
        MachineError: The machine can read no file at all.
    """
    jobs = max(1, min(jobs, len(files) // _FILES_A_PROCESS))
    readers = [_Reader(root, file_s) for _ in range(jobs)]
    idle: SimpleQueue[_Reader] = SimpleQueue()
    for reader in readers:
        idle.put(reader)

    def read(portion: Sequence[FoundFile]) -> list[FileHeaders]:
        reader = idle.get()
        try:
            return reader.read(portion)
        finally:
            idle.put(reader)

    with ThreadPoolExecutor(jobs) as pool:
        try:
            for portion in pool.map(read, in_groups(files, _PORTION)):
                yield from portion
        finally:  # also if the caller stops early
            for reader in readers:
                reader.close()


class _Reader:
    """A reader of portions in its own process, which is replaced when a file crashes or hangs it."""

    def __init__(self, root: Place, file_s: float) -> None:
        self._root, self._file_s = root, file_s
        self._worker: Worker[list[str], list[FileHeaders]] | None = None
        self._closed = False

    def read(self, files: Sequence[FoundFile]) -> list[FileHeaders]:
        try:
            return self._do(files)
        except (ProcessDeath, TaskTimeout) as event:
            logger.warning(
                "a process that reads files %s; its %d files are read one by one", describe(event), len(files)
            )
            self._drop()
        headers: list[FileHeaders] = []
        stuck = 0
        for file in files:
            if stuck == IN_A_ROW:  # the rest would not answer either
                headers.append([(None, Header(STUCK))])
                continue
            headers.append(self._read_alone(file))
            stuck = stuck + 1 if headers[-1][0][1].kind == STUCK else 0
        return headers

    def close(self) -> None:
        self._closed = True
        self._drop()

    def _read_alone(self, file: FoundFile) -> FileHeaders:
        """Return the headers of one file. A crash counts only in a new process: an earlier file may have caused it."""
        try:
            return self._do([file])[0]
        except (ProcessDeath, TaskTimeout) as first:
            event = first
            self._drop()
        if not isinstance(event, TaskTimeout):
            try:
                return self._do([file])[0]
            except (ProcessDeath, TaskTimeout) as second:
                event = second
                self._drop()
        kind = _kind_of(event)
        logger.warning("a file is left out (%s): `scarnet find INPUT %s`", kind, path_key(file.path)[:16])
        return [(None, Header(kind))]

    def _do(self, files: Sequence[FoundFile]) -> list[FileHeaders]:
        if self._closed:
            raise CancelledError
        if self._worker is None:
            self._worker = start_worker(partial(_prepared, self._root), "index")
        limit_s = self._file_s + sum(file.size for file in files) / _LEAST_BYTES_A_SECOND
        return self._worker.do([file.path for file in files], limit_s)

    def _drop(self) -> None:
        if self._worker is not None:
            self._worker.kill()
            self._worker = None


def _prepared(root: Place) -> Callable[[list[str]], list[FileHeaders]]:
    return partial(read_files, root)


def _kind_of(event: ProcessDeath | TaskTimeout) -> str:
    if isinstance(event, TaskTimeout):
        return STUCK
    return NO_MEMORY if event.killed else CRASHED


def in_groups(items: Sequence[_Item], size: int) -> Iterator[list[_Item]]:
    """Yield the items in lists of `size`; the last may be shorter."""
    waiting = iter(items)
    while group := list(islice(waiting, size)):
        yield group
