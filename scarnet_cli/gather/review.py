"""A reader's decisions about studies, a CSV table that the report exports, for the column `reviewed` of `scans`."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import pyarrow as pa

from scarnet_cli.sheet import SheetKind, read_sheet
from scarnet_cli.tables.schema import TABLES

_Row = TypeVar("_Row", bound=Mapping[str, Any])

REVIEW: Final = SheetKind("review", ("study_id", "decision"), ("reader", "comment", "date"))
ACCEPT: Final = "accept"
REJECT: Final = "reject"
REVIEWED: Final = "reviewed"


def read_decisions(path: Path, known: Collection[str]) -> dict[str, str]:
    """Read and check a review.

    Args:
        path: CSV file with study_id and decision, and optionally reader, comment and date.
        known: Study ids that a row may name, including failed studies, which may have been read before they failed.

    Returns:
        Study id -> `ACCEPT` or `REJECT`.

    Raises:
        InputError: The file is not such a CSV, or rows are wrong (unknown study, unknown decision, repeated study); the
            message gives the line of each wrong row.
    """
    return dict(read_sheet(path, REVIEW, lambda values: _decision(values, known)))


def without_rejected(rows: Iterable[_Row]) -> list[_Row]:
    """Return the rows of studies that no reader rejected: those that distributions, comparisons and agreement count.

    A rejection means that the numbers are wrong. The tables keep such studies; views and pages say how many there are.
    """
    return [row for row in rows if row.get(REVIEWED) != REJECT]


def with_decisions(scans: pa.Table, decisions: Mapping[str, str]) -> pa.Table:
    """Return the rows with `reviewed` set to each study's decision or null; tables without the column get it."""
    field = TABLES["scans"].field(REVIEWED)
    column = pa.array([decisions.get(study_id) for study_id in scans["study_id"].to_pylist()], field.type)
    place = scans.schema.get_field_index(REVIEWED)
    return scans.append_column(field, column) if place < 0 else scans.set_column(place, field, column)


def _decision(values: dict[str, str], known: Collection[str]) -> tuple[str, str]:
    study_id, decision = values["study_id"], values["decision"].lower()
    problems = [] if study_id in known else ["its study_id is not a study of this cohort" + _advice(study_id)]
    if decision not in (ACCEPT, REJECT):
        problems.append(f"its decision is neither '{ACCEPT}' nor '{REJECT}'")
    if problems:
        raise ValueError("; ".join(problems))
    return study_id, decision


def _advice(study_id: str) -> str:
    """Return what to do about an unknown name that a spreadsheet may have changed (001, 1E5), else nothing."""
    try:
        float(study_id.replace(",", "."))
    except ValueError:
        return ""
    return "; spreadsheets change names like 001 and 1E5: make its column text there"
