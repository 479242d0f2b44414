"""Recognise the form of an input (searched for DICOM, or studies named one by one) and list its files."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from scarnet_cli.buckets.place import Place, at_once
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
from scarnet_cli.tables.studies import NO_LABELS

_FORMS: Final = "a folder, a zip or tar archive, a DICOM file, a NIfTI file, or a samplesheet (CSV)"


# Files between two updates of a progress bar.
_STEP: Final = 1000


@dataclass(frozen=True, slots=True)
class Input:
    """An input to index.

    Attributes:
        source: The path or address that the user gave.
        root: Folder, or prefix in a bucket, to which the paths of its files are relative.
        rows: Its studies if it names them one by one; None for a folder, archive or DICOM file, which is searched.
    """

    source: Place
    root: Place
    rows: tuple[SampleRow, ...] | None

    @property
    def paths(self) -> list[Place]:
        """The folders and files that the input names."""
        return [self.source] if self.rows is None else [row.dicom for row in self.rows]


@dataclass(frozen=True, slots=True)
class SweptPart:
    """Files of one row of a samplesheet, or of a whole input that is searched; rows of one folder share its lists.

    Attributes:
        row: The row; None if the input is searched.
        files: The files.
        unread: Folders and files that cannot be read.
    """

    row: SampleRow | None
    files: list[FoundFile]
    unread: list[UnreadItem]


def read_input(source: Place) -> Input:
    """Return the form of an input, with the rows of a samplesheet.

    A NIfTI file is one study. Its id is the key of its file name, since a file name may hold a patient's name;
    `find_paths` returns the path of a key.

    Raises:
        InputError: It has no form that can be indexed, or is a samplesheet with errors.
        MachineError: The machine failed while it checked a samplesheet.
    """
    rows = _rows_of(source)
    root = source if source.is_dir() and rows is None else source.parent
    return Input(source, root.absolute(), None if rows is None else tuple(rows))


def sweep_input(given: Input, own_folders: Iterable[Place | None], progress: Progress = no_progress) -> list[SweptPart]:
    """List the files of an input without opening any.

    Raises:
        MachineError: The machine can list no folder at all.
    """
    own = [folder.absolute() for folder in own_folders if folder is not None]
    rows = [row for row in given.rows or (None,) if row is None or not row.is_nifti]
    starts = [row.dicom if row else given.source for row in rows]
    with progress("files found") as advance:

        def swept(start: Place) -> SweptPart:
            part = SweptPart(None, [], [])
            for file in sweep(given.root, start.absolute(), part.unread.append, own):
                part.files.append(file)
                if len(part.files) % _STEP == 0:
                    advance(_STEP)
            advance(len(part.files) % _STEP)
            return part

        once = list(dict.fromkeys(starts))
        parts = dict(zip(once, at_once(swept, once, given.paths), strict=True))
    return [replace(parts[start], row=row) for start, row in zip(starts, rows, strict=True)]


def _rows_of(source: Place) -> list[SampleRow] | None:
    if source.is_dir() or not source.exists():  # a missing input is reported when it is opened
        return None
    if not source.is_file():
        message = f"The input is a pipe, socket or device, no file; name {_FORMS}."
        raise InputError("bad_input", message)
    if source.name.lower().endswith(NIFTI_SUFFIXES):
        key = path_key(source.name)[:16]
        return [SampleRow(key, source.absolute(), NO_LABELS, None, None)]
    if is_workbook(source):
        return read_samplesheet(source)  # its error says what to do with a workbook
    kind = kind_of(source)
    if kind == JUNK and is_text(source):
        return _rows_of_text(source)
    if kind in _REFUSALS:
        raise InputError("bad_input", _REFUSALS[kind])
    return None


def _rows_of_text(source: Place) -> list[SampleRow]:
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
