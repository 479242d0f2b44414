"""What a run left: its tables of measured and failed studies, and how it was made."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from scarnet_cli.errors import CohortError
from scarnet_cli.tables.run_tables import find_tables, read_run_record, read_run_table
from scarnet_cli.tables.schema import TABLES

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
    tables = find_tables(folder, name)
    scans, failures = (read_run_table(tables, table, name) for table in ("scans", "failures"))
    study_ids = [chunk for table in (scans, failures) for chunk in table.rows["study_id"].chunks]
    _require_single(pa.chunked_array(study_ids, pa.string()), name)
    parameters, versions = (read_run_record(tables, file) for file in _INFO)
    return Outcome(
        scans=scans.rows.select(TABLES["scans"].names),
        failures=failures.rows.select(TABLES["failures"].names),
        columns=scans.own & frozenset(TABLES["scans"].names),
        metadata=scans.metadata,
        parameters=parameters,
        versions=versions,
    )


def _require_single(study_ids: pa.ChunkedArray, name: str) -> None:
    counted = pc.call_function("value_counts", [study_ids]).to_pylist()
    if twice := sorted(row["values"] for row in counted if row["counts"] > 1):
        more = f" and {len(twice) - 1} more" if len(twice) > 1 else ""
        message = f"{name} holds study {twice[0]}{more} more than once in scans and failures; gather its run again."
        raise CohortError("repeated_study", message)
