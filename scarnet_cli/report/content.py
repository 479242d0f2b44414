"""What the page says: the cohort's tables turned into words and numbers, ready for the template."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from markupsafe import Markup

from scarnet_cli.cohort.flags import is_finding
from scarnet_cli.cohort.schema import TABLES
from scarnet_cli.cohort.tables import CREATION_TIME, MODEL_DIGEST, PIPELINE_VERSION, read_table, table_metadata
from scarnet_cli.report.svg import Histogram, draw_bullseye
from scarnet_cli.report.words import code_words, count_text, number_text

Row = Mapping[str, Any]
_SEGMENTS: Final = 17
_LEAST_FOR_QUARTILES: Final = 5


@dataclass(frozen=True, slots=True)
class Shown:
    """One number of a study: its label, its text, its unit, and the value that sorting uses (None: undefined)."""

    label: str
    text: str
    unit: str
    value: float | None


@dataclass(frozen=True, slots=True)
class Study:
    """One measured study as the page shows it.

    Attributes:
        study_id: The study.
        picture: Address of its picture relative to the page; None without one.
        cells: Numbers of its row in the table, in the order of `TABLE_COLUMNS`.
        methods: Scar percent by every method.
        groups: All other numbers under their headings.
        doubts: Flags that ask for a look, in words.
        findings: Flags that do not.
        bullseye: Scar by segment; empty without segments.
        origin: Manufacturer, stack and model in one line.
    """

    study_id: str
    picture: str | None
    cells: tuple[Shown, ...]
    methods: tuple[Shown, ...]
    groups: tuple[tuple[str, tuple[Shown, ...]], ...]
    doubts: tuple[str, ...]
    findings: tuple[str, ...]
    bullseye: Markup
    origin: str

    @property
    def flags(self) -> tuple[str, ...]:
        """All its flags in words."""
        return self.doubts + self.findings

    @property
    def kinds(self) -> str:
        """Words that the page's filter looks for."""
        numbers = {cell.label: cell.value or 0.0 for cell in self.cells}
        found = {"flagged": bool(self.doubts), "scar": numbers["Scar"] > 0, "mvo": numbers["MVO"] > 0}
        return " ".join(kind for kind, holds in found.items() if holds)


@dataclass(frozen=True, slots=True)
class Content:
    """Everything on the page.

    Attributes:
        studies: Measured studies, sorted by id.
        failures: Rows of the failures table.
        reasons: Stage, code and number of failed studies, the most frequent first.
        histograms: Distributions over the measured studies.
        model: Names of the models; empty without any.
        model_sha256: Digests of their weights.
        version: The pipeline's version.
        created: When the tables were made.
    """

    studies: tuple[Study, ...]
    failures: tuple[Row, ...]
    reasons: tuple[tuple[str, str, int], ...]
    histograms: tuple[Histogram, ...]
    model: str
    model_sha256: tuple[str, ...]
    version: str
    created: str

    @property
    def flagged(self) -> int:
        """Number of measured studies with a flag that asks for a look."""
        return sum(bool(study.doubts) for study in self.studies)

    @property
    def found(self) -> int:
        """Number of studies that INDEX saw."""
        return len(self.studies) + len(self.failures)


# Column, short label, digits after the point: the table's columns after the study's id.
TABLE_COLUMNS: Final = (
    ("scar_percent_lv", "Scar", 1),
    ("scar_5sd_percent_lv", "5 SD", 1),
    ("scar_fwhm_percent_lv", "FWHM", 1),
    ("mvo_percent_lv", "MVO", 1),
    ("transmurality_mean", "Transmurality", 0),
    ("myocardium_g", "Myocardium", 0),
    ("blood_pool_ml", "Blood pool", 0),
    ("confidence", "Confidence", 2),
)
_METHODS: Final = {
    "scar_percent_lv": "Network",
    **{f"scar_{n}sd_percent_lv": f"{n} SD" for n in range(2, 7)},
    "scar_fwhm_percent_lv": "FWHM",
    "core_percent_lv": "Core",
    "border_percent_lv": "Border zone",
}
_VOLUMES: Final = {
    "blood_pool_ml": "Blood pool",
    "myocardium_ml": "Myocardium",
    "myocardium_g": "Myocardium",
    "scar_ml": "Scar",
    "scar_g": "Scar",
    "mvo_ml": "MVO",
    "mvo_percent_lv": "MVO",
}
_TRANSMURALITY: Final = {
    "transmurality_mean": "Mean where there is scar",
    "chords_0_percent": "Wall without scar",
    "chords_1_25_percent": "1 to 25 % scar",
    "chords_26_50_percent": "26 to 50 % scar",
    "chords_51_75_percent": "51 to 75 % scar",
    "chords_76_100_percent": "76 to 100 % scar",
    "endocardial_extent_percent": "Endocardium with scar",
}
_SHAPE: Final = {
    "scar_components": "Pieces of scar",
    "largest_scar_ml": "Largest piece",
    "wall_thickness_mm": "Wall thickness",
    "remote_pixels": "Remote pixels",
    "confidence": "Confidence",
}
_GROUPS: Final = {"Volume and mass": _VOLUMES, "Transmurality": _TRANSMURALITY, "Shape and quality": _SHAPE}
# Column, title, unit. Where many studies have none at all, these are counted and the drawing shows the others.
_HISTOGRAMS: Final = (
    ("scar_percent_lv", "Scar", "% of the myocardium"),
    ("myocardium_g", "Myocardium mass", "g"),
    ("mvo_percent_lv", "Microvascular obstruction", "% of the myocardium"),
)
_UNITS: Final[dict[str, str]] = {"percent": "%", "fraction": "", "mm2": "mm²"}


def read_content(tables: Path, pictures: Mapping[str, str]) -> Content:
    """Read the cohort's tables.

    Args:
        tables: Directory that `scarnet gather` wrote.
        pictures: Address of each study's picture, relative to the page.

    Raises:
        CohortError: A table is missing or unreadable.
    """
    scans = read_table(tables / "scans.parquet")
    failures = read_table(tables / "failures.parquet").to_pylist()
    bullseyes = _bullseyes(read_table(tables / "segments.parquet"))
    rows = scans.to_pylist()
    metadata = table_metadata(scans)
    reasons = Counter((row["stage"], row["code"]) for row in failures)
    return Content(
        studies=tuple(_study(row, pictures, bullseyes) for row in rows),
        failures=tuple(failures),
        reasons=tuple((stage, code, count) for (stage, code), count in reasons.most_common()),
        histograms=tuple(_histogram(rows, *histogram) for histogram in _HISTOGRAMS),
        model=", ".join(sorted({row["model"] for row in rows if row["model"]})),
        model_sha256=tuple(filter(None, metadata.get(MODEL_DIGEST, "").split(","))),
        version=metadata.get(PIPELINE_VERSION, ""),
        created=metadata.get(CREATION_TIME, ""),
    )


def unit_text(column: str) -> str:
    """Return the unit of a column of scans as people write it."""
    unit: str = TABLES["scans"].field(column).metadata[b"unit"].decode()
    return _UNITS.get(unit, unit)


def _study(row: Row, pictures: Mapping[str, str], bullseyes: Mapping[str, Markup]) -> Study:
    study_id = row["study_id"]
    groups = (*_GROUPS.items(), ("Other measures", _others(row)))
    return Study(
        study_id=study_id,
        picture=pictures.get(study_id),
        cells=tuple(_shown(row, column, label, digits) for column, label, digits in TABLE_COLUMNS),
        methods=tuple(_shown(row, column, label) for column, label in _METHODS.items()),
        groups=tuple((title, _group(row, columns)) for title, columns in groups if columns),
        doubts=tuple(code_words(flag) for flag in row["flags"] if not is_finding(flag)),
        findings=tuple(code_words(flag) for flag in row["flags"] if is_finding(flag)),
        bullseye=bullseyes.get(study_id, Markup("")),
        origin=_origin(row),
    )


def _shown(row: Row, column: str, label: str, digits: int | None = None) -> Shown:
    value = row[column]
    if digits is None:
        digits = 0 if isinstance(value, int) else 2 if column == "confidence" else 1
    return Shown(label, number_text(value, digits), unit_text(column), value)


def _group(row: Row, columns: Mapping[str, str]) -> tuple[Shown, ...]:
    return tuple(_shown(row, column, label) for column, label in columns.items())


def _others(row: Row) -> dict[str, str]:
    """Return the defined numbers that no heading names, so that a column added later is on the page at once."""
    named = {
        *_METHODS,
        *(name for group in _GROUPS.values() for name in group),
        "slices",
        "spacing_mm",
        "slice_spacing_mm",
    }
    columns: dict[str, str] = {}
    for field in TABLES["scans"]:
        is_number = pa.types.is_floating(field.type) or pa.types.is_integer(field.type)
        if is_number and field.name not in named and row[field.name] is not None:
            unit = field.metadata[b"unit"].decode()
            columns[field.name] = field.name.removesuffix("_lv").removesuffix(f"_{unit}").replace("_", " ")
    return columns


def _origin(row: Row) -> str:
    spacing, distance = number_text(row["spacing_mm"], 2), number_text(row["slice_spacing_mm"], 1)
    stack = f"{count_text(row['slices'], 'slice')}, {spacing} mm in plane, {distance} mm apart" if row["slices"] else ""
    return " · ".join(filter(None, [row["manufacturer"], stack]))


def _bullseyes(segments: pa.Table) -> dict[str, Markup]:
    by_study: dict[str, list[float | None]] = {}
    columns = [segments[name].to_pylist() for name in ("study_id", "segment", "scar_percent")]
    for study_id, segment, percent in zip(*columns, strict=True):
        by_study.setdefault(study_id, [None] * _SEGMENTS)[segment - 1] = percent
    return {study_id: draw_bullseye(percents) for study_id, percents in by_study.items()}


def _histogram(rows: Sequence[Row], column: str, title: str, unit: str) -> Histogram:
    defined = [row[column] for row in rows if row[column] is not None]
    values = tuple(value for value in defined if value > 0)
    parts = [f"None in {len(defined) - len(values)} of {len(defined)}."] if len(values) < len(defined) else []
    if values:
        middle = f"edian {statistics.median(values):.1f} {unit.split(maxsplit=1)[0]}"
        parts.append(f"In the others m{middle}" if parts else f"M{middle}")
    if len(values) >= _LEAST_FOR_QUARTILES:
        lower, _, upper = statistics.quantiles(values, n=4, method="inclusive")
        parts[-1] += f", quartiles {lower:.1f} to {upper:.1f}"
    if len(defined) < len(rows):
        parts.append(f"Undefined in {len(rows) - len(defined)}")
    return Histogram(title, unit, values, " ".join(part.rstrip(".") + "." for part in parts))
