"""What a run left: its tables of measured and failed studies, and how it was made."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from scarnet_cli.errors import CohortError
from scarnet_cli.files import read_json
from scarnet_cli.tables.parquet import VERSION_KEY, open_table, table_metadata, with_columns
from scarnet_cli.tables.schema import SCHEMA_VERSION, TABLES

_INFO: Final = ("parameters.json", "versions.json")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run left.

    Attributes:
        scans: Rows of `scans`, in the schema of this release.
        failures: Rows of `failures`, likewise.
        columns: Columns of `scans` that the run's own table has.
        metadata: Metadata of that table; empty for CSV.
        parameters: The run's parameters, empty where they are not known.
        versions: Its software, likewise.
    """

    scans: pa.Table
    failures: pa.Table
    columns: frozenset[str]
    metadata: Mapping[str, str]
    parameters: Mapping[str, Any]
    versions: Mapping[str, Any]


def read_outcome(folder: Path, name: str) -> Outcome:
    """Read what a run left.

    Args:
        folder: Its output directory, that of its tables, or OUT/pipeline_info/earlier_tables. A table is Parquet, or
            CSV where there is no Parquet; without a table of failures none failed.
        name: What messages call the run.

    Raises:
        CohortError: There is no table of scans, or one is unreadable, of another schema, or names a study twice.
    """
    tables = next((place for place in (folder / "tables", folder) if _path(place, "scans")), None)
    if tables is None:
        message = f"{name} holds no scans.parquet or scans.csv; name a run's output directory or its tables."
        raise CohortError("missing_table", message)
    scans, metadata, columns = _read(tables, "scans", name)
    failures, _, _ = _read(tables, "failures", name)
    _require_single(pa.chunked_array([*scans["study_id"].chunks, *failures["study_id"].chunks], pa.string()), name)
    parameters, versions = (_info(tables, file) for file in _INFO)
    return Outcome(scans, failures, columns, metadata, parameters, versions)


def _path(tables: Path, table: str) -> Path | None:
    paths = (tables / f"{table}{suffix}" for suffix in (".parquet", ".csv"))
    return next((path for path in paths if path.exists()), None)


def _read(tables: Path, table: str, name: str) -> tuple[pa.Table, dict[str, str], frozenset[str]]:
    """Return the rows of a table, its metadata, and the names of its own columns."""
    path = _path(tables, table)
    if path is None:
        return TABLES[table].empty_table(), {}, frozenset(TABLES[table].names)
    try:
        if path.suffix == ".csv":
            rows = _read_csv(path, TABLES[table])
        else:
            with open_table(path) as file:
                rows = file.read()
        metadata = table_metadata(rows)
        if (version := metadata.get(VERSION_KEY, SCHEMA_VERSION)) != SCHEMA_VERSION:
            message = f"Table {table} of {name} has schema version {version}; this release reads {SCHEMA_VERSION}."
            raise CohortError("wrong_schema", message)
        fitted = with_columns(rows, TABLES[table]).replace_schema_metadata(None)
    except (pa.ArrowException, ValueError, OSError) as error:
        message = f"Table {table} of {name} cannot be read as this release writes it ({type(error).__name__}: {error})."
        raise CohortError("unreadable_table", message) from error
    return fitted, metadata, frozenset(rows.schema.names) & frozenset(fitted.schema.names)


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


def _require_single(study_ids: pa.ChunkedArray, name: str) -> None:
    counted = pc.call_function("value_counts", [study_ids]).to_pylist()
    if twice := sorted(row["values"] for row in counted if row["counts"] > 1):
        more = f" and {len(twice) - 1} more" if len(twice) > 1 else ""
        message = f"{name} holds study {twice[0]}{more} more than once in scans and failures; gather its run again."
        raise CohortError("repeated_study", message)


def _info(tables: Path, file: str) -> dict[str, Any]:
    """Return a JSON file of the run, which lies beside its tables or in pipeline_info; empty without one."""
    for path in (tables / file, tables.parent / "pipeline_info" / file):
        try:
            found = read_json(path)
        except (OSError, ValueError):
            continue
        if isinstance(found, dict):
            return found
    return {}
