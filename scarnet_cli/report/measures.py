"""The labels of the columns of scans in the report, and the format of their numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import pyarrow as pa
from markupsafe import Markup, escape

from scarnet_cli.draw.text import number_text, plain_column, unit_of
from scarnet_cli.tables.columns import labels_of, schema_of
from scarnet_cli.tables.measures import ThresholdMeasures, WallMeasures
from scarnet_cli.tables.scans import (
    LABELLED_BY,
    AcquisitionFacts,
    IndexedMeasures,
    IntervalMeasures,
    NetworkMeasures,
    PatientFacts,
    ReferenceMeasures,
    ScanRow,
)
from scarnet_cli.tables.schema import TABLES

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ShownMeasure:
    """One number of a study: its label and meaning, text, unit and value (None: undefined), ends of its interval."""

    label: str
    meaning: str
    text: str
    unit: str
    value: float | None
    low: float | None = None
    high: float | None = None

    @property
    def interval(self) -> str:
        """The interval's text; empty without one."""
        return "" if self.low is None else f"{number_text(self.low)} to {number_text(self.high)}"


# Column, short label, decimals: the columns of the index's table after the study's id.
TABLE_COLUMNS: Final = (
    ("scar_percent_lv", "Scar", 1),
    ("scar_5sd_percent_lv", "5 SD", 1),
    ("scar_fwhm_percent_lv", "FWHM", 1),
    ("mvo_percent_lv", "MVO", 1),
    ("transmurality_mean", "Transmurality", 0),
    ("myocardium_g", "Mass", 0),
    ("blood_pool_ml", "Blood pool", 0),
    ("confidence", "Confidence", 2),
)
# Labels of a study that a samplesheet may give.
LABELS: Final = {"patient": "Patient", "visit": "Visit", "group": "Group", "site": "Site"}
_LABELS: Final = labels_of(ScanRow)


def _labelled(*columns: str) -> dict[str, str]:
    """Return columns of scans with their labels; the default label is the column's name."""
    return {name: _LABELS.get(name) or plain_column(TABLES["scans"].field(name)) for name in columns}


METHODS: Final = {"scar_percent_lv": "Label map", **labels_of(ThresholdMeasures, "{}_lv")}
GROUPS: Final = {
    "Volume and mass": _labelled(
        "blood_pool_ml", "myocardium_ml", "myocardium_g", "scar_ml", "scar_g", "mvo_ml", "mvo_percent_lv"
    ),
    "Transmurality": _labelled("transmurality_mean") | labels_of(WallMeasures),
    "Shape and quality": _labelled(
        "scar_components",
        "largest_scar_ml",
        "wall_thickness_mm",
        "remote_pixels",
        "scar_probability",
        "confidence",
    ),
}
# Shown where they are known.
INDEXED: Final = labels_of(IndexedMeasures)
HEADER: Final = _labelled(
    *(
        field.name
        for kind in (PatientFacts, AcquisitionFacts)
        for field in schema_of(kind)
        if pa.types.is_floating(field.type)
    )
)
HEADER_TEXTS: Final = {
    "study_date": "Date",
    "patient_sex": "Sex",
    "sequence_name": "Sequence",
    "contrast_agent": "Contrast",
}
# Shown where a label map from elsewhere was measured.
NETWORK: Final = labels_of(NetworkMeasures)
# Our column, the reference's column, label: the measures that are compared with a reference.
COMPARED: Final = (
    ("scar_percent_lv", "reference_scar_percent_lv", "Scar"),
    ("scar_ml", "reference_scar_ml", "Scar"),
    ("myocardium_ml", "reference_myocardium_ml", "Myocardium"),
)
OVERLAPS: Final = labels_of(ReferenceMeasures)
# Numbers of the stack, and of the model's thresholds, which are the same in every study.
_STACK: Final = ("slices", "spacing_mm", "slice_spacing_mm")
_DECISION: Final = tuple(name for name in LABELLED_BY if name.startswith("decision_"))


def unit_text(column: str) -> str:
    """Return the unit of a column of scans as a symbol."""
    return unit_of(TABLES["scans"].field(column))


@cache
def meaning_text(column: str) -> Markup:
    """Return what a column of scans means and its name, escaped once for all studies."""
    metadata: dict[bytes, bytes] = TABLES["scans"].field(column).metadata or {}
    return escape(f"{metadata[b'meaning'].decode()} Column {column}.")


def shown(row: Row, column: str, label: str, digits: int | None = None) -> ShownMeasure:
    """Return a row's number; by default a count has no decimals, a number without unit two and any other one."""
    value = row.get(column)
    if digits is None:
        digits = 0 if isinstance(value, int) else 2 if unit_text(column) == "" else 1
    low, high = (row.get(f"{column}_{end}") for end in ("low", "high"))
    return ShownMeasure(label, meaning_text(column), number_text(value, digits), unit_text(column), value, low, high)


def other_columns(row: Row) -> dict[str, str]:
    """Return labels of the defined numbers that no heading names, so that the report shows new columns at once."""
    named = {
        *METHODS,
        *(name for group in GROUPS.values() for name in group),
        *(name for ours, reference, _ in COMPARED for name in (ours, reference)),
        *OVERLAPS,
        *NETWORK,
        *INDEXED,
        *HEADER,
        *schema_of(IntervalMeasures).names,
        *_STACK,
        *_DECISION,
    }
    columns: dict[str, str] = {}
    for field in TABLES["scans"]:
        is_number = pa.types.is_floating(field.type) or pa.types.is_integer(field.type)
        if is_number and field.name not in named and row.get(field.name) is not None:
            columns[field.name] = plain_column(field)
    return columns
