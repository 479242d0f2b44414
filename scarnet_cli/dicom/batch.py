"""Read batches of studies, which `scarnet index` and `scarnet fetch` write."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from msgspec import UNSET, UnsetType

from scarnet_cli.buckets.place import Place, place_of
from scarnet_cli.dicom.study_entry import StudyEntry
from scarnet_cli.errors import InputError
from scarnet_cli.files import read_record
from scarnet_cli.sheet import problem_of_name

# Name of the batch file in a folder that `scarnet fetch` made.
FETCHED: Final = "batch.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFile:
    """The content of a batch file, with either a server or a root.

    Attributes:
        batch: The batch's name.
        server: Base URL of the DICOMweb server to fetch the files from.
        root: Folder that the sources' paths are relative to.
        studies: The studies of the batch.
    """

    batch: str
    server: str | UnsetType = UNSET
    root: str | UnsetType = UNSET
    studies: tuple[StudyEntry, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch whose files are on this machine or in a bucket.

    Attributes:
        root: Folder, or prefix in a bucket, that the sources' paths are relative to.
        studies: The studies of the batch.
    """

    root: Place
    studies: Sequence[StudyEntry]


def is_batch(path: Place) -> bool:
    """Tell whether a path is a batch file, or the folder that `scarnet fetch` made of one, rather than DICOM."""
    return isinstance(path, Path) and (path.suffix == ".json" or (path / FETCHED).is_file())


def read_batch(path: Path) -> Batch:
    """Read a batch file of `scarnet index`, or the folder that `scarnet fetch` made of one.

    Raises:
        InputError: The path is not a batch file, or its files are still on a server.
    """
    batch = read_batch_file(path / FETCHED if path.is_dir() else path)
    if batch.root is UNSET:
        message = (
            f"The files of {path.name} are on a DICOMweb server; name the folder that `scarnet fetch` makes of it."
        )
        raise InputError("not_fetched", message)
    # A fetched batch's files lie beside its batch file, wherever Nextflow stages the folder.
    return Batch(path / batch.root if path.is_dir() else place_of(batch.root), batch.studies)


def read_batch_file(path: Path) -> BatchFile:
    """Read a batch file, whether its DICOM files are on this machine or on a server.

    Raises:
        InputError: The path is not a batch file.
    """
    try:
        batch = read_record(path, BatchFile)
    except ValueError:
        batch = None
    if (
        batch is None
        or (batch.root is UNSET) == (batch.server is UNSET)
        or any(problem_of_name("study", study.study_id) for study in batch.studies)  # they become folders
    ):
        message = f"{path.name} is not a batch file; name one that `scarnet index` wrote, or a folder of DICOM."
        raise InputError("bad_batch", message)
    return batch
