"""Table 1: what the studies and their hearts are like, all together and by group, with the test between the groups."""

import csv
import io
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from scarnet_cli.draw.text import code_text, plain_column, unit_of
from scarnet_cli.evaluate.groups import Tested, compare_counts, compare_values
from scarnet_cli.figures.paper_cohort import PaperCohort
from scarnet_cli.report.measures import Row
from scarnet_cli.report.rows import doubts
from scarnet_cli.report.tested import interval_text, p_text
from scarnet_cli.tables.columns import labels_of
from scarnet_cli.tables.scans import ScanRow
from scarnet_cli.tables.schema import TABLES

_ALL: Final = "All"
_MOST_LEVELS: Final = 12  # of a column of text; one with more is no property to count
_TRUTHS: Final = 2  # a column of whole numbers with two values is counted too
# Columns that describe a patient, from DICOM; a user's own columns follow them. Of those, age is summed up by its mean.
_PATIENT: Final = ("patient_age_years", "patient_sex", "patient_height_cm", "patient_weight_kg", "bsa_m2")
_AGES: Final = frozenset({"age", "age_years"})
# Column, label, decimals, whether it is summed up by its mean: volumes and masses spread evenly, scar does not.
_MEASURES: Final = (
    ("blood_pool_ml", "LV blood pool", 0, True),
    ("blood_pool_ml_m2", "LV blood pool", 0, True),
    ("myocardium_g", "Myocardial mass", 0, True),
    ("myocardium_g_m2", "Myocardial mass", 0, True),
    ("scar_percent_lv", "Scar", 1, False),
    ("scar_ml", "Scar", 1, False),
    ("mvo_percent_lv", "MVO", 1, False),
    ("mvo_ml", "MVO", 1, False),
)
_LABELS: Final = labels_of(ScanRow)
_OF_MYOCARDIUM: Final = "% of the myocardium"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table.

    Attributes:
        label: What is summed up.
        level: Which of its values is counted; empty where that is no question.
        unit: Its unit; empty without one.
        statistic: How: "mean (SD)", "median (quartiles)" or "n (%)"; empty above levels.
        cells: Texts of all studies, then of each group.
        difference: Difference between two groups with its 95 % interval; empty without one.
        p: P value as text; empty without a test.
        test: Name of the test and of the difference.
        missing: Number of studies without a value.
    """

    label: str
    level: str
    unit: str
    statistic: str
    cells: tuple[str, ...]
    difference: str = ""
    p: str = ""
    test: str = ""
    missing: int = 0


@dataclass(frozen=True, slots=True)
class TableOne:
    """The table: names and sizes of its columns of studies, and its lines."""

    columns: tuple[tuple[str, int], ...]
    lines: tuple[Line, ...]

    @property
    def csv(self) -> str:
        """The table as CSV."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        names = [f"{name} (n = {size})" for name, size in self.columns]
        writer.writerow(["variable", "level", "unit", "statistic", *names, "difference", "p", "test", "missing"])
        for line in self.lines:
            ends = [line.difference, line.p.removeprefix("p = ").removeprefix("p "), line.test, line.missing]
            writer.writerow([line.label, line.level, line.unit, line.statistic, *line.cells, *ends])
        return text.getvalue()


def table_one(cohort: PaperCohort) -> TableOne:
    """Return the table of the cohort's used studies; without groups it has one column of studies."""
    groups = cohort.groups
    columns = {_ALL: cohort.used, **groups}
    lines = [*_patient_lines(cohort, columns), *_measure_lines(columns), *_flag_lines(columns)]
    return TableOne(tuple((name, len(rows)) for name, rows in columns.items()), tuple(lines))


def _patient_lines(cohort: PaperCohort, columns: Mapping[str, Sequence[Row]]) -> Iterator[Line]:
    """Yield age, sex and their like, then the user's own columns."""
    fields = {field.name: field.type for field in TABLES["scans"]} | dict(cohort.own_columns)
    for name in (*_PATIENT, *cohort.own_columns):
        values = [row[name] for row in cohort.used if row.get(name) is not None]
        if name == cohort.by or not values or pa.types.is_nested(fields[name]):
            continue
        label, unit = _named(name)
        levels = sorted(set(values))
        counted = len(levels) <= _TRUTHS if pa.types.is_integer(fields[name]) else not _is_number(fields[name])
        if not counted:
            yield _number_line(name, label, unit, 1, columns, by_mean=name in _AGES or name in _PATIENT)
        elif len(levels) <= _MOST_LEVELS:
            yield from _level_lines(label, levels, columns, lambda row, name=name: row.get(name))


def _named(column: str) -> tuple[str, str]:
    """Return a column's label and unit; those of the user's own columns are in the name, if anywhere."""
    if column in TABLES["scans"].names:
        field = TABLES["scans"].field(column)
        label = _LABELS.get(column) or plain_column(field)
        return label.removeprefix("Patient ").capitalize(), unit_of(field)
    return column.replace("_", " "), ""


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_floating(kind) or pa.types.is_integer(kind)


def _measure_lines(columns: Mapping[str, Sequence[Row]]) -> Iterator[Line]:
    for name, label, digits, by_mean in _MEASURES:
        if name.endswith("_m2") and all(row.get(name) is None for row in columns[_ALL]):
            continue  # heights and weights are not known
        unit = _named(name)[1]
        yield _number_line(name, label, _OF_MYOCARDIUM if unit == "%" else unit, digits, columns, by_mean=by_mean)
    for label, column in (("With scar", "scar_ml"), ("With MVO", "mvo_ml")):
        yield _count_line(label, columns, lambda row, column=column: _is_positive(row.get(column)))


def _flag_lines(columns: Mapping[str, Sequence[Row]]) -> Iterator[Line]:
    yield _count_line("Flagged for a look", columns, lambda row: bool(doubts(row["flags"])))
    counts = Counter(code for row in columns[_ALL] for code in doubts(row["flags"]))
    for code in sorted(counts, key=lambda code: (-counts[code], code)):
        cells = [_count_text(sum(code in row["flags"] for row in rows), len(rows)) for rows in columns.values()]
        yield Line("Flagged for a look", code_text(code), "", "n (%)", tuple(cells))


def _is_positive(value: float | None) -> bool | None:
    return None if value is None else value > 0


def _number_line(
    name: str, label: str, unit: str, digits: int, columns: Mapping[str, Sequence[Row]], *, by_mean: bool
) -> Line:
    values = {
        column: [float(row[name]) for row in rows if row.get(name) is not None] for column, rows in columns.items()
    }
    shown = _mean_text if by_mean else _median_text
    groups = {column: numbers for column, numbers in values.items() if column != _ALL}
    tested = compare_values(groups, by_mean=by_mean)
    statistic = "mean (SD)" if by_mean else "median (quartiles)"
    cells = tuple(shown(numbers, digits) for numbers in values.values())
    missing = len(columns[_ALL]) - len(values[_ALL])
    return Line(label, "", unit, statistic, cells, *_test_cells(tested, digits + 1), missing=missing)


def _mean_text(values: Sequence[float], digits: int) -> str:
    if not values:
        return ""
    spread = f" ({statistics.stdev(values):.{digits}f})" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.{digits}f}{spread}"


def _median_text(values: Sequence[float], digits: int) -> str:
    if not values:
        return ""
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    lower, middle, upper = statistics.quantiles(values, n=4, method="inclusive")
    return f"{middle:.{digits}f} ({lower:.{digits}f} to {upper:.{digits}f})"


def _count_line(label: str, columns: Mapping[str, Sequence[Row]], holds: Callable[[Row], bool | None]) -> Line:
    answers = {name: [answer for row in rows if (answer := holds(row)) is not None] for name, rows in columns.items()}
    counts = [[answer.count(False), answer.count(True)] for name, answer in answers.items() if name != _ALL]
    tested = compare_counts(counts) if len(counts) > 1 else None
    cells = tuple(_count_text(answer.count(True), len(answer)) for answer in answers.values())
    missing = len(columns[_ALL]) - len(answers[_ALL])
    return Line(label, "", "", "n (%)", cells, *_test_cells(tested, 2), missing=missing)


def _level_lines(
    label: str, levels: Sequence[Any], columns: Mapping[str, Sequence[Row]], value_of: Callable[[Row], Any]
) -> Iterator[Line]:
    """Yield a line with the test, then one for each level."""
    found = {name: [value for row in rows if (value := value_of(row)) is not None] for name, rows in columns.items()}
    counts = [[values.count(level) for level in levels] for name, values in found.items() if name != _ALL]
    tested = compare_counts(counts) if len(counts) > 1 else None
    missing = len(columns[_ALL]) - len(found[_ALL])
    difference, p, test = _test_cells(tested, 2)
    if difference:
        test += f" of {levels[-1]}"
    yield Line(label, "", "", "", ("",) * len(columns), difference, p, test, missing)
    for level in levels:
        cells = tuple(_count_text(values.count(level), len(values)) for values in found.values())
        yield Line(label, str(level), "", "n (%)", cells)


def _count_text(count: int, of: int) -> str:
    return f"{count} ({100 * count / of:.0f} %)" if of else ""


def _test_cells(tested: Tested | None, digits: int) -> tuple[str, str, str]:
    """Return difference, P value and test of a line."""
    if tested is None:
        return "", "", ""
    effect = f"; {tested.effect}" if tested.effect else ""
    return interval_text(tested, digits=digits), p_text(tested.p), f"{tested.test}{effect}"
