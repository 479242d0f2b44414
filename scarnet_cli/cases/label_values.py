"""Translation of the values and names in other people's label maps to `Label`."""

import re
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
    Label.MVO: ("mvo", "microvascular", "no reflow"),
    Label.SCAR: ("scar", "infarct", "enhance", "fibrosis"),
    Label.MYOCARDIUM: ("myocard",),
    Label.BLOOD_POOL: ("blood", "cavity"),
}
_TISSUES: Final = {Label.MYOCARDIUM, Label.SCAR, Label.MVO}  # each a part of the one before it
_LEFT_OUT: Final = re.compile(r"\b(?:without|excluding|minus)\b|w/o")
# Denied ("non-enhanced myocardium"), of another chamber or layer, or not quite the thing ("peri-infarct zone").
_OTHER: Final = re.compile(r"\b(?:non\w*|not?|un\w+|free|right|la|ra)\b|\b(?:rv|peri)|atri|border|gr[ae]y")
_JOINED: Final = re.compile(r"\b(?:and|with|plus|incl\w*)\b|[+&/,]")


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
    words = _LEFT_OUT.split(name.lower().replace("_", " ").replace("-", " "))[0]
    said = [label for label, known in _WORDS.items() if any(word in words for word in known)]
    several = len(said) > 1 and (_JOINED.search(words) or not _TISSUES.issuperset(said))
    unclear = several or _OTHER.search(words.replace("no reflow", ""))
    return said[0] if said and not unclear else None


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
