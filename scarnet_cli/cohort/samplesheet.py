"""Read a samplesheet: every row is checked before anything runs, and every wrong one is listed at once."""

import csv
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scarnet_cli.errors import InputError

REQUIRED: Final = ("study", "dicom")
OPTIONAL: Final = ("patient", "rv_insertion", "reference")
NIFTI_SUFFIXES: Final = (".nii", ".nii.gz")
# A study's name becomes a folder's and goes into every table.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOST_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One study of a samplesheet.

    Attributes:
        study: Its name, used as study_id.
        dicom: Directory, archive or NIfTI file; absolute.
        patient: Label that joins the studies of one patient, or None.
        rv_insertion: Anterior RV insertion, LPS x, y, z in mm, or None.
        reference: NIfTI label map to compare with, absolute, or None.
    """

    study: str
    dicom: Path
    patient: str | None
    rv_insertion: tuple[float, float, float] | None
    reference: Path | None

    @property
    def is_nifti(self) -> bool:
        """Whether the study is given as a NIfTI file."""
        return self.dicom.name.lower().endswith(NIFTI_SUFFIXES)


def read_samplesheet(path: Path) -> list[SampleRow]:
    """Read and check a samplesheet; relative paths are relative to its folder.

    Raises:
        InputError: It is no CSV with the columns `study` and `dicom`, has no rows, or rows are wrong; the message
            names every wrong row by its line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            _require_columns(reader.fieldnames)
            lines = [(reader.line_num, row) for row in reader if any(_cells(row))]
    except (csv.Error, UnicodeDecodeError) as error:
        message = f"The samplesheet is no CSV file in UTF-8 ({error}); save it again as CSV."
        raise InputError("bad_samplesheet", message) from error
    if not lines:
        message = "The samplesheet has no rows; add one line for each study."
        raise InputError("bad_samplesheet", message)
    rows: list[SampleRow] = []
    wrong: list[str] = []
    first_line: dict[str, int] = {}
    for line, cells in lines:
        try:
            row = _row(cells, path.parent.absolute())
        except ValueError as error:
            wrong.append(f"line {line}: {error}")
            continue
        # File systems that ignore case would put both into one folder.
        earlier = first_line.setdefault(row.study.lower(), line)
        if earlier != line:
            wrong.append(f"line {line}: study '{row.study}' stands in line {earlier} too; give each its own name")
        rows.append(row)
    _require_none(wrong, len(lines))
    return rows


def _cells(row: Mapping[str, object]) -> Iterable[object]:
    return (str(value).strip() for value in row.values() if value is not None)


def _require_columns(found: Iterable[str] | None) -> None:
    names = [name.strip() for name in found or ()]
    missing = [name for name in REQUIRED if name not in names]
    unknown = [name for name in names if name not in (*REQUIRED, *OPTIONAL)]
    if missing or unknown or len(set(names)) != len(names):
        message = (
            f"The samplesheet's first line is '{','.join(names)}'; it needs the columns {', '.join(REQUIRED)} and may "
            f"have {', '.join(OPTIONAL)}, each once."
        )
        raise InputError("bad_samplesheet", message)


def _require_none(wrong: list[str], total: int) -> None:
    if wrong:
        more = f"\n  and {len(wrong) - _MOST_SHOWN} more" if len(wrong) > _MOST_SHOWN else ""
        listed = "\n  ".join(wrong[:_MOST_SHOWN])
        message = f"{len(wrong)} of the samplesheet's {total} rows are wrong:\n  {listed}{more}"
        raise InputError("bad_samplesheet", message)


def _row(cells: dict[str, str | None], folder: Path) -> SampleRow:
    if None in cells:
        message = "it has more cells than the first line has columns; quote cells that hold a comma"
        raise ValueError(message)
    values = {key.strip(): (value or "").strip() for key, value in cells.items()}
    problems: list[str] = []
    if not _NAME.fullmatch(values["study"]) or ".." in values["study"]:
        problems.append(
            f"study '{values['study']}' is no name: a letter or digit, then up to 63 of those and '.', '_', '-'"
        )
    source = folder / values["dicom"]
    if not values["dicom"] or not source.exists():
        problems.append(f"dicom '{values['dicom']}' does not exist")
    reference = folder / values["reference"] if values.get("reference") else None
    if reference is not None and not reference.is_file():
        problems.append(f"reference '{values['reference']}' is no file")
    try:
        insertion = _point(values.get("rv_insertion", ""))
    except ValueError as error:
        problems.append(str(error))
        insertion = None
    if problems:
        raise ValueError("; ".join(problems))
    return SampleRow(values["study"], source, values.get("patient") or None, insertion, reference)


def _point(text: str) -> tuple[float, float, float] | None:
    """Read "x y z" (blanks, semicolons or commas between)."""
    if not text:
        return None
    try:
        x, y, z = (float(part) for part in re.split(r"[\s;,]+", text.strip(" ()[]")))
    except ValueError:
        x = y = z = math.nan
    if not all(map(math.isfinite, (x, y, z))):
        message = f"rv_insertion '{text}' is not three numbers in mm (LPS x y z)"
        raise ValueError(message)
    return x, y, z
