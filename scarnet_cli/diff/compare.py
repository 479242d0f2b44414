"""The differences of two runs, found by DuckDB: a table of changes, and sums of it for people."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from scarnet_cli.diff.outcome import Outcome
from scarnet_cli.diff.tolerance import Tolerance, beyond, is_number
from scarnet_cli.tables.database import connected, sql_text
from scarnet_cli.tables.parquet import ROW_GROUP
from scarnet_cli.tables.scans import LABELLED_BY
from scarnet_cli.tables.schema import SORT_KEYS, TABLES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# The measure that a reader asks for first.
MAIN: Final = "scar_percent_lv"
FLAGS: Final = "flags"
# Columns that say how a row was made: they are compared as settings of the run.
MADE_BY: Final = ("pipeline_version", *LABELLED_BY, "device")
_MEMORY: Final = "1GB"
_MOST: Final = 1e9  # no measure is larger; in a damaged table it would stretch the plots


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """How a column of numbers differs over the studies that both runs measured.

    Attributes:
        column: Name of the column.
        tolerance: What counts as no change.
        studies: Studies with a number in either run.
        changed: Studies beyond the tolerance, those included that are defined in one run only.
        mean: Mean of new minus old, None without studies.
        largest: Difference of the study that differs most, with its id and numbers; None without studies.
    """

    column: str
    tolerance: Tolerance
    studies: int
    changed: int
    mean: float | None
    largest: float | None
    largest_study: str | None
    largest_old: float | None
    largest_new: float | None


@dataclass(frozen=True, slots=True)
class StudyChange:
    """A study that both runs measured with other results: numbers of `MAIN`, columns, and flags that came and went."""

    study_id: str
    old: float | None
    new: float | None
    difference: float | None
    columns: tuple[str, ...]
    raised: tuple[str, ...]
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EndChange:
    """A study that ended otherwise, or that one run alone has; an end is "measured", or stage and code."""

    study_id: str
    change: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class FlagChange:
    """Over the studies that both runs measured: how many had a flag raised and dropped."""

    code: str
    raised: int
    dropped: int


class Comparison:
    """Two runs in one database. All results are sorted, so that they depend on the tables alone."""

    def __init__(
        self, connection: "DuckDBPyConnection", old: Outcome, new: Outcome, tolerances: Mapping[str, Tolerance]
    ) -> None:
        """Join the runs and find all changes."""
        self._connection = connection
        names = (field for field in TABLES["scans"] if field.name in old.columns & new.columns)
        self._columns = [field for field in names if field.name not in ("study_id", *MADE_BY)]
        self._tolerances = tolerances
        for name, outcome in (("old", old), ("new", new)):
            connection.register(f"{name}_scans", outcome.scans)
            connection.register(f"{name}_failures", outcome.failures)
        connection.execute(_JOINED)
        connection.execute(_ENDS)
        for field in self._columns:
            connection.execute(self._flags() if field.name == FLAGS else self._values(field))

    def counts(self) -> dict[str, int]:
        """Return numbers of studies: `old`, `new`, `both` (measured), `changed` of these, and by change of the end."""
        query = """
            SELECT count(old), count(new), count(*) FILTER (old = 'measured' AND new = 'measured'),
                (SELECT count(DISTINCT study_id) FROM changes WHERE change IN ('raised', 'dropped', 'value'))
            FROM ends
        """
        (row,) = self._connection.execute(query).fetchall()
        ends = self._connection.execute("SELECT change, count(*) FROM changes GROUP BY change").fetchall()
        return {**dict(zip(("old", "new", "both", "changed"), row, strict=True)), **dict(ends)}

    def columns(self) -> list[ColumnChange]:
        """Return the columns of numbers that changed, in the most studies first; `MAIN` before all, changed or not."""
        changed = self._changed()
        names = [field.name for field in self._columns if is_number(field)]
        shown = [self._column(name, changed.get(name, 0)) for name in names if name in changed or name == MAIN]
        return sorted(shown, key=lambda column: (column.column != MAIN, -column.changed))

    def texts(self) -> dict[str, int]:
        """Return column of text -> number of studies in which it changed."""
        changed = self._changed()
        return {f.name: changed[f.name] for f in self._columns if f.name in changed and not is_number(f)}

    def flags(self) -> list[FlagChange]:
        """Return the flags that were raised or dropped, the most frequent first."""
        query = """
            SELECT coalesce(new_text, old_text) AS code, count(new_text) AS raised, count(old_text) AS dropped
            FROM changes WHERE change IN ('raised', 'dropped') GROUP BY code ORDER BY raised + dropped DESC, code
        """
        return [FlagChange(*row) for row in self._connection.execute(query).fetchall()]

    def studies(self, most: int) -> list[StudyChange]:
        """Return the studies that both runs measured and that changed, the largest difference of `MAIN` first."""
        old, new = (f"{side}.{MAIN}" if self._has(MAIN) else "NULL::DOUBLE" for side in ("o", "n"))
        query = f"""
            WITH first AS (
                SELECT study_id, {old} AS old, {new} AS new, new - old AS moved, number
                FROM (SELECT study_id, count(*) AS number FROM changes WHERE column_name IS NOT NULL GROUP BY study_id)
                JOIN pairs USING (study_id)
                ORDER BY (old IS NULL) <> (new IS NULL) DESC, coalesce(abs(moved), 0) DESC, number DESC, study_id
                LIMIT {most}
            )
            SELECT study_id, any_value(first.old), any_value(first.new), any_value(moved),
                coalesce(list(column_name ORDER BY position) FILTER (change = 'value'), []),
                coalesce(list(new_text ORDER BY new_text) FILTER (change = 'raised'), []),
                coalesce(list(old_text ORDER BY old_text) FILTER (change = 'dropped'), [])
            FROM changes JOIN first USING (study_id) JOIN positions USING (column_name)
            GROUP BY study_id
        """
        places = {"column_name": [f.name for f in self._columns], "position": list(range(len(self._columns)))}
        self._connection.register("positions", pa.table(places))
        rows = self._connection.execute(query).fetchall()
        studies = [StudyChange(*row[:4], *(tuple(names) for names in row[4:])) for row in rows]
        return sorted(studies, key=_most_changed)

    def ends(self, change: str, most: int) -> list[EndChange]:
        """Return studies with one kind of change of their end."""
        query = f"""
            SELECT study_id, change, old_text, new_text FROM changes WHERE change = {sql_text(change)}
            ORDER BY study_id LIMIT {most}
        """
        return [EndChange(*row) for row in self._connection.execute(query).fetchall()]

    def pairs(self, column: str) -> list[tuple[str, float, float, bool]]:
        """Return id, old and new number, and whether they differ, of studies whose numbers can be drawn."""
        if not self._has(column):
            return []
        old, new = f"o.{column}", f"n.{column}"
        query = f"""
            SELECT study_id, {old}, {new}, {beyond(old, new, self._tolerances[column])}
            FROM pairs WHERE abs({old}) < {_MOST} AND abs({new}) < {_MOST} ORDER BY study_id
        """
        return self._connection.execute(query).fetchall()

    def used(self, side: str, column: str) -> list[tuple[Any, int]]:
        """Return each value of a column of `scans` in the "old" or "new" run with its number of studies."""
        query = f'SELECT "{column}", count(*) FROM {side}_scans GROUP BY ALL ORDER BY 2 DESC, 1'
        return self._connection.execute(query).fetchall()

    def rows(self) -> Iterator[pa.Table]:
        """Yield all rows of the table `changes`, sorted."""
        keys = [*SORT_KEYS["changes"], "old_text", "new_text"]  # no two rows have the same, flags included
        order = ", ".join(f"{name} NULLS LAST" for name in keys)
        for batch in self._connection.sql(f"SELECT * FROM changes ORDER BY {order}").to_arrow_reader(ROW_GROUP):
            yield pa.Table.from_batches([batch]).cast(TABLES["changes"])

    def _changed(self) -> dict[str, int]:
        query = "SELECT column_name, count(*) FROM changes WHERE change = 'value' GROUP BY ALL"
        return dict(self._connection.execute(query).fetchall())

    def _has(self, column: str) -> bool:
        return any(field.name == column for field in self._columns)

    def _column(self, name: str, changed: int) -> ColumnChange:
        old, new = f"o.{name}", f"n.{name}"
        query = f"""
            SELECT count(coalesce({old}, {new})), avg(moved), arg_max({{i: study_id, o: {old}, n: {new}}}, abs(moved))
            FROM (
                SELECT *, CASE WHEN isfinite({new}::DOUBLE - {old}) THEN {new} - {old} END AS moved
                FROM pairs ORDER BY study_id
            )
        """
        ((studies, mean, most),) = self._connection.execute(query).fetchall()
        largest = (most["n"] - most["o"], most["i"], most["o"], most["n"]) if most else (None,) * 4
        return ColumnChange(name, self._tolerances[name], studies, changed, mean, *largest)

    def _values(self, field: pa.Field) -> str:
        """Return the statement that adds the changes of a column."""
        old, new = f'o."{field.name}"', f'n."{field.name}"'
        if is_number(field):
            differ = beyond(old, new, self._tolerances[field.name])
            cells = f"{old}, {new}, CASE WHEN isfinite({new}::DOUBLE - {old}) THEN {new} - {old} END, NULL, NULL"
        else:
            differ, cells = f"{old} IS DISTINCT FROM {new}", f"NULL, NULL, NULL, {old}::VARCHAR, {new}::VARCHAR"
        return f"INSERT INTO changes SELECT study_id, 'value', '{field.name}', {cells} FROM pairs WHERE {differ}"

    @staticmethod
    def _flags() -> str:
        raised, dropped = (
            f"SELECT DISTINCT study_id, unnest({one}.flags) AS code FROM pairs EXCEPT "
            f"SELECT study_id, unnest({other}.flags) FROM pairs"
            for one, other in (("n", "o"), ("o", "n"))
        )
        return f"""
            INSERT INTO changes
            SELECT study_id, 'raised', '{FLAGS}', NULL, NULL, NULL, NULL, code FROM ({raised})
            UNION ALL
            SELECT study_id, 'dropped', '{FLAGS}', NULL, NULL, NULL, code, NULL FROM ({dropped})
        """


def _most_changed(study: StudyChange) -> tuple[bool, float, int, str]:
    """Return the sort key of a study: first where only one run defines `MAIN`, then by its difference."""
    changes = len(study.columns) + len(study.raised) + len(study.dropped)
    return (study.old is None) == (study.new is None), -abs(study.difference or 0), -changes, study.study_id


@contextmanager
def compared(old: Outcome, new: Outcome, tolerances: Mapping[str, Tolerance]) -> Iterator[Comparison]:
    """Yield the comparison of two runs; what does not fit in memory goes to a temporary folder.

    Args:
        old: The run before.
        new: The run after it.
        tolerances: Column of numbers of `scans` -> how far it may move.

    Raises:
        MachineError: A temporary file could not be written.
    """
    with TemporaryDirectory(prefix="scarnet-diff-") as spill, connected("What diff sorts") as connection:
        connection.execute(f"SET temp_directory = {sql_text(Path(spill))}; SET memory_limit = '{_MEMORY}'")
        yield Comparison(connection, old, new, tolerances)


# Both runs' rows of a study, as structs `o` and `n`.
_JOINED: Final = """
    CREATE TEMP TABLE pairs AS SELECT study_id, o, n FROM old_scans AS o JOIN new_scans AS n USING (study_id)
"""
_ENDED: Final = """
    SELECT study_id, 'measured' AS reason FROM {0}_scans
    UNION ALL SELECT study_id, stage || ': ' || code FROM {0}_failures
"""
_ENDS: Final = f"""
    CREATE TEMP TABLE ends AS
        SELECT study_id, o.reason AS old, n.reason AS new
        FROM ({_ENDED.format("old")}) AS o FULL JOIN ({_ENDED.format("new")}) AS n USING (study_id);
    CREATE TEMP TABLE changes (
        study_id VARCHAR, change VARCHAR, column_name VARCHAR, old DOUBLE, new DOUBLE, difference DOUBLE,
        old_text VARCHAR, new_text VARCHAR
    );
    INSERT INTO changes
        SELECT study_id,
            CASE
                WHEN old IS NULL THEN 'appeared'
                WHEN new IS NULL THEN 'vanished'
                WHEN new = 'measured' THEN 'measured'
                WHEN old = 'measured' THEN 'failed'
                ELSE 'failed_otherwise'
            END,
            NULL, NULL, NULL, NULL, old, new
        FROM ends WHERE old IS DISTINCT FROM new
"""
