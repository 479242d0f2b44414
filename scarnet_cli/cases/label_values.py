"""Translation of the values and names in other people's label maps to `Label`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.errors import GeometryError
from scarnet_cli.image.labels import Label, whole_values
from scarnet_cli.sheet import SheetKind, read_sheet

VALUE_SHEET: Final = SheetKind("label table", ("value", "label"))

_MOST_SHOWN: Final = 8
LabelValues = Mapping[int, Label]
# Words in the names of segments, the most specific first: a "myocardial scar" is scar.
_WORDS: Final[dict[Label, tuple[str, ...]]] = {
    Label.MVO: ("mvo", "microvascular", "no-reflow", "no reflow"),
    Label.SCAR: ("scar", "infarct", "enhance", "fibrosis"),
    Label.MYOCARDIUM: ("myocard",),
    Label.BLOOD_POOL: ("blood", "cavity"),
}


def read_label_values(path: Path) -> LabelValues:
    """Read a CSV table with the columns `value,label`, which says what each value of other people's label maps means.

    Labels are named as in `Label`, in lower case; several values may have the same one. 0 is background unless the
    table says otherwise.

    Raises:
        InputError: The table or some of its rows are wrong; the message names them all.
    """
    return {0: Label.BACKGROUND} | dict(read_sheet(path, VALUE_SHEET, _value_and_label))


def to_labels(array: NDArray[np.number], values: LabelValues | None, whose: str) -> NDArray[np.uint8]:
    """Return an array of the same shape with each value translated to `Label`.

    Args:
        array: Whole numbers, as integers or floats (but for rounding), in any shape.
        values: What they mean; None if they are those of `Label` already.
        whose: Name of the case or study, for the message.

    Raises:
        GeometryError: A value is not in the table.
    """
    meaning = values or {int(label): label for label in Label}
    array = whole_values(array)
    unknown = sorted(set(np.unique(array).tolist()) - set(meaning))
    if unknown:
        listed = ", ".join(map(str, unknown[:_MOST_SHOWN])) + (", ..." if len(unknown) > _MOST_SHOWN else "")
        message = f"{whose}: label values [{listed}] are not among {sorted(meaning)}"
        message += "; say what they mean in a table (--label-values)."
        raise GeometryError("unknown_label", message)
    labels = np.zeros(array.shape, np.uint8)
    for value, label in meaning.items():
        labels[array == value] = label
    return labels


def label_named(name: str) -> Label | None:
    """Return the label that a segment's name means, such as "Scar" or "Myocardium without scar"; None if unclear."""
    words = name.lower().replace("_", " ").partition(" without ")[0]
    return next((label for label, known in _WORDS.items() if any(word in words for word in known)), None)


def _value_and_label(cells: dict[str, str]) -> tuple[int, Label]:
    problems: list[str] = []
    known = [label.name.lower() for label in Label]
    if not cells["value"].removeprefix("-").isdecimal():
        problems.append(f"value '{cells['value']}' is not a whole number")
    if cells["label"] not in known:
        problems.append(f"label '{cells['label']}' is none of {', '.join(known)}")
    if problems:
        raise ValueError("; ".join(problems))
    return int(cells["value"]), Label[cells["label"].upper()]
