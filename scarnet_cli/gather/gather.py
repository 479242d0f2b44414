"""Merging the fragments of all stages and batches into the cohort's tables."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from scarnet_cli.errors import CohortError, InputError
from scarnet_cli.files import write_bytes
from scarnet_cli.gather.accounting import Accounting, check_accounting
from scarnet_cli.gather.derived import write_derived
from scarnet_cli.gather.fragments import Fragment, find_fragments
from scarnet_cli.gather.review import read_decisions, with_decisions
from scarnet_cli.gather.views import viewed
from scarnet_cli.progress import Progress, no_progress
from scarnet_cli.tables.csv import write_csv
from scarnet_cli.tables.database import require_fit, write_database
from scarnet_cli.tables.dictionary import DICTIONARY, GATHERED, dictionary_csv
from scarnet_cli.tables.parquet import MODEL_DIGEST, ROW_GROUP, sort_columns, write_parts
from scarnet_cli.tables.schema import TABLES
from scarnet_cli.tables.studies import LABELS
from scarnet_cli.tables.user_columns import in_studies, is_users, user_fields, with_users

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MERGED: Final = tuple(name for name in GATHERED if name not in ("readers_summary", "follow_up"))


def gather(
    directories: Iterable[Path],
    out: Path,
    reviewed: Path | None = None,
    *,
    csv: bool = False,
    progress: Progress = no_progress,
) -> Accounting:
    """Check the accounting, then merge the fragments' tables and write them to `out`.

    Each table is written as Parquet, and all together as cohort.duckdb; dictionary.csv describes the columns. Only
    INDEX keeps the user's labels and own columns of a study; they are joined here, so that a corrected label needs only
    a new GATHER.

    The result does not depend on the order of the fragments or on how the studies were batched. Memory is bounded:
    DuckDB sorts data that does not fit in temporary files beside `out`.

    Args:
        directories: Output directories of index, fetch, convert, crop, segment and quantify.
        out: Directory of the tables; created if absent.
        reviewed: A reader's decisions (review.py), for the column `reviewed` of `scans`.
        csv: Write each table as CSV as well.
        progress: Shows the progress over the fragments, then the tables.

    Raises:
        CohortError: A study is lost, unknown or there twice, a fragment is unreadable, or `out` cannot hold the
            database; nothing is written then.
        InputError: Rows of the review are wrong; nothing is written then.
        MachineError: The disk is full or failing.
    """
    require_fit(out)
    fragments = find_fragments(directories)
    users = user_fields(fragment.schema("studies") for fragment in fragments if "studies" in fragment.tables())
    schemas = {**TABLES, "scans": with_users("scans", users)}
    with (
        progress("gather", len(fragments) + len(_MERGED)) as advance,
        _told_of_damage(fragments),
        viewed(fragments, users, out, advance) as connection,
    ):
        accounting = check_accounting(connection)
        decisions = _read_decisions(connection, reviewed)
        for name in _MERGED:
            path = out / f"{name}.parquet"
            rows = _sorted_rows(connection, name, schemas[name])
            if name == "scans":
                rows = (with_decisions(part, decisions) for part in rows)
            write_parts(name, schemas[name], rows, path, {MODEL_DIGEST: accounting.model_sha256})
            if csv:
                write_csv(path)
            advance()
    repeated = write_derived(out, decisions, {MODEL_DIGEST: accounting.model_sha256}, csv=csv)
    write_bytes(out / DICTIONARY, dictionary_csv(schemas).encode())
    pa.default_memory_pool().release_unused()  # DuckDB has a pool of its own
    write_database(out)
    return replace(accounting, repeated_visits=repeated)


@contextmanager
def _told_of_damage(fragments: Sequence[Fragment]) -> Iterator[None]:
    """Report which fragment's table is damaged when DuckDB fails, because its own errors vary."""
    try:
        yield
    except (CohortError, InputError):
        raise
    except Exception:
        for fragment in fragments:
            fragment.require_rows()
        raise


def _read_decisions(connection: "DuckDBPyConnection", reviewed: Path | None) -> dict[str, str]:
    """Return the decisions of a review; none without a review."""
    if reviewed is None:
        return {}
    return read_decisions(reviewed, {study for (study,) in connection.execute("SELECT study_id FROM seen").fetchall()})


def _sorted_rows(connection: "DuckDBPyConnection", name: str, schema: pa.Schema) -> Iterator[pa.Table]:
    """Yield the rows of all fragments in the table's order, with users' labels and own columns."""
    columns = ", ".join(_selected(field) for field in schema)
    order = ", ".join(f'{name}."{column}" NULLS LAST' for column in sort_columns(name))
    studies = "LEFT JOIN studies USING (study_id)" if set(LABELS) <= set(TABLES[name].names) else ""
    query = f"SELECT {columns} FROM {name} {studies} ORDER BY {order}"
    for batch in connection.sql(query).to_arrow_reader(ROW_GROUP):
        yield pa.Table.from_batches([batch]).cast(schema)


def _selected(field: pa.Field) -> str:
    """Return the expression for a column: a label and a column of the user's own come from `studies`."""
    if is_users(field):
        return f'studies."{in_studies(field)}" AS "{field.name}"'
    return f'studies."{field.name}"' if field.name in LABELS else f'"{field.name}"'
