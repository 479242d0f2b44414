"""The gathered tables that a run left: found in its folder, and read from Parquet or from CSV."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from scarnet_cli.errors import CohortError
from scarnet_cli.files import read_json
from scarnet_cli.tables.parquet import VERSION_KEY, open_table, table_metadata, with_columns
from scarnet_cli.tables.schema import SCHEMA_VERSION, TABLES


@dataclass(frozen=True, slots=True)
class RunTable:
    """A table of a run.

    Attributes:
        rows: The columns of this release's schema, null where the run lacks one, then the run's other columns.
        own: Names of the columns that the run itself has.
        metadata: Versions, model digests and time; empty for CSV.
    """

    rows: pa.Table
    own: frozenset[str]
    metadata: Mapping[str, str]


def find_tables(folder: Path, name: str) -> Path:
    """Return the directory of a run's tables: `folder`/tables, or `folder` itself.

    Raises:
        CohortError: Neither holds a table of scans; the message calls the run `name`.
    """
    tables = next((place for place in (folder / "tables", folder) if _path(place, "scans")), None)
    if tables is None:
        message = f"{name} holds no scans.parquet or scans.csv; name a run's output directory or its tables."
        raise CohortError("missing_table", message)
    return tables


def read_run_table(tables: Path, table: str, name: str) -> RunTable:
    """Read a table, from CSV where there is no Parquet; one that is not there has no rows.

    Args:
        tables: Directory of the tables.
        table: Name of a gathered table.
        name: What messages call the run.

    Raises:
        CohortError: The table is unreadable, or of another schema.
    """
    schema = TABLES[table]
    path = _path(tables, table)
    if path is None:
        return RunTable(schema.empty_table(), frozenset(schema.names), {})
    try:
        if path.suffix == ".csv":
            found = _read_csv(path, schema)
        else:
            with open_table(path) as file:
                found = file.read()
        metadata = table_metadata(found)
        if (version := metadata.get(VERSION_KEY, SCHEMA_VERSION)) != SCHEMA_VERSION:
            message = f"Table {table} of {name} has schema version {version}; this release reads {SCHEMA_VERSION}."
            raise CohortError("wrong_schema", message)
        rows = with_columns(found, schema)
    except (pa.ArrowException, ValueError, OSError) as error:
        message = f"Table {table} of {name} cannot be read as this release writes it ({type(error).__name__}: {error})."
        raise CohortError("unreadable_table", message) from error
    for field in found.schema:
        if field.name not in schema.names:
            rows = rows.append_column(field, found[field.name])
    return RunTable(rows.replace_schema_metadata(None), frozenset(found.schema.names), metadata)


def read_run_record(tables: Path, file: str) -> dict[str, Any]:
    """Return a JSON file of a run, which lies beside its tables or in pipeline_info; empty where there is none."""
    for path in (tables / file, tables.parent / "pipeline_info" / file):
        try:
            found = read_json(path)
        except (OSError, ValueError):
            continue
        if isinstance(found, dict):
            return found
    return {}


def _path(tables: Path, table: str) -> Path | None:
    paths = (tables / f"{table}{suffix}" for suffix in (".parquet", ".csv"))
    return next((path for path in paths if path.exists()), None)


def _read_csv(path: Path, schema: pa.Schema) -> pa.Table:
    """Read a table as `tables/csv.py` writes it: an empty cell is null, two quotes are an empty string or list."""
    lists = [field.name for field in schema if pa.types.is_list(field.type)]
    options = pa_csv.ConvertOptions(
        column_types={field.name: pa.string() if field.name in lists else field.type for field in schema},
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    rows = pa_csv.read_csv(path, convert_options=options)
    for name in set(lists) & set(rows.schema.names):
        texts = rows[name].fill_null("")
        codes = pa.array([text.split(";") if text else [] for text in texts.to_pylist()], pa.list_(pa.string()))
        rows = rows.set_column(rows.schema.get_field_index(name), name, codes)
    return rows
