"""Writes tables of rows that name only the columns that a test is about."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from scarnet_cli.tables.columns import record_of
from scarnet_cli.tables.parquet import write_table
from scarnet_cli.tables.schema import RECORDS


def write_rows(name: str, rows: Iterable[Mapping[str, Any]], path: Path, metadata: Mapping[str, str]) -> None:
    """Write rows as one table, as a stage does; a column that a row does not name is null."""
    write_table(RECORDS[name], [record_of(RECORDS[name], row) for row in rows], path, metadata)
