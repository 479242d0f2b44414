"""Distributions of scar burden, mass and MVO over the cohort: histograms, and box plots by group and by site."""

import statistics
from collections.abc import Sequence
from typing import Final

from scarnet_cli.draw.plots import Figure, Point, around, draw_boxes
from scarnet_cli.draw.svg import Histogram
from scarnet_cli.draw.text import count_text
from scarnet_cli.evaluate.groups import median_interval
from scarnet_cli.report.groups import groups_of, largest_of
from scarnet_cli.report.measures import Row
from scarnet_cli.report.tested import comparison_text

_LEAST_FOR_QUARTILES: Final = 5
# Column, title, unit. Studies with a value of 0 are counted; the histogram shows the others.
Measure = tuple[str, str, str]
MEASURES: Final[tuple[Measure, ...]] = (
    ("scar_percent_lv", "Scar", "% of the myocardium"),
    ("myocardium_g", "Myocardium mass", "g"),
    ("mvo_percent_lv", "Microvascular obstruction", "% of the myocardium"),
)


def histograms(rows: Sequence[Row], measures: Sequence[Measure] = MEASURES) -> tuple[Histogram, ...]:
    """Return the histogram of each measure over all studies."""
    return tuple(_histogram(rows, *measure) for measure in measures)


def comparisons(rows: Sequence[Row], label: str, measures: Sequence[Measure] = MEASURES) -> tuple[Figure, ...]:
    """Return box plots of each measure, grouped by a label of the studies, with the test between the groups.

    Zeros are included: a group in which most studies have no scar has a median of 0. Only the largest groups are shown,
    so that the plot stays readable. A measure without a value is left out; with fewer than two groups all are.
    """
    by_group = groups_of(rows, label)
    if len(by_group) < 2:  # noqa: PLR2004 (one group is the histogram)
        return ()
    shown = largest_of(by_group)
    left_out = len(by_group) - len(shown)
    without = len(rows) - sum(map(len, by_group.values()))
    notes = [f"{count_text(left_out, 'smaller group')} left out."] if left_out else []
    notes += [f"{count_text(without, 'study has', 'studies have')} no {label}."] if without else []
    drawn = (_comparison(shown, *measure, notes) for measure in measures)
    return tuple(comparison for comparison in drawn if comparison)


def _comparison(
    by_group: dict[str, list[Row]], column: str, title: str, unit: str, notes: Sequence[str]
) -> Figure | None:
    groups = {
        name: [Point(row[column], 0.0, row["study_id"], marked=False) for row in rows if row.get(column) is not None]
        for name, rows in by_group.items()
    }
    filled = {name: points for name, points in groups.items() if points}
    if not filled:
        return None
    axis = around([0.0, *(point.x for points in filled.values() for point in points)], 0.0, 1.0)
    values = {name: [point.x for point in points] for name, points in filled.items()}
    sizes = [
        f"{name} (n = {len(group):,}): median {statistics.median(group):.1f}{_interval(group)}"
        for name, group in values.items()
    ]
    tested = comparison_text(
        {name: [p.x for p in points] for name, points in filled.items()}, unit.split(maxsplit=1)[0]
    )
    sentences = ["; ".join(sizes) + ".", *notes, *([tested] if tested else [])]
    sentences += ["In parentheses: 95 % intervals."] if " to " in " ".join([*sizes, tested]) else []
    return Figure(title, " ".join(sentences), draw_boxes(title, list(filled.items()), (0.0, axis.high), unit))


def _interval(values: Sequence[float]) -> str:
    """Return the interval of a median in parentheses; empty where there are too few values."""
    ends = median_interval(values)
    return f" ({ends[0]:.1f} to {ends[1]:.1f})" if ends else ""


def _histogram(rows: Sequence[Row], column: str, title: str, unit: str) -> Histogram:
    defined = [row[column] for row in rows if row.get(column) is not None]
    values = tuple(value for value in defined if value > 0)
    parts = (
        [f"None in {len(defined) - len(values):,} of {len(defined):,} studies."] if len(values) < len(defined) else []
    )
    if values:
        whose = " of the others" if parts else ""
        parts.append(f"Median{whose} {statistics.median(values):.1f} {unit.split(maxsplit=1)[0]}")
    if len(values) >= _LEAST_FOR_QUARTILES:
        lower, _, upper = statistics.quantiles(values, n=4, method="inclusive")
        parts[-1] += f", quartiles {lower:.1f} to {upper:.1f}"
    if len(defined) < len(rows):
        parts.append(f"Undefined in {count_text(len(rows) - len(defined), 'study', 'studies')}")
    return Histogram(title, unit, values, " ".join(part.rstrip(".") + "." for part in parts))
