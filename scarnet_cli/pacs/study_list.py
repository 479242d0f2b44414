"""Read a list of studies to request from a server, by StudyInstanceUID or accession number."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scarnet_cli.dicom.identity import is_uid
from scarnet_cli.sheet import SheetKind, problem_of_label, problem_of_name, read_sheet
from scarnet_cli.tables.studies import LABELS, StudyLabels, labels_in
from scarnet_cli.tables.user_columns import problem_of_user_column, problems_of_user_cells, user_cells_in

UID_COLUMN: Final = "study_instance_uid"
ACCESSION_COLUMN: Final = "accession_number"
_OPTIONAL: Final = ("study", *LABELS)
_KEYWORDS: Final = {UID_COLUMN: "StudyInstanceUID", ACCESSION_COLUMN: "AccessionNumber"}
_LONGEST: Final = 64
# Wild cards and list separators of DICOM matching: a value with one of them could match other patients' studies.
_SPECIAL: Final = re.compile(r"[*?\\,\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class WantedStudy:
    """One row of a study list.

    Attributes:
        keyword: The matching key, StudyInstanceUID or AccessionNumber.
        value: The key's value.
        row: Row number in the list, from 1; messages give this, never an accession number.
        study: The study's name, used as study_id, or None.
        labels: Its labels.
        user_cells: Its cells in the user's own columns.
    """

    keyword: str
    value: str
    row: int
    study: str | None
    labels: StudyLabels
    user_cells: Mapping[str, str]


def read_study_list(path: Path) -> list[WantedStudy]:
    """Read and check a study list: a CSV with the column study_instance_uid or accession_number.

    Optional columns are `study` (a name, used as study_id), the samplesheet's labels, and columns of the user's own.

    Raises:
        InputError: It is not such a table, has no rows, or has wrong rows; the message gives the line of each of these.
    """
    column = ACCESSION_COLUMN if ACCESSION_COLUMN in _first_line(path) else UID_COLUMN
    kind = SheetKind("study list", (column,), _OPTIONAL, problem_of_user_column)
    seen: set[str] = set()
    names: set[str] = set()
    rows: list[WantedStudy] = []

    def parse(values: dict[str, str]) -> WantedStudy:
        user_cells = user_cells_in(kind, values)
        problems = [*_problems(column, values, seen, names), *problems_of_user_cells(user_cells)]
        if problems:
            raise ValueError("; ".join(problems))
        study, labels = values.get("study") or None, labels_in(values)
        rows.append(WantedStudy(_KEYWORDS[column], values[column], len(rows) + 1, study, labels, user_cells))
        return rows[-1]

    return read_sheet(path, kind, parse)


def _first_line(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        try:
            return [cell.strip() for cell in next(csv.reader(file), [])]
        except csv.Error:  # read_sheet reports it
            return []


def _problems(column: str, values: dict[str, str], seen: set[str], names: set[str]) -> list[str]:
    """Return what is wrong with a row. No accession number is quoted: it identifies a person."""
    value, name = values[column], values.get("study", "")
    problems = []
    if not value or len(value) > _LONGEST or _SPECIAL.search(value):
        problems.append(f"{column} is empty, longer than {_LONGEST} characters, or holds one of * ? \\ ,")
    elif column == UID_COLUMN and not is_uid(value):
        problems.append(f"{column} is not a UID: digits and dots")
    if value.lower() in seen:
        problems.append(f"its {column} stands in an earlier line too")
    seen.add(value.lower())
    if name and (problem := problem_of_name("study", name)):
        problems.append(problem)
    if name and name.lower() in names:
        problems.append(f"study '{name}' stands in an earlier line too; each must differ")
    names.add(name.lower())
    problems += [p for label in LABELS if values.get(label) and (p := problem_of_label(label, values[label]))]
    return problems
