"""The cohort as one DuckDB file for use with SQL: the tables, their dictionary, and views."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.parquet as pq

from scarnet_cli.errors import CohortError
from scarnet_cli.faults import not_written
from scarnet_cli.files import atomic_path
from scarnet_cli.tables.dictionary import DICTIONARY, GATHERED
from scarnet_cli.tables.parquet import TABLE_NAME
from scarnet_cli.tables.schema import TABLES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DATABASE: Final = "cohort.duckdb"
# Readable by DuckDB 1.2 and later.
_FORMAT: Final = "v1.2.0"
# DuckDB uses all memory that it is allowed; this suffices because written blocks can be evicted, and one thread needs
# the least. It writes no temporary files unless told where, and downloads nothing.
_SETTINGS: Final = {
    "threads": 1,
    "memory_limit": "256MB",
    "temp_directory": "",
    "autoinstall_known_extensions": "false",
}
_SEGMENTS: Final = range(1, 18)
_GROUPINGS: Final = ("site", "group", "visit")
_KEPT: Final = "reviewed IS DISTINCT FROM 'reject'"  # as gather/review.py: the report counts alike


def write_database(tables: Path) -> None:
    """Copy the gathered Parquet tables of a directory, and its dictionary.csv, into `tables`/cohort.duckdb.

    The file holds the data rather than paths, so that it can be moved and sent. Equal tables give equal rows in equal
    order, but not equal bytes. The table `metadata` holds the metadata of `scans`: versions, model digests, time.

    Raises:
        MachineError: A file cannot be read or written.
    """
    with (
        plainly_named(tables) as folder,
        atomic_path(folder / DATABASE) as temporary,
        connected(DATABASE) as connection,
    ):
        temporary.unlink()  # DuckDB makes the file itself
        connection.execute(f"ATTACH {sql_text(temporary)} AS cohort (STORAGE_VERSION '{_FORMAT}'); USE cohort")
        for statement in _statements(folder):
            connection.execute(statement)
        connection.execute("USE memory; DETACH cohort")


@contextmanager
def connected(what: str) -> Iterator["DuckDBPyConnection"]:
    """Yield a DuckDB connection with bounded memory, which writes no temporary files unless told where.

    Raises:
        MachineError: A file cannot be read or written; DuckDB's own errors of this kind have no errno.
    """
    import duckdb  # noqa: PLC0415 (imported here only, so that `scarnet` starts without it)

    try:
        with duckdb.connect(config=_SETTINGS) as connection:
            connection.execute("SET enable_progress_bar = false")
            yield connection
    except (duckdb.IOException, duckdb.TransactionException, duckdb.FatalException) as error:
        raise not_written(what) from error


def require_fit(folder: Path) -> None:
    """Check that the database can be written into a folder.

    Raises:
        CohortError: Its path holds a question mark, which DuckDB interprets.
    """
    if "?" in str(folder.resolve()):
        message = f"{DATABASE} cannot be written into a folder with a question mark in its path; name another."
        raise CohortError("unfit_path", message)


@contextmanager
def plainly_named(folder: Path) -> Iterator[Path]:
    """Yield a temporary link to a folder, because DuckDB interprets a backslash in a path."""
    with TemporaryDirectory() as names:
        name = Path(names) / "tables"
        name.symlink_to(folder.resolve(), target_is_directory=True)
        yield name


def _statements(tables: Path) -> Iterator[str]:
    for name in GATHERED:
        yield f"CREATE TABLE {name} AS FROM read_parquet({sql_text(tables / f'{name}.parquet')})"
    yield f"CREATE TABLE dictionary AS FROM read_csv({sql_text(tables / DICTIONARY)}, all_varchar = true)"
    metadata = pq.read_schema(tables / "scans.parquet").metadata or {}
    kept = sorted((key.decode(), value.decode()) for key, value in metadata.items() if key.decode() != TABLE_NAME)
    pairs = ", ".join(f"({sql_text(key)}, {sql_text(value)})" for key, value in kept)
    yield f"CREATE TABLE metadata AS FROM (VALUES {pairs}) AS pairs(key, value)"
    yield "CREATE VIEW scans_flags AS SELECT study_id, unnest(flags) AS flag FROM scans ORDER BY ALL"
    yield _segments_wide()
    yield from (_by_label(label) for label in _GROUPINGS)


def _segments_wide() -> str:
    """Return the view with one row per study and a column for each measure of each segment: scar_percent_1 ..."""
    measures = [field.name for field in TABLES["segments"] if pa.types.is_floating(field.type)]
    cells = [
        f"max({measure}) FILTER (segment = {number}) AS {measure}_{number}"
        for measure in measures
        for number in _SEGMENTS
    ]
    return (
        f"CREATE VIEW segments_wide AS SELECT study_id, {', '.join(cells)} FROM segments GROUP BY study_id ORDER BY 1"
    )


def _by_label(label: str) -> str:
    """Return the view with one row per site, group or visit: the outcomes of its studies, and their scar.

    Rejected studies are counted as measured; what describes the hearts leaves them out.
    """
    return f"""
        CREATE VIEW by_{label} AS
        SELECT
            ended."{label}",
            count(*) AS found,
            count(scans.study_id) AS measured,
            count(*) - count(scans.study_id) AS failed,
            count(*) FILTER (scar_ml > 0 AND {_KEPT}) AS with_scar,
            avg(scar_percent_lv) FILTER ({_KEPT}) AS scar_percent_lv_mean,
            stddev_samp(scar_percent_lv) FILTER ({_KEPT}) AS scar_percent_lv_sd,
            median(scar_percent_lv) FILTER ({_KEPT}) AS scar_percent_lv_median,
            avg(myocardium_g) FILTER ({_KEPT}) AS myocardium_g_mean,
            count(*) FILTER (NOT ({_KEPT})) AS rejected
        FROM (SELECT study_id, "{label}" FROM scans UNION ALL SELECT study_id, "{label}" FROM failures) AS ended
        LEFT JOIN scans USING (study_id)
        GROUP BY ended."{label}"
        ORDER BY ended."{label}" NULLS LAST
    """


def sql_text(value: object) -> str:
    """Return an SQL literal."""
    return "'" + str(value).replace("'", "''") + "'"
