"""What form an input has: searched for DICOM, or studies that are named one by one."""

from pathlib import Path
from typing import Final

from scarnet_cli.dicom.containers import NIFTI, UNKNOWN_ARCHIVE
from scarnet_cli.dicom.headers import JUNK
from scarnet_cli.dicom.identity import path_key
from scarnet_cli.errors import InputError
from scarnet_cli.index.files.read_files import kind_of
from scarnet_cli.index.samplesheet import NIFTI_SUFFIXES, SampleRow, read_samplesheet
from scarnet_cli.sheet import is_text, is_workbook
from scarnet_cli.tables.studies import LABELS

_FORMS: Final = "a folder, a zip or tar archive, a DICOM file, a NIfTI file, or a samplesheet (CSV)"


def rows_of(source: Path) -> list[SampleRow] | None:
    """Return the studies that an input names one by one; None for a folder, archive or DICOM file, which is searched.

    A NIfTI file is one study. Its id is a key of its name, as a name may be a patient's; `find_place` leads back.

    Args:
        source: The input.

    Raises:
        InputError: It is none of these, or a samplesheet that is wrong.
    """
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
