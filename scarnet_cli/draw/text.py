"""Text for readers: codes as phrases, and formatted numbers."""

from typing import Final

import pyarrow as pa

from scarnet_cli.tables.flags import FLAGS

_CAPITALS: Final = frozenset({"lge", "rv", "lv", "mvo", "mr", "dicom", "nifti", "uid"})

SEGMENT_NAMES: Final = (
    "basal anterior",
    "basal anteroseptal",
    "basal inferoseptal",
    "basal inferior",
    "basal inferolateral",
    "basal anterolateral",
    "mid anterior",
    "mid anteroseptal",
    "mid inferoseptal",
    "mid inferior",
    "mid inferolateral",
    "mid anterolateral",
    "apical anterior",
    "apical septal",
    "apical inferior",
    "apical lateral",
    "apex",
)
_UNITS: Final[dict[str, str]] = {
    "percent": "%",
    "fraction": "",
    "mm2": "mm²",
    "cm2": "cm²",
    "m2": "m²",
    "ml/m2": "ml/m²",
    "g/m2": "g/m²",
}
_STAGES: Final = {
    "index": "while searching the input",
    "fetch": "while fetching it",
    "convert": "while reading its images",
    "crop": "while locating the heart",
    "segment": "while labelling it",
    "quantify": "while measuring it",
}
UNDEFINED: Final = "\N{EN DASH}"


def code_text(code: str) -> str:
    """Return a flag's phrase, or another code with spaces for underscores, with a capital first letter."""
    text = FLAGS[code].phrase if code in FLAGS else _spelt(code)
    return text[:1].upper() + text[1:]


def number_text(value: float | None, digits: int = 1) -> str:
    """Return a number with fixed decimals: None as a dash, and a value that would round to zero as "<0.1"."""
    if value is None:
        return UNDEFINED
    least = 10.0**-digits
    if 0 < value < least / 2:
        return f"<{least:.{digits}f}"
    return f"{value:.{digits}f}"


def signed_text(value: float | None, digits: int = 1) -> str:
    """Return a difference with its sign: None as a dash, and a value that rounds to zero as +0.0, never -0.0."""
    return UNDEFINED if value is None else f"{round(value, digits) + 0.0:+.{digits}f}"


def stage_text(stage: str) -> str:
    """Return what a stage does, to follow what went wrong: "while locating the heart"."""
    return _STAGES.get(stage, stage)


def count_text(count: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun: "1 study", "3 studies"."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def unit_of(field: pa.Field) -> str:
    """Return a column's unit as a symbol, or an empty string if it has none."""
    unit = _unit(field)
    return _UNITS.get(unit, unit)


def plain_column(field: pa.Field) -> str:
    """Return a column's name as a heading, without its unit: `scar_percent` is "Scar"."""
    text = _spelt(field.name.removesuffix("_lv").removesuffix(f"_{_unit(field).replace('/', '_').lower()}"))
    return text[:1].upper() + text[1:]


def _spelt(code: str) -> str:
    return " ".join(word.upper() if word in _CAPITALS else word for word in code.split("_"))


def _unit(field: pa.Field) -> str:
    metadata: dict[bytes, bytes] = field.metadata or {}
    return metadata.get(b"unit", b"").decode()
