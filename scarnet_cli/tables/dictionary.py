"""Descriptions of the gathered tables and the flags, for `dictionary.csv` and docs/output.md."""

import csv
import io
from collections.abc import Mapping
from typing import Final

import pyarrow as pa

from scarnet_cli.tables.flags import FLAGS
from scarnet_cli.tables.schema import SORT_KEYS, TABLES

DICTIONARY: Final = "dictionary.csv"
# Table -> meaning of a row. `studies` serves the accounting only and is not gathered.
GATHERED: Final[dict[str, str]] = {
    "scans": "One row a measured study.",
    "slices": "One row a slice of a measured study.",
    "segments": "One row an AHA segment of a measured study.",
    "series": "One row a series of every study that was found.",
    "failures": "One row a study that could not be measured.",
    "exports": "One row a measured study whose result was asked for as DICOM; empty where that was not asked for.",
    "readers": "One row a measured study and two readers who both drew it (--corrected with a folder a reader).",
    "readers_summary": "One row two readers and a measure: their agreement over all studies of `readers`.",
    "follow_up": "One row a later visit of a patient: its change from the first; without studies that were rejected.",
}
# The same for the table of `scarnet index` alone.
INDEXED: Final[dict[str, str]] = {
    "unread": "One row a folder that was not read; one for all files of a folder that were not, for one reason.",
}
# The same for the tables of `scarnet benchmark`, and that of `scarnet evaluate --robustness`.
BENCHMARK: Final[dict[str, str]] = {
    "benchmark": "One row a model, case and scored region.",
    "benchmark_summary": "One row a model and scored region.",
    "benchmark_cost": "One row a model whose weights were given.",
    "robustness": "One row a case under a disturbance of one severity; written by `scarnet evaluate --robustness`.",
}
# The same for the table of `scarnet diff`.
COMPARED: Final[dict[str, str]] = {"changes": "One row a study and what differs between the runs."}


def dictionary_csv(schemas: Mapping[str, pa.Schema] = TABLES) -> str:
    """Return table, column, type, unit and meaning of every gathered column as CSV, given the tables' schemas."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["table", "column", "type", "unit", "meaning"])
    for name in GATHERED:
        writer.writerows([name, *row] for row in describe_columns(schemas[name]))
    return text.getvalue()


def dictionary_markdown(tables: Mapping[str, str] = GATHERED) -> str:
    """Return a heading and a table of columns for each table (name -> meaning of a row), as Markdown."""
    parts: list[str] = []
    for name, row in tables.items():
        sorting = ", ".join(f"`{key}`" for key in SORT_KEYS[name])
        head = f"### {name}\n\n{row} Sorted by {sorting}.\n\n| column | type | unit | meaning |\n|---|---|---|---|\n"
        columns = [f"| `{column}` | {kind} | {unit} | {meaning} |" for column, kind, unit, meaning in _columns(name)]
        parts.append(head + "\n".join(columns) + "\n")
    return "\n".join(parts)


def flags_markdown() -> str:
    """Return all flags with their meanings and actions as a Markdown table."""
    head = "| code | in the report | what was seen | what to do |\n|---|---|---|---|\n"
    rows = (
        f"| `{code}` | {flag.phrase}{' (finding)' if flag.finding else ''} | {flag.meaning} | {flag.action} |\n"
        for code, flag in FLAGS.items()
    )
    return head + "".join(rows)


def describe_columns(schema: pa.Schema) -> list[tuple[str, str, str, str]]:
    """Return name, type, unit and meaning of each column."""
    rows: list[tuple[str, str, str, str]] = []
    for field in schema:
        metadata = field.metadata or {}
        kind = "list of string" if pa.types.is_list(field.type) else str(field.type)
        rows.append((field.name, kind, metadata[b"unit"].decode(), metadata[b"meaning"].decode()))
    return rows


def _columns(name: str) -> list[tuple[str, ...]]:
    return [tuple(cell.replace("|", "\\|") for cell in row) for row in describe_columns(TABLES[name])]
