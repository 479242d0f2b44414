"""Agreement with reference label maps, if the cohort has any: Bland-Altman and scatter plots, and Dice."""

import statistics
from collections.abc import Sequence
from typing import Final

from scarnet_cli.draw.plots import Figure, Lines, Point, draw_bland_altman, draw_boxes, draw_scatter
from scarnet_cli.draw.text import count_text, number_text
from scarnet_cli.evaluate.agreement import agreement
from scarnet_cli.evaluate.groups import correlation, mean_interval
from scarnet_cli.report.measures import Row

REFERENCE: Final = "reference_"  # begins the name of the reference's column
# Column, title, unit.
_MEASURES: Final = (("scar_percent_lv", "Scar", "% of the myocardium"), ("myocardium_ml", "Myocardium", "ml"))
_BETWEEN: Final = "label map and reference"
_REGIONS: Final = {"myocardium": "Myocardium", "scar": "Scar"}
COLUMNS: Final = (
    *(name for column, _, _ in _MEASURES for name in (column, f"{REFERENCE}{column}")),
    *(f"{region}_{measure}" for region in _REGIONS for measure in ("dice", "hd95_mm")),
)


def reference_figures(rows: Sequence[Row]) -> tuple[Figure, ...]:
    """Return the plots of the studies that have a reference; empty if none has."""
    figures = [draw(rows, *measure) for measure in _MEASURES for draw in (bland_altman, scatter)]
    overlap = _overlap(rows)
    return (*(figure for figure in figures if figure), *([overlap] if overlap else []))


def bland_altman(rows: Sequence[Row], column: str, title: str, unit: str) -> Figure | None:
    """Return the differences between a column and the reference's over their means; None without a reference."""
    pairs = _pairs(rows, column)
    if not pairs:
        return None
    agreed = agreement([ours for _, ours, _ in pairs], [reference for _, _, reference in pairs])
    points = [
        Point((ours + reference) / 2, ours - reference, row["study_id"], _has_scar(row))
        for row, ours, reference in pairs
    ]
    lines = Lines(agreed.bias, agreed.lower_limit, agreed.upper_limit)
    short = unit.split(maxsplit=1)[0]
    interval = mean_interval([point.y for point in points])
    caption = f"{count_text(len(pairs), 'study', 'studies')}. Bias {agreed.bias:+.1f} {short}"
    caption += f" ({interval[0]:+.1f} to {interval[1]:+.1f})" if interval else ""
    if agreed.lower_limit is not None and agreed.upper_limit is not None:
        caption += f", limits of agreement {agreed.lower_limit:+.1f} to {agreed.upper_limit:+.1f} {short}"
    caption += f"; CoV {number_text(agreed.cov_percent)} %, ICC {number_text(agreed.icc, 2)}."
    return Figure(
        f"{title}, label map minus reference", caption, draw_bland_altman(title, points, lines, unit, _BETWEEN)
    )


def scatter(rows: Sequence[Row], column: str, title: str, unit: str) -> Figure | None:
    """Return a column over the reference's, with Pearson's r and the concordance (CCC); None without a reference."""
    pairs = _pairs(rows, column)
    if not pairs:
        return None
    points = [Point(reference, ours, row["study_id"], _has_scar(row)) for row, ours, reference in pairs]
    ours, reference = [point.y for point in points], [point.x for point in points]
    found = correlation(reference, ours)
    caption = f"{count_text(len(pairs), 'study', 'studies')}. r {number_text(found.estimate if found else None, 2)}"
    caption += f" ({found.low:.2f} to {found.high:.2f})" if found and found.low is not None else ""
    caption += f", CCC {number_text(agreement(ours, reference).ccc, 2)}."
    drawing = draw_scatter(title, points, ("reference", "label map"), unit)
    return Figure(f"{title}, label map against reference", caption, drawing)


def _pairs(rows: Sequence[Row], column: str) -> list[tuple[Row, float, float]]:
    """Return the rows that have a column and the reference's, with both values."""
    reference = f"{REFERENCE}{column}"
    return [
        (row, row[column], row[reference])
        for row in rows
        if row.get(column) is not None and row.get(reference) is not None
    ]


def _overlap(rows: Sequence[Row]) -> Figure | None:
    groups: list[tuple[str, list[Point]]] = []
    sentences: list[str] = []
    for region, name in _REGIONS.items():
        dice = [row for row in rows if row.get(f"{region}_dice") is not None]
        if dice:
            column = f"{region}_dice"
            groups.append((name, [Point(row[column], 0.0, row["study_id"], _has_scar(row)) for row in dice]))
            sentences.append(
                f"{name}: median Dice {statistics.median(row[column] for row in dice):.2f}{_distance(rows, region)}."
            )
    return Figure("Dice by study", " ".join(sentences), draw_boxes("Dice", groups)) if groups else None


def _distance(rows: Sequence[Row], region: str) -> str:
    distances = [row[f"{region}_hd95_mm"] for row in rows if row.get(f"{region}_hd95_mm") is not None]
    return f", HD95 {statistics.median(distances):.1f} mm" if distances else ""


def _has_scar(row: Row) -> bool:
    return (row.get("reference_scar_percent_lv") or 0.0) > 0
