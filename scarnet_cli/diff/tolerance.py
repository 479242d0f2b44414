"""How far a number may move between two runs before the move counts as a change."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from scarnet_cli.errors import InputError
from scarnet_cli.tables.schema import TABLES


@dataclass(frozen=True, slots=True)
class Tolerance:
    """A number may move by `absolute`, in its unit, or by `relative` percent of the larger value, whichever is more."""

    absolute: float = 0.0
    relative: float = 0.0

    def text(self, unit: str) -> str:
        """Return it in words, such as "1 ml or 2 %"; `unit` is that of the numbers, as a symbol."""
        points = "point" if self.absolute == 1 else "points"
        absolute = f"{self.absolute:g} {points if unit == '%' else unit}".rstrip()
        parts = [absolute] if self.absolute or not self.relative else []
        return " or ".join([*parts, *([f"{self.relative:g} %"] if self.relative else [])])


# Counts have no unit: a slice more is a change, ten remote pixels in a thousand are not.
COUNT: Final = "count"
DEFAULTS: Final[dict[str, Tolerance]] = {
    "percent": Tolerance(1.0),
    "ml": Tolerance(1.0, 2.0),
    "g": Tolerance(1.0, 2.0),
    "mm": Tolerance(relative=2.0),
    "mm2": Tolerance(relative=5.0),
    "ml/m2": Tolerance(0.5, 2.0),
    "g/m2": Tolerance(0.5, 2.0),
    **dict.fromkeys(("years", "cm", "kg", "m2", "T", "ms", "min"), Tolerance()),  # as headers say it
    "fraction": Tolerance(0.05),
    "bit": Tolerance(0.1),
    COUNT: Tolerance(relative=5.0),
    "": Tolerance(0.02),  # Dice
}


def unit_name(field: pa.Field) -> str:
    """Return the unit of a column of numbers, which `DEFAULTS` has a tolerance for."""
    return COUNT if pa.types.is_integer(field.type) else (field.metadata or {}).get(b"unit", b"").decode()


def is_number(field: pa.Field) -> bool:
    """Return whether a column holds numbers."""
    return pa.types.is_integer(field.type) or pa.types.is_floating(field.type)


def tolerances(given: Iterable[str] = ()) -> dict[str, Tolerance]:
    """Return column of scans -> tolerance.

    Args:
        given: What the user wants otherwise: "2" or "2%" for all columns, "ml=2%" for those of a unit,
            "scar_percent_lv=0.5" for one. A column's own goes before its unit's, and that before the one for all.

    Raises:
        InputError: One of these is none; the message says what is known.
    """
    wanted = dict(map(_parsed, given))
    return {
        field.name: wanted.get(field.name, wanted.get(unit_name(field), wanted.get(None, DEFAULTS[unit_name(field)])))
        for field in TABLES["scans"]
        if is_number(field)
    }


def _parsed(text: str) -> tuple[str | None, Tolerance]:
    """Return column, unit or None for all, and the tolerance."""
    name, equals, number = text.rpartition("=")
    columns = {field.name for field in TABLES["scans"] if is_number(field)}
    if equals and name not in columns | set(DEFAULTS) - {""}:
        units = ", ".join(filter(None, DEFAULTS))
        message = f"--tolerance {text!r} names neither a column of numbers of scans nor a unit ({units})."
        raise InputError("wrong_tolerance", message)
    try:
        value = float(number.removesuffix("%"))
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        message = f"--tolerance {text!r} is not a number of at least 0, alone or as NAME=NUMBER, with or without %."
        raise InputError("wrong_tolerance", message)
    return name or None, Tolerance(relative=value) if number.endswith("%") else Tolerance(value)


def beyond(old: str, new: str, tolerance: Tolerance) -> str:
    """Return the SQL condition that two numbers differ by more than the tolerance, or that one is undefined."""
    allowed = f"greatest({tolerance.absolute}, {tolerance.relative / 100} * greatest(abs({old}), abs({new})))"
    moved = f"({new} - {old})::DOUBLE"
    return f"({old} IS DISTINCT FROM {new} AND coalesce(NOT isfinite({moved}) OR abs({moved}) > {allowed}, true))"
