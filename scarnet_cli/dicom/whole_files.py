"""Read the chosen files of a study, each once and in full, with the facts of its frames."""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from pydicom.dataset import Dataset

from scarnet_cli.buckets.object_path import ObjectPath
from scarnet_cli.buckets.place import Place, at_once, begun, located
from scarnet_cli.dicom.archives import read_members
from scarnet_cli.dicom.bounds import STUDY_BYTES, Budget
from scarnet_cli.dicom.datasets import DAMAGE, read_dataset
from scarnet_cli.dicom.facts import FrameFacts
from scarnet_cli.dicom.headers import frame_facts
from scarnet_cli.dicom.packing import open_file, read_on
from scarnet_cli.dicom.study_entry import Source
from scarnet_cli.dicom.walk import BLOCK, walk
from scarnet_cli.errors import DicomError, MachineError, ScarnetError
from scarnet_cli.faults import machine_fault

# File systems store times at different resolutions, and two mounts of one may show different times.
_TIME_TOLERANCE_NS: Final = 2_000_000_000


@dataclass(frozen=True, slots=True)
class WholeFile:
    """A file's data set and the facts of its frames."""

    dataset: Dataset
    frames: tuple[FrameFacts, ...]


# Path, and number in the archive at that path.
Key = tuple[str, int | None]
WholeFiles = dict[Key, WholeFile]


def each_file(root: Place, sources: Sequence[Source]) -> Iterator[tuple[Key, Callable[[], BinaryIO]]]:
    """Yield the key of every file of the sources once, with a function that opens it; an archive is read in one pass.

    Raises:
        DicomError: An archive cannot be read.
        MachineError: A file is gone or was changed since it was indexed, or the machine failed.
    """
    require_as_indexed(root, sources)
    members: dict[str, set[int]] = {}
    alone: dict[str, int] = {}
    for source in sources:
        if source.member is None:
            alone[source.path] = source.size or 0
        else:
            members.setdefault(source.path, set()).add(source.member)
    # A larger study is read one file after another, by ranges.
    ahead = (root, *alone) if sum(alone.values()) <= STUDY_BYTES else ()
    for path, opened in zip(alone, begun(lambda path: _opened(located(root, path)), alone, ahead), strict=True):
        yield (path, None), opened
    for path, wanted in members.items():
        for found in read_members(located(root, path), frozenset(wanted)):
            yield (path, found.number), partial(io.BytesIO, found.content or b"")


def _opened(place: Place) -> BinaryIO:
    """Open a file; an object is read whole, while others are."""
    file = open_file(place)
    if isinstance(place, Path):
        return file
    with file:
        return io.BytesIO(read_on(file, b""))


def require_as_indexed(root: Place, sources: Sequence[Source]) -> None:
    """Require every file to exist with the size and time that the index recorded.

    Raises:
        MachineError: A file is gone or changed, which is not the study's failure, or the file server fails.
    """
    seen = {source.path: (source.size, source.mtime_ns) for source in sources}
    found = at_once(lambda path: _change(located(root, path), *seen[path]), seen, (root, *seen))
    for number, change in enumerate(found, start=1):
        if change is not None:
            raise _changed(root, f"file {number} of {len(seen)} of a study {change}")


def _change(place: Place, size: int | None, mtime_ns: int | None) -> str | None:
    """Return what happened to a file since the index recorded its size and time, or None."""
    try:
        status = place.stat()
    except (FileNotFoundError, NotADirectoryError):
        return "is gone"
    except OSError as error:
        if fault := machine_fault(error):
            raise fault from error
        return None  # opening it will report the error
    if size not in (None, status.st_size):
        return f"has {status.st_size} bytes, not {size}"
    tolerance_ns = 0 if isinstance(place, ObjectPath) else _TIME_TOLERANCE_NS
    if mtime_ns is not None and abs(status.st_mtime_ns - mtime_ns) > tolerance_ns:
        return "was written again"
    return None


def _changed(root: Place, what: str) -> MachineError:
    if not root.is_dir():
        message = "The folder that the input lies in is not there any more; bring it back and run again with -resume."
        return MachineError("input_gone", message)
    message = f"The input changed since it was indexed: {what}. Run again with -resume, which indexes it anew."
    return MachineError("input_changed", message)


def why_unreadable(error: BaseException, which: str) -> ScarnetError:
    """Return the error to raise for an unreadable file: the machine's fault, or else a DicomError."""
    message = f"{which} cannot be read any more ({type(error).__name__}); copy it again."
    return machine_fault(error) or DicomError("not_readable", message)


def read_whole_files(root: Place, sources: Sequence[Source]) -> WholeFiles:
    """Return every file by path and member number; each is read once, an archive in one pass.

    Raises:
        DicomError: A file cannot be read, or ends in the middle of its pixels.
        MachineError: A file is gone or was changed since it was indexed, or the machine failed.
    """
    files: WholeFiles = {}
    budget = Budget(STUDY_BYTES)  # for all files together
    names = {(s.path, s.member): f"File {n} of {len(sources)}" for n, s in reversed(list(enumerate(sources, start=1)))}
    for key, opened in each_file(root, sources):
        try:
            with opened() as stream:
                files[key] = _read_whole(stream, names[key], budget)
        except DAMAGE as error:
            raise why_unreadable(error, names[key]) from error
    return files


def _read_whole(stream: BinaryIO, which: str, budget: Budget) -> WholeFile:
    # The walk reads a plain header in a fifth of the time that pydicom takes to decode the same values.
    elements = walk(stream, stream.read(BLOCK))
    stream.seek(0)
    dataset = read_dataset(stream, budget=budget)
    if "Rows" not in dataset:  # pydicom returns no elements if compressed pixels are cut short
        stream.seek(0)
        if "Rows" in read_dataset(stream, tags=["Rows"]):
            message = f"{which} ends in the midst of its pixels; copy or export the study again."
            raise DicomError("bad_pixels", message)
    return WholeFile(dataset, frame_facts(dataset if elements is None else elements))
