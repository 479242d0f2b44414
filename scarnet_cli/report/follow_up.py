"""Follow-up: the change of patients between two visits, as lines from one to the other."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any, Final

from scarnet_cli.draw.plots import Figure, Point, draw_paired
from scarnet_cli.draw.text import count_text
from scarnet_cli.evaluate.groups import mean_interval
from scarnet_cli.gather.follow_up import FollowUp
from scarnet_cli.report.measures import unit_text
from scarnet_cli.tables.follow_up import FollowUpRow

# Column -> name.
_SHOWN: Final = {"scar_percent_lv": "Scar", "myocardium_g": "Mass"}
COLUMNS: Final = frozenset({"study_id", *_SHOWN})
_MOST_VISITS: Final = 3


@dataclass(frozen=True, slots=True)
class VisitChanges:
    """Two visits: their names, how many patients have both, how far apart they are in words, and plots."""

    first: str
    later: str
    patients: int
    apart: str
    figures: tuple[Figure, ...]


def visit_changes(found: FollowUp, scans: Sequence[Mapping[str, Any]]) -> tuple[VisitChanges, ...]:
    """Return the pairs of visits that most patients have, given the rows of `scans`; empty without any."""
    of_study = {row["study_id"]: row for row in scans}
    pairs = Counter((row.first_visit, row.visit) for row in found.rows)
    most = sorted(pairs, key=lambda pair: (-pairs[pair], pair))[:_MOST_VISITS]
    return tuple(
        _changes(pair, [row for row in found.rows if (row.first_visit, row.visit) == pair], of_study) for pair in most
    )


def _changes(
    pair: tuple[str, str], rows: Sequence[FollowUpRow], of_study: Mapping[str, Mapping[str, Any]]
) -> VisitChanges:
    days = [row.days_between for row in rows if row.days_between is not None]
    apart = f"{median(days):.0f} days apart (median; {min(days)} to {max(days)})" if days else ""
    figures = [_figure(pair, rows, of_study, column) for column in _SHOWN]
    return VisitChanges(*pair, len(rows), apart, tuple(figure for figure in figures if figure is not None))


def _figure(
    pair: tuple[str, str], rows: Sequence[FollowUpRow], of_study: Mapping[str, Mapping[str, Any]], column: str
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
    summary = f"{count_text(len(both), 'patient')}, mean change {fmean(changes):+.1f} {unit}{interval}"
    return Figure(f"{name}, {unit}", summary, draw_paired(name, points, pair, unit))
