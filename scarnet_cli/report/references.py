"""Agreement with reference label maps, if the cohort has any: Bland-Altman plots and Dice."""

import statistics
from collections.abc import Sequence
from typing import Final

from scarnet_cli.draw.plots import Figure, Lines, Point, draw_bland_altman, draw_boxes
from scarnet_cli.draw.text import count_text, number_text
from scarnet_cli.evaluate.agreement import agreement
from scarnet_cli.report.measures import Row

# Our column, the reference's column, title, unit.
_MEASURES: Final = (
    ("scar_percent_lv", "reference_scar_percent_lv", "Scar", "% of the myocardium"),
    ("myocardium_ml", "reference_myocardium_ml", "Myocardium", "ml"),
)
_REGIONS: Final = {"myocardium": "Myocardium", "scar": "Scar"}
COLUMNS: Final = (
    *(name for ours, reference, _, _ in _MEASURES for name in (ours, reference)),
    *(f"{region}_{measure}" for region in _REGIONS for measure in ("dice", "hd95_mm")),
)


def reference_figures(rows: Sequence[Row]) -> tuple[Figure, ...]:
    """Return the plots of the studies that have a reference; empty if none has."""
    figures = [figure for measure in _MEASURES if (figure := _bland_altman(rows, *measure))]
    overlap = _overlap(rows)
    return (*figures, *([overlap] if overlap else []))


def _bland_altman(rows: Sequence[Row], ours: str, reference: str, title: str, unit: str) -> Figure | None:
    pairs = [row for row in rows if row.get(ours) is not None and row.get(reference) is not None]
    if not pairs:
        return None
    agreed = agreement([row[ours] for row in pairs], [row[reference] for row in pairs])
    points = [
        Point((row[ours] + row[reference]) / 2, row[ours] - row[reference], row["study_id"], _has_scar(row))
        for row in pairs
    ]
    lines = Lines(agreed.bias, agreed.lower_limit, agreed.upper_limit)
    short = unit.split(maxsplit=1)[0]
    caption = f"{count_text(len(pairs), 'study', 'studies')}. Bias {agreed.bias:+.1f} {short}"
    if agreed.lower_limit is not None and agreed.upper_limit is not None:
        caption += f", limits {agreed.lower_limit:+.1f} to {agreed.upper_limit:+.1f} {short}"
    caption += f"; CoV {number_text(agreed.cov_percent)} %, ICC {number_text(agreed.icc, 2)}."
    return Figure(f"{title}, label map minus reference", caption, draw_bland_altman(title, points, lines, unit))


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
