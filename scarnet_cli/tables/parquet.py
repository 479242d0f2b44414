"""Writing and reading the cohort's tables as Parquet: atomic, sorted, with the same schema when empty."""

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from numbers import Real
from pathlib import Path
from typing import Final, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from scarnet_cli import __version__
from scarnet_cli.errors import CohortError
from scarnet_cli.files import atomic_path
from scarnet_cli.tables.arrow import keep_pandas_out
from scarnet_cli.tables.columns import Cell, cells_of, record_of
from scarnet_cli.tables.schema import NAMES, SCHEMA_VERSION, SORT_KEYS, TABLES
from scarnet_cli.tables.user_columns import names_of_users, schema_like

keep_pandas_out()

Record = TypeVar("Record")

# Keys of the Parquet metadata in every table.
PIPELINE_VERSION: Final = "pipeline_version"
VERSION_KEY: Final = "schema_version"
MODEL_DIGEST: Final = "model_sha256"
CREATION_TIME: Final = "creation_time"
TABLE_NAME: Final = "table"
# Rows that are read and written at a time; tables in such row groups can be gathered in little memory.
ROW_GROUP: Final = 32_768


def write_table(kind: type[Record], rows: Iterable[Record], path: Path, metadata: Mapping[str, str]) -> None:
    """Write rows as one table, atomically.

    Args:
        kind: The table's record.
        rows: Its rows; a number that is not finite is written as null.
        path: Parquet file to write.
        metadata: The file's metadata, usually `model_sha256`; the versions and the time are added.

    Raises:
        CohortError: A value has the wrong type, or is None in a required column.
    """
    write_arrow(NAMES[kind], to_arrow(kind, rows), path, metadata)


def write_arrow(name: str, table: pa.Table, path: Path, metadata: Mapping[str, str]) -> None:
    """Sort an Arrow table with the schema of `name` and write it atomically; see `write_table`."""
    ordered = table.sort_by([(column, "ascending") for column in sort_columns(name)])
    content = ordered.replace_schema_metadata(file_metadata(name, metadata))
    with atomic_path(path) as temporary:
        pq.write_table(content, temporary, row_group_size=ROW_GROUP, compression="zstd")


def write_parts(
    name: str, schema: pa.Schema, rows: Iterable[pa.Table], path: Path, metadata: Mapping[str, str]
) -> None:
    """Write sorted rows, which come in parts with this schema, as the table `name`; atomically, in little memory."""
    schema = schema.with_metadata(file_metadata(name, metadata))
    with atomic_path(path) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for group in _row_groups(rows):
            writer.write_table(group.replace_schema_metadata(schema.metadata))


def _row_groups(parts: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield the rows in row groups of one size, so that the result does not depend on the parts."""
    waiting: list[pa.Table] = []
    for part in parts:
        joined = pa.concat_tables([*waiting, part])
        while joined.num_rows >= ROW_GROUP:
            yield joined.slice(0, ROW_GROUP).combine_chunks()
            joined = joined.slice(ROW_GROUP)
        waiting = [joined]
    yield from (rest.combine_chunks() for rest in waiting if rest.num_rows)


def to_arrow(kind: type[Record], rows: Iterable[Record]) -> pa.Table:
    """Return rows as an Arrow table, unsorted; see `write_table` for the errors."""
    name = NAMES[kind]
    schema = TABLES[name]
    cells = [{field.name: _cell(name, field, row[field.name]) for field in schema} for row in map(cells_of, rows)]
    try:
        table = pa.Table.from_pylist(cells, schema=schema)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        message = f"Table {name}: a value has another type than its column ({error})."
        raise CohortError("wrong_type", message) from error
    for field in schema:
        if not field.nullable and table[field.name].null_count:
            message = f"Table {name}: column {field.name} has {table[field.name].null_count} nulls and may have none."
            raise CohortError("missing_value", message)
    return table


def sort_columns(name: str) -> list[str]:
    """Return the columns that a table is sorted by: its keys, then all others that can be compared."""
    keys = SORT_KEYS[name]
    others = [f.name for f in TABLES[name] if f.name not in keys and not pa.types.is_nested(f.type)]
    return [*keys, *others]


def file_metadata(name: str, metadata: Mapping[str, str]) -> dict[str, str]:
    """Return a table's Parquet metadata: the versions, an empty model digest and the time, updated by `metadata`."""
    return {
        TABLE_NAME: name,
        PIPELINE_VERSION: __version__,
        VERSION_KEY: SCHEMA_VERSION,
        MODEL_DIGEST: "",
        CREATION_TIME: _now(),
        **metadata,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def read_table(path: Path) -> pa.Table:
    """Read a table with its metadata (`table_metadata` decodes it).

    A table of `TABLES` is returned in the schema of this release, with the user's own columns last: columns added since
    it was written are null.

    Raises:
        CohortError: The file is missing or is not Parquet.
    """
    with open_table(path) as file:  # pq.read_table would turn folders named like "batch=3" into columns
        table = file.read()
    metadata = table_metadata(table)
    if metadata.get(VERSION_KEY) != SCHEMA_VERSION or metadata.get(TABLE_NAME) not in TABLES:
        return table
    wanted = schema_like(metadata[TABLE_NAME], table.schema)
    return with_columns(table, wanted).replace_schema_metadata(table.schema.metadata)


def read_rows(kind: type[Record], path: Path) -> list[Record]:
    """Read a table as records, without the user's own columns; columns added since it was written are None.

    Raises:
        CohortError: The file is missing, is not Parquet, or does not have the record's columns.
    """
    table = read_table(path)
    return [record_of(kind, cells) for cells in table.drop_columns(names_of_users(table.schema)).to_pylist()]


def open_table(path: Path) -> pq.ParquetFile:
    """Open a table for reading it in parts.

    Raises:
        CohortError: The file is missing or is not Parquet.
    """
    try:
        return pq.ParquetFile(path)
    except FileNotFoundError as error:
        message = f"Table {path.name} is missing; run the stage that makes it again."
        raise CohortError("missing_table", message) from error
    except pa.ArrowInvalid as error:
        message = f"Table {path.name} is not a Parquet file; run the stage that makes it again."
        raise CohortError("unreadable_table", message) from error


def with_columns(table: pa.Table, wanted: pa.Schema) -> pa.Table:
    """Return the wanted columns of a table with the wanted types; missing ones are null.

    Raises:
        pa.ArrowInvalid, pa.ArrowNotImplementedError: A value does not fit its column's type.
        ValueError: A required column holds a null.
    """
    present = set(table.schema.names)
    columns = [table[f.name] if f.name in present else pa.nulls(table.num_rows, f.type) for f in wanted]
    return pa.table(columns, names=wanted.names).cast(wanted)


def table_metadata(table: pa.Table) -> dict[str, str]:
    """Return the decoded metadata of a table: versions, model digest, creation time."""
    metadata = table.schema.metadata or {}
    return {key.decode(): value.decode() for key, value in metadata.items() if key != b"pandas"}


def _cell(name: str, field: pa.Field, value: Cell) -> Cell:
    if not isinstance(value, Real):
        return value
    if not math.isfinite(value):
        return None
    if pa.types.is_integer(field.type) and value != math.floor(value):  # Arrow would truncate it silently
        message = f"Table {name}, column {field.name}: {value} is not a whole number; change its record."
        raise CohortError("wrong_type", message)
    return value
