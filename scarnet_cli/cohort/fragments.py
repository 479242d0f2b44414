"""Fragments: what the stages leave behind, one directory a batch, each with some of the cohort's tables."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from scarnet_cli.cohort.schema import SCHEMA_VERSION, TABLES
from scarnet_cli.cohort.tables import VERSION_KEY
from scarnet_cli.errors import CohortError


@dataclass(frozen=True, slots=True)
class Fragment:
    """One stage's output directory.

    Attributes:
        name: What messages call it: the directory's name, with its parent's where two have the same.
        directory: Where its tables are.
    """

    name: str
    directory: Path

    def has(self, table: str) -> bool:
        """Tell whether the stage wrote this table."""
        return (self.directory / f"{table}.parquet").is_file()

    def read(self, table: str, *columns: str) -> pa.Table:
        """Read a table, or some of its columns, in the schema of this release; a column added since then is null.

        Raises:
            CohortError: The file is no Parquet, or has another schema version, an unknown column or a wrong type.
        """
        schema = TABLES[table]
        wanted = pa.schema([schema.field(name) for name in columns or schema.names])
        try:
            with pq.ParquetFile(self.directory / f"{table}.parquet") as file:
                self._check(table, file.schema_arrow)
                found = file.read(columns=[name for name in wanted.names if name in file.schema_arrow.names])
        except pa.ArrowInvalid as error:
            message = f"Table {table} of fragment {self.name} is no Parquet file; run its stage again."
            raise CohortError("unreadable_table", message) from error
        try:
            return pa.table([_column(found, field) for field in wanted], names=wanted.names).cast(wanted)
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
    long_name = {path: f"{path.absolute().parent.name}/{path.name}" for path in paths}
    fragments = [Fragment(path.name if names[path.name] == 1 else long_name[path], path) for path in paths]
    return sorted(fragments, key=lambda fragment: (fragment.name, str(fragment.directory)))


def with_table(fragments: Sequence[Fragment], table: str) -> list[Fragment]:
    """Return the fragments that have this table."""
    return [fragment for fragment in fragments if fragment.has(table)]


def _column(found: pa.Table, field: pa.Field) -> pa.Array | pa.ChunkedArray:
    return found[field.name] if field.name in found.schema.names else pa.nulls(found.num_rows, field.type)
