"""Visits of one patient compared: rows of the table `follow_up`, made of the gathered table `scans`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from scarnet_cli.gather.review import REVIEWED, without_rejected
from scarnet_cli.tables.columns import record_of, schema_of
from scarnet_cli.tables.database import connected, plainly_named, sql_text
from scarnet_cli.tables.follow_up import FollowUpRow, MeasureChanges
from scarnet_cli.tables.parquet import open_table

_CHANGED: Final = tuple(schema_of(MeasureChanges).names)
# Rows that are Python objects at a time.
_PART: Final = 128
_COLUMNS: Final = ("study_id", "patient", "site", "group", "visit", "study_date", REVIEWED, *_CHANGED)
# Without dates, visits come in the order of their labels, but these words begin.
_FIRST_WORDS: Final = ("acute", "base", "before", "bl", "first", "initial", "pre", "screening")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The visits of all patients.

    Attributes:
        rows: A row for each later visit.
        repeated: Number of visits of which more than one study was measured.
    """

    rows: tuple[FollowUpRow, ...]
    repeated: int


def compare_visits(scans: Path) -> FollowUp:
    """Return the visits compared, given the path of the gathered table `scans`.

    A study needs the labels `patient` and `visit`, and no reader may have rejected it. A visit of which several studies
    are left is not compared: nobody can tell which one counts. The report lists those (report/follow_up.py).

    Raises:
        CohortError: The table is missing or unreadable.
    """
    rows: list[FollowUpRow] = []
    repeated = 0
    for _, studies in groupby(_labelled(scans), key=lambda row: row["patient"]):
        alone: list[Row] = []
        for _, of_visit in groupby(studies, key=lambda row: row["visit"]):
            study, others = _first(of_visit)
            if others:
                repeated += 1
            else:
                alone.append(study)
        in_order = _in_order(alone)
        rows += [_compared(in_order[0], study) for study in in_order[1:]]
    return FollowUp(tuple(rows), repeated)


def _first(studies: Iterator[Row]) -> tuple[Row, int]:
    """Return the first study, and the number of the others."""
    return next(studies), sum(1 for _ in studies)


def _labelled(scans: Path) -> Iterator[Row]:
    """Yield the rows with patient and visit that nobody rejected, sorted by these; a column that is not there is null.

    DuckDB sorts them, so that no more than a few are Python objects at a time.
    """
    with open_table(scans) as file:
        there = [name for name in _COLUMNS if name in file.schema_arrow.names]
    if not {"patient", "visit"} <= set(there):
        return
    with plainly_named(scans.parent) as folder, connected("What follow-up sorts") as connection:
        columns = ", ".join(f'"{name}"' for name in there)
        found = connection.sql(
            f"SELECT {columns} FROM read_parquet({sql_text(folder / scans.name)}) "
            "WHERE patient IS NOT NULL AND visit IS NOT NULL ORDER BY patient, visit, study_id"
        )
        for part in found.to_arrow_reader(_PART):
            yield from without_rejected(dict.fromkeys(_COLUMNS) | row for row in part.to_pylist())


def _in_order(studies: Sequence[Row]) -> list[Row]:
    """Return a patient's studies by date where all have one, else by label."""
    dated = all(_day(study) for study in studies)
    return sorted(studies, key=lambda study: (study["study_date"] if dated else "", _label_order(study["visit"])))


def _label_order(visit: str) -> tuple[bool, list[tuple[int, str]]]:
    """Return a sort key: words that begin, then numbers in the label by their value."""
    label = visit.casefold()
    parts = re.findall(r"\d+|\D+", label)
    return not label.startswith(_FIRST_WORDS), [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _compared(first: Row, later: Row) -> FollowUpRow:
    before, after = _day(first), _day(later)
    cells = {
        "study_id": later["study_id"],
        "first_study_id": first["study_id"],
        "patient": first["patient"],
        "site": first["site"],
        "group": first["group"],
        "first_visit": first["visit"],
        "visit": later["visit"],
        "days_between": (after - before).days if before and after else None,
    }
    changes = {
        f"{name}_change": later[name] - first[name]
        for name in _CHANGED
        if later[name] is not None and first[name] is not None
    }
    return record_of(FollowUpRow, {**cells, **changes})


def _day(study: Row) -> date | None:
    return date.fromisoformat(study["study_date"]) if study["study_date"] else None
