"""What form an input has: searched for DICOM, or studies that are named one by one; and which files it has."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scarnet_cli.dicom.containers import NIFTI, UNKNOWN_ARCHIVE
from scarnet_cli.dicom.facts import FoundFile
from scarnet_cli.dicom.headers import JUNK
from scarnet_cli.dicom.identity import path_key
from scarnet_cli.errors import InputError
from scarnet_cli.index.files.read_files import kind_of
from scarnet_cli.index.files.sweep import UnreadItem, sweep
from scarnet_cli.index.samplesheet import NIFTI_SUFFIXES, SampleRow, read_samplesheet
from scarnet_cli.progress import Progress, no_progress
from scarnet_cli.sheet import is_text, is_workbook
from scarnet_cli.tables.studies import LABELS

_FORMS: Final = "a folder, a zip or tar archive, a DICOM file, a NIfTI file, or a samplesheet (CSV)"


# Files between two movements of a progress bar.
_STEP: Final = 1000


@dataclass(frozen=True, slots=True)
class Input:
    """What is indexed.

    Attributes:
        source: As the user gave it.
        root: Folder that the paths of its files are given below.
        rows: Its studies where it names them one by one; None for a folder, archive or DICOM file, which is searched.
    """

    source: Path
    root: Path
    rows: tuple[SampleRow, ...] | None

    @property
    def paths(self) -> list[Path]:
        """The folders and files that it names."""
        return [self.source] if self.rows is None else [row.dicom for row in self.rows]


@dataclass(frozen=True, slots=True)
class SweptPart:
    """What was found at one start of an input.

    Attributes:
        row: Its row of a samplesheet; None where the input is searched.
        files: The files there.
        unread: What there cannot be read.
    """

    row: SampleRow | None
    files: list[FoundFile]
    unread: list[UnreadItem]


def read_input(source: Path) -> Input:
    """Return what an input names.

    A NIfTI file is one study. Its id is a key of its name, as a name may be a patient's; `find_paths` leads back.

    Args:
        source: The input.

    Raises:
        InputError: It is none of these, or a samplesheet that is wrong.
    """
    rows = _rows_of(source)
    root = source if source.is_dir() and rows is None else source.parent
    return Input(source, root.absolute(), None if rows is None else tuple(rows))


def sweep_input(given: Input, own_folders: Iterable[Path | None], progress: Progress = no_progress) -> list[SweptPart]:
    """Find the files of an input; none of them is opened.

    Args:
        given: The input.
        own_folders: Folders of the run's own output and work, which are not searched.
        progress: Shows how many files are found.

    Raises:
        MachineError: The machine cannot list anything more.
    """
    own = [folder.absolute() for folder in own_folders if folder is not None]
    parts = []
    with progress("files found") as advance:
        for row in given.rows or (None,):
            if row is not None and row.is_nifti:
                continue
            unread: list[UnreadItem] = []
            files: list[FoundFile] = []
            for file in sweep(given.root, (row.dicom if row else given.source).absolute(), unread.append, own):
                files.append(file)
                if len(files) % _STEP == 0:
                    advance(_STEP)
            advance(len(files) % _STEP)
            parts.append(SweptPart(row, files, unread))
    return parts


def _rows_of(source: Path) -> list[SampleRow] | None:
    if source.is_dir() or not source.exists():  # of one that is gone whoever opens it says so
        return None
    if not source.is_file():
        message = f"The input is a pipe, socket or device, no file; name {_FORMS}."
        raise InputError("bad_input", message)
    if source.name.lower().endswith(NIFTI_SUFFIXES):
        key = path_key(source.name)[:16]
        return [SampleRow(key, source.absolute(), dict.fromkeys(LABELS), None, None)]
    if is_workbook(source):
        return read_samplesheet(source)  # which says what to do with it
    kind = kind_of(source)
    if kind == JUNK and is_text(source):
        return _rows_of_text(source)
    if kind in _REFUSALS:
        raise InputError("bad_input", _REFUSALS[kind])
    return None


def _rows_of_text(source: Path) -> list[SampleRow]:
    try:
        return read_samplesheet(source)
    except InputError as error:
        if source.suffix.lower() in _TABLES:
            raise
        message = f"The input was taken for a samplesheet, as it is no folder, archive, DICOM or NIfTI file. {error}"
        raise InputError(error.code, message) from error


_TABLES: Final = (".csv", ".tsv")
_REFUSALS: Final = {
    JUNK: f"The input is a file of another kind; name {_FORMS}.",
    NIFTI: "The input is a NIfTI file that is not called so; rename it to end in .nii or .nii.gz.",
    UNKNOWN_ARCHIVE: "The input is an archive of a kind that is not opened (rar, 7z, an image of a disk, ...); unpack "
    "it and name the folder.",
}
