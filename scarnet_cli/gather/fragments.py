"""Fragments: the stages' output directories, one per stage and batch, each with some of the cohort's tables."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from scarnet_cli.errors import CohortError
from scarnet_cli.faults import advice_on_damage
from scarnet_cli.tables.dictionary import GATHERED
from scarnet_cli.tables.parquet import VERSION_KEY, with_columns
from scarnet_cli.tables.schema import SCHEMA_VERSION, TABLES
from scarnet_cli.tables.user_columns import schema_like


@dataclass(frozen=True, slots=True)
class Fragment:
    """One stage's output directory.

    Attributes:
        name: Name in messages: the directory's name, prefixed by its parent's if two directories share it.
        directory: Directory of its tables.
    """

    name: str
    directory: Path

    def tables(self) -> dict[str, bool]:
        """Return the names of the fragment's tables, and whether each has exactly the schema of this release.

        Raises:
            CohortError: A file is not Parquet, has another schema version, an unknown column or a wrong type, or a null
                in a required column.
        """
        stems = {path.stem for path in self.directory.iterdir() if path.suffix == ".parquet"}
        return {table: self._is_current(table) for table in sorted(stems & {*GATHERED, "studies"})}

    def schema(self, table: str) -> pa.Schema:
        """Return the schema of one of its tables.

        Raises:
            CohortError: The file is not Parquet.
        """
        with self._open(table) as file:
            return file.schema_arrow

    def require_rows(self) -> None:
        """Check that each table can be read completely.

        Raises:
            CohortError: A file is damaged.
        """
        for table in self.tables():
            with self._open(table) as file:
                try:
                    for number in range(file.num_row_groups):
                        file.read_row_group(number)
                except (OSError, pa.ArrowException) as error:
                    raise self._damage(table) from error

    def _open(self, table: str) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(self.directory / f"{table}.parquet")
        except pa.ArrowInvalid as error:
            raise self._damage(table) from error

    def _damage(self, table: str) -> CohortError:
        advice = advice_on_damage(self.directory)
        message = f"Table {table} of fragment {self.name} is not a Parquet file. {advice}"
        return CohortError("unreadable_table", message)

    def _is_current(self, table: str) -> bool:
        with self._open(table) as file:
            schema = file.schema_arrow
            wanted = schema_like(table, schema) if table == "studies" else TABLES[table]
            unknown = sorted(set(schema.names) - set(wanted.names))
            version = (schema.metadata or {}).get(VERSION_KEY.encode(), SCHEMA_VERSION.encode()).decode()
            if unknown or version != SCHEMA_VERSION:
                what = f"the unknown columns {', '.join(unknown)}" if unknown else f"schema version {version}"
                message = f"Table {table} of fragment {self.name} has {what}; make it again with this release."
                raise CohortError("wrong_schema", message)
            if schema.equals(TABLES[table]):
                return True
            try:
                with_columns(file.read(), wanted)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
                message = f"Table {table} of fragment {self.name} does not fit its schema ({error}); make it again."
                raise CohortError("wrong_schema", message) from error
        return False


def find_fragments(directories: Iterable[Path]) -> list[Fragment]:
    """Return the directories as fragments, sorted by name so that the order of the arguments does not matter.

    Raises:
        CohortError: A path is not a directory.
    """
    paths = list(directories)
    for path in paths:
        if not path.is_dir():
            message = f"Fragment {path.name} is not a directory; give the output directories of the stages."
            raise CohortError("missing_fragment", message)
    names = Counter(path.name for path in paths)
    fragments = [
        Fragment(path.name if names[path.name] == 1 else f"{path.absolute().parent.name}/{path.name}", path)
        for path in paths
    ]
    return sorted(fragments, key=lambda fragment: (fragment.name, str(fragment.directory)))
