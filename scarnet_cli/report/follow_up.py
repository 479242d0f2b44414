"""Follow-up: the change of patients between two visits, as lines from one to the other."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Final

from scarnet_cli.draw.plots import Figure, Point, draw_paired
from scarnet_cli.draw.text import count_text
from scarnet_cli.evaluate.groups import mean_interval
from scarnet_cli.report.measures import Row, unit_text
from scarnet_cli.tables.follow_up import FollowUpRow
from scarnet_cli.tables.parquet import read_rows

# Column -> name.
_SHOWN: Final = {"scar_percent_lv": "Scar", "myocardium_g": "Mass"}
_MOST_VISITS: Final = 3


@dataclass(frozen=True, slots=True)
class VisitChanges:
    """Two visits: their names, how many patients have both, how far apart they are in words, and plots."""

    first: str
    later: str
    patients: int
    apart: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class RepeatedVisit:
    """A visit of a patient that is not compared, as more than one study of it was measured."""

    patient: str
    visit: str
    studies: tuple[str, ...]


def repeated_visits(scans: Sequence[Row]) -> tuple[RepeatedVisit, ...]:
    """Return the visits that gather/follow_up.py does not compare, given the rows of `scans` that nobody rejected."""
    studies: dict[tuple[str, str], list[str]] = {}
    for row in scans:
        if row.get("patient") is not None and row.get("visit") is not None:
            studies.setdefault((row["patient"], row["visit"]), []).append(row["study_id"])
    return tuple(RepeatedVisit(*visit, tuple(sorted(ids))) for visit, ids in sorted(studies.items()) if len(ids) > 1)


def read_changes(tables: Path, scans: Sequence[Row]) -> tuple[VisitChanges, ...]:
    """Return the pairs of visits that most patients have; empty without any, or from tables without `follow_up`.

    Args:
        tables: Directory of the tables.
        scans: Rows of `scans` that nobody rejected.

    Raises:
        CohortError: The table is unreadable.
    """
    path = tables / "follow_up.parquet"
    of_study = {row["study_id"]: row for row in scans}
    rows = read_rows(FollowUpRow, path) if path.is_file() else []
    found = [row for row in rows if {row.first_study_id, row.study_id} <= of_study.keys()]
    pairs = Counter((row.first_visit, row.visit) for row in found)
    most = sorted(pairs, key=lambda pair: (-pairs[pair], pair))[:_MOST_VISITS]
    return tuple(
        _changes(pair, [row for row in found if (row.first_visit, row.visit) == pair], of_study) for pair in most
    )


def _changes(pair: tuple[str, str], rows: Sequence[FollowUpRow], of_study: Mapping[str, Row]) -> VisitChanges:
    days = [row.days_between for row in rows if row.days_between is not None]
    apart = f"{median(days):.0f} days apart (median; {min(days)} to {max(days)})" if days else ""
    figures = [_figure(pair, rows, of_study, column) for column in _SHOWN]
    return VisitChanges(*pair, len(rows), apart, tuple(figure for figure in figures if figure is not None))


def _figure(
    pair: tuple[str, str], rows: Sequence[FollowUpRow], of_study: Mapping[str, Row], column: str
) -> Figure | None:
    both = [
        (row, of_study[row.first_study_id][column], of_study[row.study_id][column])
        for row in rows
        if getattr(row.change, column) is not None
    ]
    if not both:
        return None
    unit, name = unit_text(column), _SHOWN[column]
    changes = [after - before for _, before, after in both]
    ends = mean_interval(changes, least=2)
    interval = f" (95 % interval {ends[0]:+.1f} to {ends[1]:+.1f})" if ends else ""
    points = [
        (Point(0, before, row.patient, after > before), Point(1, after, row.patient, after > before))
        for row, before, after in both
    ]
    of_change = "percentage points" if unit == "%" else unit  # not percent of the first value
    summary = f"{count_text(len(both), 'patient')}, mean change {fmean(changes):+.1f} {of_change}{interval}"
    return Figure(f"{name}, {unit}", summary, draw_paired(name, points, pair, unit))
