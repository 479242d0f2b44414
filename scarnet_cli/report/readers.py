"""Agreement of the readers who drew the same studies: a table and plots for each two."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scarnet_cli.draw.plots import Figure, Lines, Point, draw_bland_altman, draw_boxes
from scarnet_cli.draw.text import count_text, number_text, signed_text
from scarnet_cli.image.labels import REGIONS
from scarnet_cli.tables.parquet import read_rows
from scarnet_cli.tables.readers import ReadersRow, ReadersSummaryRow

# Measure of readers_summary -> its name and its unit's symbol, in the order of the page.
_NUMBERS: Final = {
    "scar_percent_lv": ("Scar", "%"),
    "scar_ml": ("Scar", "ml"),
    "mvo_percent_lv": ("MVO", "%"),
    "mvo_ml": ("MVO", "ml"),
    "myocardium_g": ("Myocardium", "g"),
    "blood_pool_ml": ("Blood pool", "ml"),
}
_QUESTIONS: Final = {
    "scar_present": "Scar present",
    "scar_segments": "Scar present, by AHA segment",
    "mvo_present": "MVO present",
}
# Region of a Dice -> its name.
_REGIONS: Final = {"blood_pool": "Blood pool", "myocardium": "Myocardium", "scar": "Scar", "mvo": "MVO"}
_PLOTTED: Final = ("scar_percent_lv", "myocardium_g")


@dataclass(frozen=True, slots=True)
class ReaderPair:
    """Two readers: their names, how many studies both drew, a table of three columns, and plots."""

    first: str
    second: str
    studies: int
    rows: tuple[tuple[str, str, str], ...]
    figures: tuple[Figure, ...]


def read_pairs(tables: Path, rejected: Collection[str]) -> tuple[ReaderPair, ...]:
    """Return each two readers who drew the same studies; empty without any, or from tables without `readers`.

    Args:
        tables: Directory of the tables.
        rejected: Ids of studies that a reader rejected: as in readers_summary, they do not count.

    Raises:
        CohortError: A table is unreadable.
    """
    readers, summary = tables / "readers.parquet", tables / "readers_summary.parquet"
    if not (readers.is_file() and summary.is_file()):
        return ()
    studies = [row for row in read_rows(ReadersRow, readers) if row.study_id not in rejected]
    measures = read_rows(ReadersSummaryRow, summary)
    pairs = sorted({(row.first_reader, row.second_reader) for row in studies})
    return tuple(
        _pair(
            pair,
            [row for row in studies if (row.first_reader, row.second_reader) == pair],
            {row.measure: row for row in measures if (row.first_reader, row.second_reader) == pair},
        )
        for pair in pairs
    )


def _pair(pair: tuple[str, str], studies: list[ReadersRow], summary: dict[str, ReadersSummaryRow]) -> ReaderPair:
    rows = [_number_row(*_NUMBERS[name], summary[name]) for name in _NUMBERS if name in summary]
    rows += [_question_row(words, summary[name]) for name, words in _QUESTIONS.items() if name in summary]
    plots = [_bland_altman(pair, studies, name, summary[name]) for name in _PLOTTED if name in summary]
    return ReaderPair(*pair, len(studies), tuple(rows), (*plots, _overlap(studies)))


def _number_row(name: str, unit: str, row: ReadersSummaryRow) -> tuple[str, str, str]:
    agreement = f"ICC {_with_interval(row.icc, row.icc_low, row.icc_high)}"
    return (
        f"{name}, {unit}",
        agreement,
        f"{signed_text(row.bias)} ({signed_text(row.lower_limit)} to {signed_text(row.upper_limit)})",
    )


def _question_row(name: str, row: ReadersSummaryRow) -> tuple[str, str, str]:
    kappa = f"kappa {_with_interval(row.kappa, row.kappa_low, row.kappa_high)}"
    return name, kappa, f"the same answer in {number_text(row.agreed_percent, 0)} %"


def _with_interval(value: float | None, low: float | None, high: float | None) -> str:
    interval = f" ({number_text(low, 2)} to {number_text(high, 2)})" if low is not None and high is not None else ""
    return f"{number_text(value, 2)}{interval}"


def _bland_altman(pair: tuple[str, str], studies: list[ReadersRow], column: str, row: ReadersSummaryRow) -> Figure:
    name, unit = _NUMBERS[column]
    points: list[Point] = []
    for study in studies:
        first, second = getattr(study.first, column), getattr(study.second, column)
        if first is not None and second is not None:
            points.append(Point((first + second) / 2, first - second, study.study_id, _has_scar(study)))
    title = f"{name}, {pair[0]} minus {pair[1]}"
    caption = f"{count_text(len(points), 'study', 'studies')}. Bias {signed_text(row.bias)} {unit}"
    if row.lower_limit is not None:
        caption += f", limits of agreement {signed_text(row.lower_limit)} to {signed_text(row.upper_limit)} {unit}"
    lines = Lines(row.bias or 0.0, row.lower_limit, row.upper_limit)
    return Figure(title, f"{caption}.", draw_bland_altman(title, points, lines, unit, "both readers"))


def _overlap(studies: list[ReadersRow]) -> Figure:
    groups = [
        (_REGIONS[region], [Point(getattr(s, f"{region}_dice"), 0.0, s.study_id, _has_scar(s)) for s in studies])
        for region in REGIONS
    ]
    return Figure(
        "Dice by study",
        "Overlap of both readers' regions, 0 to 1; 1 where neither drew any.",
        draw_boxes("Dice", groups),
    )


def _has_scar(study: ReadersRow) -> bool:
    return study.first.scar_ml > 0 or study.second.scar_ml > 0
