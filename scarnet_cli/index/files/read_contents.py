"""Get the contents of each file: from the memory if the file is unchanged, else from its header."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from scarnet_cli.buckets.place import Place, at_once
from scarnet_cli.dicom.archives import holder
from scarnet_cli.dicom.facts import FoundFile
from scarnet_cli.dicom.headers import ARCHIVE, IMAGE, Header
from scarnet_cli.dicom.identity import path_key
from scarnet_cli.errors import MachineError, OutOfMemoryError
from scarnet_cli.index.defaults import FILE_SECONDS
from scarnet_cli.index.files.cache import file_rows, write_cache
from scarnet_cli.index.files.contents import Contents
from scarnet_cli.index.files.read_files import FileHeaders, read_file
from scarnet_cli.index.files.readers import IN_A_ROW, read_apart
from scarnet_cli.index.files.recall import KnownFiles, recall
from scarnet_cli.index.files.same_patient import READING, Numbers, varying
from scarnet_cli.index.files.sweep import IO_ERROR, NO_MEMORY, STUCK
from scarnet_cli.progress import Progress, no_progress

logger = logging.getLogger(__name__)

# Headers are saved in parts of this many files, so that they are not read again if the process is killed.
_FILES_A_PART: Final = 5000
# Reasons for an unread file that may lie in the machine. The run continues after one such file, and reports it.
_PERHAPS_THE_MACHINE: Final = (STUCK, NO_MEMORY, IO_ERROR)
_FIND: Final = "`scarnet find INPUT KEY` prints where a file lies; move it away where it is the only one."


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read new files.

    Attributes:
        jobs: Number of processes that read; 0 reads in this process, which a file may then crash or hang.
        parts: Folder that keeps what was read until the index is complete; None to keep nothing.
        progress: Shows how many files are read.
        file_s: Time limit for one file in seconds, plus an allowance for its size.
        will_retry: Whether another attempt follows: a temporary fault then ends this attempt instead of being recorded
            for the file.
    """

    jobs: int = 0
    parts: Path | None = None
    progress: Progress = no_progress
    file_s: float = FILE_SECONDS
    will_retry: bool = False


def read_contents(root: Place, files: Sequence[FoundFile], memory: pa.Table, options: ReadOptions) -> Contents:
    """Return the contents of all files; read those that are new, have changed or could not be read before.

    If new files join a study, its known files are read again: only files of one reading can be compared to see whether
    they are of one patient.

    Raises:
        MachineError: The machine failed; what was read before is kept in parts.
    """
    known = recall(memory, files)
    logger.info("%d files, %d of them new or changed", len(files), len(known.unread))
    reading = Reading(options.parts)
    _read_into(reading, root, known.unread, options)
    contents = _joined(known, reading)
    again = _to_read_again(contents)
    if again:
        logger.info("%d known files are read again: others joined their studies", len(again))
        _read_into(reading, root, again, options)
        contents = _joined(known.without({file.path for file in again}), reading)
    return contents


def _read_into(reading: "Reading", root: Place, files: Sequence[FoundFile], options: ReadOptions) -> None:
    try:
        with options.progress("files read", len(files)) as advance:
            for file, headers in _read_all(root, files, options):
                reading.add(file, headers)
                advance()
    finally:
        reading.write()


def _joined(known: KnownFiles, reading: "Reading") -> Contents:
    rows = pa.concat_tables([known.rows, *reading.tables]).unify_dictionaries()
    of_new_row = len(known.files) + np.repeat(np.arange(len(reading.files)), reading.lengths)
    of_row = np.concatenate([known.of_row, of_new_row])
    return Contents(known.files + reading.files, known.keys + reading.keys, len(known.files), rows, of_row)


def _to_read_again(contents: Contents) -> list[FoundFile]:
    """Return the known files that may share a study with files of another reading; archives as a whole."""
    readings = contents.rows[READING].to_numpy()
    if contents.remembered == len(contents.files) and not readings.any():
        return []
    images = np.flatnonzero(contents.among((IMAGE,)))
    mixed = varying(readings[contents.first_rows[images]] + 1, contents.scopes[images])
    known = np.flatnonzero(np.isin(contents.scopes[: contents.remembered], mixed)).tolist()
    return sorted({contents.files[index]._replace(member=None) for index in known})


class Reading:
    """Headers read in this run, saved in parts while they arrive."""

    def __init__(self, folder: Path | None) -> None:
        """Save parts in `folder`, or nowhere if it is None."""
        self.files: list[FoundFile] = []
        self.keys: list[str] = []
        self.lengths: list[int] = []  # rows of each file
        self.tables: list[pa.Table] = []
        self._numbers = Numbers()
        self._folder = folder
        self._number = 1 + max((int(path.stem) for path in part_paths(folder)), default=0)
        self._waiting: list[tuple[str, int, int, int, Header]] = []

    def add(self, file: FoundFile, headers: FileHeaders) -> None:
        """Add a file and, if it is an archive, its members."""
        held = Counter(None if member is None else holder(member) for member, _ in headers[1:])
        for member, header in headers:
            key = path_key(file.path, member)
            members = held[member] if header.kind == ARCHIVE else 0
            self.files.append(file._replace(member=member))
            self.keys.append(key)
            self.lengths.append(max(1, len(header.frames)))
            self._waiting.append((key, file.size, file.mtime_ns, members, header))
        if len(self._waiting) >= _FILES_A_PART:
            self.write()

    def write(self) -> None:
        """Turn the headers added since the last call into a table, and save it as a part."""
        if not self._waiting:
            return
        self.tables.append(file_rows(self._waiting, self._numbers))
        if self._folder is not None:
            write_cache(self.tables[-1], self._folder / f"{self._number:06d}.parquet")
        self._number += 1
        self._waiting = []


def part_paths(folder: Path | None) -> list[Path]:
    """Return the paths of the parts that an index left in a folder, latest first."""
    return sorted(folder.glob("[0-9]*.parquet"), reverse=True) if folder is not None else []


def _read_all(root: Place, files: Sequence[FoundFile], options: ReadOptions) -> Iterator[tuple[FoundFile, FileHeaders]]:
    """Yield the headers of each file. A single failure becomes the file's kind; several in a row mean a machine fault.

    Raises:
        MachineError: The machine failed.
    """
    if options.jobs and files:
        read = read_apart(root, files, options.jobs, options.file_s)
    else:
        paths = [file.path for file in files]
        read = at_once(partial(read_file, root), paths, (root, *paths))
    in_a_row = 0
    for file, headers in zip(files, read, strict=True):
        kind = headers[0][1].kind
        in_a_row = in_a_row + 1 if kind in _PERHAPS_THE_MACHINE else 0
        if in_a_row == IN_A_ROW or (options.will_retry and kind in (NO_MEMORY, IO_ERROR)):
            raise _fault(kind, path_key(file.path)[:16])
        yield file, headers


def _fault(kind: str, key: str) -> MachineError:
    if kind == NO_MEMORY:
        return OutOfMemoryError("out_of_memory", f"Memory ran out on file {key} of the input; give index more. {_FIND}")
    words = "does not answer" if kind == STUCK else "reports an input/output error"
    message = f"The disk or file server that the input lies on {words}, first at file {key}. Fix it and run again "
    return MachineError("input_fault", f"{message}with -resume, which goes on from there. {_FIND}")
