"""A list of studies to ask a server for, by StudyInstanceUID or accession number: what research groups have."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scarnet_cli.sheet import SheetKind, problem_of_label, problem_of_name, read_sheet
from scarnet_cli.tables.studies import LABELS

UID_COLUMN: Final = "study_instance_uid"
ACCESSION_COLUMN: Final = "accession_number"
_OPTIONAL: Final = ("study", *LABELS)
_KEYWORDS: Final = {UID_COLUMN: "StudyInstanceUID", ACCESSION_COLUMN: "AccessionNumber"}
_UID: Final = re.compile(r"[0-9]+(\.[0-9]+)+")
_LONGEST: Final = 64
# Wild cards and separators of lists in DICOM's matching: a value with one would fetch other people's studies.
_SPECIAL: Final = re.compile(r"[*?\\,\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class WantedStudy:
    """One row of a study list.

    Attributes:
        keyword: What it is known by, StudyInstanceUID or AccessionNumber.
        value: Its value.
        row: Its number in the list, from 1; messages name this, never an accession number.
        study: Its name, used as study_id, or None.
        labels: Every one of `LABELS`, as it is written there, or None.
    """

    keyword: str
    value: str
    row: int
    study: str | None
    labels: dict[str, str | None]


def read_study_list(path: Path) -> list[WantedStudy]:
    """Read and check a study list: CSV with the column study_instance_uid or accession_number.

    Optional columns are `study` (a name, used as study_id) and the samplesheet's labels.

    Raises:
        InputError: It is no such table, has no rows, or rows are wrong; the message names every wrong row by its line.
    """
    column = ACCESSION_COLUMN if ACCESSION_COLUMN in _first_line(path) else UID_COLUMN
    seen: set[str] = set()
    names: set[str] = set()
    rows: list[WantedStudy] = []

    def parse(values: dict[str, str]) -> WantedStudy:
        problems = _problems(column, values, seen, names)
        if problems:
            raise ValueError("; ".join(problems))
        labels = {name: values.get(name) or None for name in LABELS}
        rows.append(WantedStudy(_KEYWORDS[column], values[column], len(rows) + 1, values.get("study") or None, labels))
        return rows[-1]

    return read_sheet(path, SheetKind("study list", (column,), _OPTIONAL), parse)


def _first_line(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        try:
            return [cell.strip() for cell in next(csv.reader(file), [])]
        except csv.Error:  # what is wrong is said where the rows are read
            return []


def _problems(column: str, values: dict[str, str], seen: set[str], names: set[str]) -> list[str]:
    """Return what is wrong with a row; an accession number is not quoted: it points to a person."""
    value, name = values[column], values.get("study", "")
    problems = []
    if not value or len(value) > _LONGEST or _SPECIAL.search(value):
        problems.append(f"{column} is empty, longer than {_LONGEST} characters, or holds one of * ? \\ ,")
    elif column == UID_COLUMN and not _UID.fullmatch(value):
        problems.append(f"{column} is no UID: digits and dots")
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
