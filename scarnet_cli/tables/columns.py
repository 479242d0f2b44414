"""Declaration of columns: each is a field of a record, with its type, unit and meaning.

A record is a frozen dataclass of columns and of blocks of columns, which several tables may share. In its Arrow schema,
a block's columns take the position of the block.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Literal, TypeVar, Union, dataclass_transform, get_args, get_origin, get_type_hints

import pyarrow as pa

from scarnet_cli.errors import CohortError

Cell = str | int | float | bool | Sequence[str] | None
Record = TypeVar("Record")

_MEANING: Final = "meaning"
_UNIT: Final = "unit"
_NAMES: Final = "names"
_LABEL: Final = "label"
_REQUIRED: Final = "required"
_ARROW: Final = "arrow"
# The Arrow type of each Python type; a Literal of strings is a string.
_ARROW_TYPES: Final[dict[object, pa.DataType]] = {
    str: pa.string(),
    float: pa.float64(),
    int: pa.int32(),
    bool: pa.bool_(),
    tuple[str, ...]: pa.list_(pa.field("element", pa.string())),
}


@dataclass(frozen=True, slots=True)
class _Block:
    """A block of columns in a record: its type, whether it may be None, and the pattern of its columns' names."""

    kind: type
    optional: bool
    names: str


def column(
    meaning: str,
    unit: str = "",
    *,
    label: str = "",
    required: bool = False,
    default: object = MISSING,
    arrow: pa.DataType | None = None,
) -> Any:  # noqa: ANN401 (the annotation is the type, as with `dataclasses.field`)
    """Declare a column as a field of a record.

    The annotation is the column's type: str, float, int (32 bits), bool or tuple[str, ...]. With `| None` the pipeline
    may leave the column undefined, which is written as null and never as 0 or -1.

    Args:
        meaning: One sentence for `dictionary.csv`.
        unit: "mm", "ml", "g", "percent" (0-100), "fraction" (0-1), "bit" or empty; the field's name ends in it.
        label: Label in the report, if it differs from the name.
        required: Null is an error. A column added to a released table cannot be required, since older tables lack it.
        default: Default value of the field.
        arrow: Arrow type, if it differs from the annotation's.
    """
    return field(
        default=default, metadata={_MEANING: meaning, _UNIT: unit, _LABEL: label, _REQUIRED: required, _ARROW: arrow}
    )


def block(*, names: str = "{}", default: object = MISSING) -> Any:  # noqa: ANN401 (likewise)
    """Declare a block of columns as a field of a record; if the block is None, all its columns are null.

    Args:
        names: Pattern of the columns' names: `scar_5sd_percent` is `scar_5sd_percent_lv` in a block with "{}_lv".
        default: Default value of the field.
    """
    return field(default=default, metadata={_NAMES: names})


@dataclass_transform(frozen_default=True, field_specifiers=(column, block))
def record(kind: type[Record]) -> type[Record]:
    """Make a class a record: a frozen dataclass with slots whose fields are columns and blocks of columns."""
    return dataclass(frozen=True, slots=True)(kind)


@cache
def schema_of(kind: type) -> pa.Schema:
    """Return the Arrow schema of a record, with each column's unit and meaning in its field's metadata."""
    return pa.schema(list(_arrow_fields(kind, "{}")))


def labels_of(kind: type, names: str = "{}") -> dict[str, str]:
    """Return name, by a pattern -> label for the columns of a record or block that have a label."""
    labels: dict[str, str] = {}
    for member in fields(kind):
        inner = _members(kind)[member.name]
        if inner is not None:
            labels |= labels_of(inner.kind, names.format(inner.names))
        elif member.metadata[_LABEL]:
            labels[names.format(member.name)] = member.metadata[_LABEL]
    return labels


def cells_of(row: object, names: str = "{}") -> dict[str, Cell]:
    """Return name, by a pattern -> value for the columns of a record or block."""
    cells: dict[str, Cell] = {}
    for name, inner in _members(type(row)).items():
        value = getattr(row, name)
        if inner is None:
            cells[names.format(name)] = value
        elif value is None:
            cells |= dict.fromkeys(_names(inner.kind, names.format(inner.names)))
        else:
            cells |= cells_of(value, names.format(inner.names))
    return cells


def record_of(kind: type[Record], cells: Mapping[str, Cell]) -> Record:
    """Return a record from the values of its columns; a missing one becomes None, a list that may not be None empty.

    Raises:
        CohortError: A column is unknown, or a required one is missing.
    """
    columns = {column.name: column for column in schema_of(kind)}
    unknown = sorted(set(cells) - set(columns))
    if unknown:
        message = f"{kind.__name__} has no column {', '.join(unknown)}; declare it there."
        raise CohortError("unknown_column", message)
    missing = [name for name, column in columns.items() if not column.nullable and name not in cells]
    if missing:
        message = f"{kind.__name__} needs the column {', '.join(missing)}."
        raise CohortError("missing_column", message)
    return _filled(kind, cells, "{}")


def _filled(kind: type[Record], cells: Mapping[str, Cell], names: str) -> Record:
    values: dict[str, object] = {}
    for name, inner in _members(kind).items():
        if inner is None:
            value = cells.get(names.format(name))
            if value is None and name in _lists(kind):
                value = ()
            values[name] = tuple(value) if isinstance(value, list) else value
        else:
            inner_names = names.format(inner.names)
            is_null = inner.optional and all(cells.get(column) is None for column in _names(inner.kind, inner_names))
            values[name] = None if is_null else _filled(inner.kind, cells, inner_names)
    return kind(**values)


@cache
def _members(kind: type) -> dict[str, _Block | None]:
    """Return the fields of a record: name -> block, or None for a column."""
    types = get_type_hints(kind)
    return {
        member.name: _Block(*_without_none(types[member.name]), member.metadata[_NAMES])
        if _NAMES in member.metadata
        else None
        for member in fields(kind)
    }


@cache
def _lists(kind: type) -> frozenset[str]:
    """Return the names of a record's lists that may not be None."""
    return frozenset(name for name, annotation in get_type_hints(kind).items() if get_origin(annotation) is tuple)


@cache
def _names(kind: type, names: str) -> tuple[str, ...]:
    return tuple(column.name for column in _arrow_fields(kind, names))


def _arrow_fields(kind: type, names: str) -> Iterator[pa.Field]:
    types = get_type_hints(kind)
    for member in fields(kind):
        inner = _members(kind)[member.name]
        if inner is not None:
            yield from _arrow_fields(inner.kind, names.format(inner.names))
            continue
        metadata = {key: member.metadata[key] for key in (_UNIT, _MEANING)}
        arrow = member.metadata[_ARROW] or _arrow_type(_without_none(types[member.name])[0])
        yield pa.field(names.format(member.name), arrow, nullable=not member.metadata[_REQUIRED], metadata=metadata)


def _without_none(annotation: Any) -> tuple[Any, bool]:  # noqa: ANN401 (any annotation)
    """Return an annotation's type without None, and whether None is allowed."""
    if not isinstance(annotation, UnionType) and get_origin(annotation) is not Union:
        return annotation, False
    (kind,) = (part for part in get_args(annotation) if part is not NoneType)
    return kind, True


def _arrow_type(kind: object) -> pa.DataType:
    return _ARROW_TYPES[str if get_origin(kind) is Literal else kind]
