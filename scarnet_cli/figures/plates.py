"""The figures of a run: always the same files, with a note in place of what cannot be drawn."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final

from scarnet_cli.draw.plate import Plate
from scarnet_cli.draw.plots import Figure, Point, draw_timeline
from scarnet_cli.draw.text import count_text, plain_column, unit_of
from scarnet_cli.evaluate.groups import trend
from scarnet_cli.figures.paper_cohort import PaperCohort
from scarnet_cli.report.bullseyes import cohort_eyes
from scarnet_cli.report.distributions import comparisons, histograms
from scarnet_cli.report.flow import flow_figure
from scarnet_cli.report.measures import Row
from scarnet_cli.report.references import REFERENCE, bland_altman, scatter
from scarnet_cli.report.tested import interval_text, p_text
from scarnet_cli.tables.schema import TABLES

_PERCENT: Final = "% of the myocardium"
_MEASURES: Final = (
    ("scar_percent_lv", "Scar", _PERCENT),
    ("scar_ml", "Scar volume", "ml"),
    ("mvo_percent_lv", "Microvascular obstruction", _PERCENT),
    ("myocardium_g", "Myocardial mass", "g"),
    ("blood_pool_ml", "LV blood pool", "ml"),
)
# What may drift from scanner to scanner, or from year to year.
_DRIFTING: Final = (("scar_percent_lv", "Scar", _PERCENT), ("confidence", "Confidence", "fraction"))
_DATE: Final = "study_date"
_OWN_DATES: Final = ("scan_date", "date")
_DAYS_A_YEAR: Final = 365.25
_PAIR: Final = 2


def plates(cohort: PaperCohort) -> Iterator[Plate]:
    """Yield every figure, in the order of a paper."""
    yield _flow(cohort)
    yield from (_distribution(cohort, *measure) for measure in _MEASURES)
    yield from _eyes(cohort)
    yield from _agreement(cohort)
    yield _by_site(cohort)
    yield _by_date(cohort)


def _flow(cohort: PaperCohort) -> Plate:
    failed = Counter((row["stage"], row["code"]) for row in cohort.failures)
    flow = flow_figure(cohort.measured, failed, cohort.by)
    return Plate("flow", flow.title, (("", flow.svg),), (flow.summary,) if flow.summary else ())


def _distribution(cohort: PaperCohort, column: str, title: str, unit: str) -> Plate:
    name = f"distribution_{column}"
    if cohort.by is not None and len(cohort.groups) > 1:
        drawn = comparisons(cohort.used, cohort.by, ((column, title, unit),))
        return _plate(name, f"{title} by {cohort.by}", drawn, f"No study has a value of {column}.")
    (histogram,) = histograms(cohort.used, ((column, title, unit),))
    one = "All studies are in one group. " if cohort.by is not None else ""
    if not histogram.values:
        known = sum(row.get(column) is not None for row in cohort.used)
        reason = f"it is 0 in {count_text(known, 'study', 'studies')}" if known else "no study has a value"
        return Plate(name, title, (), (f"{one}Nothing to draw: {reason}.",))
    return Plate(name, title, (("", histogram.svg),), (one + histogram.summary,))


def _eyes(cohort: PaperCohort) -> Iterator[Plate]:
    eyes = cohort_eyes(cohort.segments, cohort.used, cohort.by)
    for name, of_measure in zip(("bullseye_mean", "bullseye_frequency"), eyes, strict=True):
        yield Plate(name, of_measure.title, (*of_measure.drawings, *of_measure.legends), (of_measure.words,))


def _agreement(cohort: PaperCohort) -> Iterator[Plate]:
    """Yield a Bland-Altman plot and a scatter plot of every column that the reference has too."""
    for field in TABLES["scans"]:
        column = field.name.removeprefix(REFERENCE)
        if column == field.name or column not in TABLES["scans"].names:
            continue
        title = plain_column(TABLES["scans"].field(column))
        unit = unit_of(field).replace("%", _PERCENT)
        for name, draw in (("bland_altman", bland_altman), ("scatter", scatter)):
            figure = draw(cohort.used, column, title, unit)
            drawn, heading = ((figure,), figure.title) if figure else ((), title)
            yield _plate(f"agreement_{column}_{name}", heading, drawn, "No study has a reference to compare with.")


def _by_site(cohort: PaperCohort) -> Plate:
    drawn = comparisons(cohort.used, "site", _DRIFTING)
    return _plate(
        "drift_site",
        "Drift by site",
        drawn,
        "No two sites are known: name them in a samplesheet, column `site`.",
        headed=True,
    )


def _by_date(cohort: PaperCohort) -> Plate:
    """Return scar and confidence over the date of the study."""
    names = _OWN_DATES if cohort.dates_moved else (_DATE, *_OWN_DATES)
    dates = next((name for name in names if any(row.get(name) is not None for row in cohort.used)), None)
    dated = [(when, row) for row in cohort.used if dates and (when := _day(row.get(dates))) is not None]
    first = min((when for when, _ in dated), default=0)
    dated = [(when - first, row) for when, row in dated]
    drawn = [figure for measure in _DRIFTING if (figure := _timeline(dated, *measure))]
    moved = "--deidentify moved the dates, each patient's by other days; give a column `scan_date` in the samplesheet."
    without = moved if cohort.dates_moved else "No two studies have a date, or all have the same."
    return _plate("drift_date", "Drift by date", drawn, without, headed=True)


def _timeline(dated: Sequence[tuple[int, Row]], column: str, title: str, unit: str) -> Figure | None:
    points = [
        Point(when, row[column], row["study_id"], marked=False) for when, row in dated if row.get(column) is not None
    ]
    if len({point.x for point in points}) < _PAIR:
        return None
    found = trend([point.x / _DAYS_A_YEAR for point in points], [point.y for point in points])
    words = f"{count_text(len(points), 'study', 'studies')}. "
    if found is None or found.estimate is None:
        words += "No trend can be told: fewer than 3 studies, or all values are equal."
        return Figure(title, words, draw_timeline(title, points, None, unit))
    short = unit.split(maxsplit=1)[0].removesuffix("fraction")
    slope = interval_text(found, f"{short} a year".strip(), 2 if short else 3)
    words += f"Slope by least squares {slope}, in parentheses its 95 % interval; {p_text(found.p)}."
    return Figure(title, words, draw_timeline(title, points, found.estimate / _DAYS_A_YEAR, unit))


def _day(value: Any) -> int | None:  # noqa: ANN401 (a cell of any column)
    """Return the number of a day: of a date, or of text as YYYY-MM-DD or YYYYMMDD; None of anything else."""
    try:
        return (value if isinstance(value, date) else date.fromisoformat(str(value))).toordinal()
    except ValueError:
        return None


def _plate(name: str, title: str, drawn: Sequence[Figure], without: str, *, headed: bool = False) -> Plate:
    """Return a figure with its summary, or with the reason why there is none; `headed`: each drawing has a heading."""
    if not drawn:
        return Plate(name, title, (), (f"Nothing to draw. {without}",))
    drawings = tuple((figure.title if headed else "", figure.svg) for figure in drawn)
    return Plate(name, title, drawings, tuple(f"{figure.title}: " * headed + figure.summary for figure in drawn))
