"""Fragments: what the stages leave behind, one directory a batch, each with some of the cohort's tables."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from scarnet_cli.errors import CohortError
from scarnet_cli.faults import advice_on_damage
from scarnet_cli.tables.dictionary import GATHERED
from scarnet_cli.tables.parquet import VERSION_KEY, with_columns
from scarnet_cli.tables.schema import SCHEMA_VERSION, TABLES


@dataclass(frozen=True, slots=True)
class Fragment:
    """One stage's output directory.

    Attributes:
        name: What messages call it: the directory's name, with its parent's where two have the same.
        directory: Where its tables are.
        tables: Names of those that the stage wrote.
    """

    name: str
    directory: Path
    tables: frozenset[str]

    def parts(self, table: str, *columns: str) -> Iterator[pa.Table]:
        """Yield a table, or some of its columns, row group by row group; see `part` for schema and errors."""
        schema = TABLES[table]
        wanted = pa.schema([schema.field(name) for name in columns]) if columns else schema
        with self._open(table) as (file, there):
            for number in range(file.num_row_groups):
                yield self._read(table, wanted, file.read_row_group(number, [n for n in wanted.names if n in there]))

    def part(self, table: str, number: int) -> pa.Table:
        """Read one row group of a table in the schema of this release; a column added since then is null.

        Raises:
            CohortError: The file is no Parquet, or has another schema version, an unknown column or a wrong type.
        """
        with self._open(table) as (file, _):
            return self._read(table, TABLES[table], file.read_row_group(number))

    @contextmanager
    def _open(self, table: str) -> Iterator[tuple[pq.ParquetFile, frozenset[str]]]:
        try:
            with pq.ParquetFile(self.directory / f"{table}.parquet") as file:
                schema = file.schema_arrow
                self._check(table, schema)
                yield file, frozenset(schema.names)
        except pa.ArrowInvalid as error:
            advice = advice_on_damage(self.directory)
            message = f"Table {table} of fragment {self.name} is no Parquet file. {advice}"
            raise CohortError("unreadable_table", message) from error

    def _read(self, table: str, wanted: pa.Schema, found: pa.Table) -> pa.Table:
        try:
            return with_columns(found, wanted)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
            message = f"Table {table} of fragment {self.name} does not fit its schema ({error}); make it again."
            raise CohortError("wrong_schema", message) from error

    def _check(self, table: str, found: pa.Schema) -> None:
        unknown = sorted(set(found.names) - set(TABLES[table].names))
        version = (found.metadata or {}).get(VERSION_KEY.encode(), SCHEMA_VERSION.encode()).decode()
        if unknown or version != SCHEMA_VERSION:
            what = f"the unknown columns {', '.join(unknown)}" if unknown else f"schema version {version}"
            message = f"Table {table} of fragment {self.name} has {what}; make it again with this release."
            raise CohortError("wrong_schema", message)


def find_fragments(directories: Iterable[Path]) -> list[Fragment]:
    """Return the directories as fragments, sorted by name so that their order in the call does not matter.

    Raises:
        CohortError: One of them is no directory.
    """
    paths = list(directories)
    for path in paths:
        if not path.is_dir():
            message = f"Fragment {path.name} is no directory; give the output directories of the stages."
            raise CohortError("missing_fragment", message)
    names = Counter(path.name for path in paths)
    fragments = [
        Fragment(
            path.name if names[path.name] == 1 else f"{path.absolute().parent.name}/{path.name}", path, _tables(path)
        )
        for path in paths
    ]
    return sorted(fragments, key=lambda fragment: (fragment.name, str(fragment.directory)))


def _tables(directory: Path) -> frozenset[str]:
    there = {path.stem for path in directory.iterdir() if path.suffix == ".parquet"}
    return frozenset(there & {*GATHERED, "studies"})
