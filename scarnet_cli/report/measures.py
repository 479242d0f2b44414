"""What the columns of scans are called in the report, and how their numbers are written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from scarnet_cli.draw.words import number_text, plain_column, unit_of
from scarnet_cli.tables.schema import TABLES

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """One number of a study: its label, its text, its unit, and its value (None: undefined)."""

    label: str
    text: str
    unit: str
    value: float | None


# Column, short label, digits after the point: the index's table after the study's id.
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
METHODS: Final = {
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
GROUPS: Final = {"Volume and mass": _VOLUMES, "Transmurality": _TRANSMURALITY, "Shape and quality": _SHAPE}
# Our column, the reference's, label: what is compared where a reference was given.
COMPARED: Final = (
    ("scar_percent_lv", "reference_scar_percent_lv", "Scar"),
    ("scar_ml", "reference_scar_ml", "Scar"),
    ("myocardium_ml", "reference_myocardium_ml", "Myocardium"),
)
OVERLAPS: Final = {
    "myocardium_dice": "Myocardium, Dice",
    "scar_dice": "Scar, Dice",
    "myocardium_hd95_mm": "Myocardium, HD95",
    "scar_hd95_mm": "Scar, HD95",
}
_STACK: Final = ("slices", "spacing_mm", "slice_spacing_mm")


def unit_text(column: str) -> str:
    """Return the unit of a column of scans as people write it."""
    return unit_of(TABLES["scans"].field(column))


def shown(row: Row, column: str, label: str, digits: int | None = None) -> Shown:
    """Return a row's number; without digits, a count has none after the point and any other number one."""
    value = row.get(column)
    if digits is None:
        digits = 0 if isinstance(value, int) else 2 if unit_text(column) == "" else 1
    return Shown(label, number_text(value, digits), unit_text(column), value)


def other_columns(row: Row) -> dict[str, str]:
    """Return the defined numbers that no heading names, with labels, so that a column added later is shown at once."""
    named = {
        *METHODS,
        *(name for group in GROUPS.values() for name in group),
        *(name for ours, reference, _ in COMPARED for name in (ours, reference)),
        *OVERLAPS,
        *_STACK,
    }
    columns: dict[str, str] = {}
    for field in TABLES["scans"]:
        is_number = pa.types.is_floating(field.type) or pa.types.is_integer(field.type)
        if is_number and field.name not in named and row.get(field.name) is not None:
            columns[field.name] = plain_column(field)
    return columns
