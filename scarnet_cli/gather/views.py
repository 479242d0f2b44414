"""The tables of all fragments as views of one DuckDB connection: in memory is only what a query holds."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from scarnet_cli.errors import CohortError
from scarnet_cli.gather.fragments import Fragment
from scarnet_cli.tables.database import connected, sql_text
from scarnet_cli.tables.dictionary import GATHERED
from scarnet_cli.tables.schema import TABLES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


_FRAGMENTS: Final = pa.schema([("fragment", pa.int32()), ("name", pa.string())])


@contextmanager
def viewed(fragments: Sequence[Fragment], advance: Callable[[], None]) -> Iterator["DuckDBPyConnection"]:
    """Give a connection with a view of each table over all fragments, and with the table `fragments`.

    A view has the columns of its schema, null where a fragment was written before the column was added, and `fragment`,
    the position of the row's fragment. `fragments` has `fragment` and `name`.

    Args:
        fragments: The fragments.
        advance: Called after each of them.

    Raises:
        CohortError: A table is no Parquet or does not fit its schema, or there is none of the studies.
        MachineError: What a query needs could not be written.
    """
    with TemporaryDirectory() as folder, connected("What gathering keeps for a while") as connection:
        paths: dict[str, dict[bool, list[str]]] = {name: {True: [], False: []} for name in (*GATHERED, "studies")}
        for position, fragment in enumerate(fragments):
            link = Path(folder) / str(position)  # DuckDB takes some characters in a path for its own
            link.symlink_to(fragment.directory.resolve(), target_is_directory=True)
            for name, is_current in fragment.tables().items():
                paths[name][is_current].append(f"{link}/{name}.parquet")
            advance()
        if not any(paths["studies"].values()):
            message = "No fragment has studies.parquet; give the output directory of `scarnet index` as well."
            raise CohortError("no_index", message)
        names = {"fragment": list(range(len(fragments))), "name": [fragment.name for fragment in fragments]}
        connection.register("fragments", pa.table(names, schema=_FRAGMENTS))
        for name, files in paths.items():
            connection.register(f"no_{name}", TABLES[name].empty_table())
            connection.execute(_view(name, current=files[True], older=files[False]))
        yield connection


def _view(name: str, current: Sequence[str], older: Sequence[str]) -> str:
    """Return the statement that makes the view of one table; to unite columns costs memory for each file."""
    rows = f"SELECT *, NULL AS filename FROM no_{name}"
    for paths, options in ((current, ""), (older, ", union_by_name = true")):
        if paths:
            files = ", ".join(map(sql_text, paths))
            rows += f" UNION ALL BY NAME FROM read_parquet([{files}], filename = true{options})"
    columns = ", ".join(f'"{column}"' for column in TABLES[name].names)
    return f"CREATE VIEW {name} AS SELECT {columns}, split_part(filename, '/', -2)::INTEGER AS fragment FROM ({rows})"
