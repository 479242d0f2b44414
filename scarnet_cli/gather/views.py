"""The tables of all fragments as DuckDB views, so that only a query's working data is in memory."""

from collections.abc import Callable, Iterable, Iterator, Sequence
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
from scarnet_cli.tables.user_columns import with_users

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


# With less, the blocks of many sorted runs do not fit: 160 MB fell short at 100,000 studies.
_MEMORY: Final = "512MB"
# That a network found no heart is no failure where QUANTIFY was given a label map; only an unusable one is.
_MENDED: Final = """
    CREATE VIEW failures AS SELECT * FROM every_failure WHERE stage NOT IN ('crop', 'segment') OR study_id NOT IN (
        SELECT study_id FROM scans WHERE labels_source IN ('corrected', 'given')
        UNION ALL SELECT study_id FROM every_failure WHERE stage = 'quantify' AND code = 'labels_unusable'
    )
"""
_FRAGMENTS: Final = pa.schema([("fragment", pa.int32()), ("name", pa.string())])


@contextmanager
def viewed(
    fragments: Sequence[Fragment], users: Sequence[pa.Field], out: Path, advance: Callable[[], None]
) -> Iterator["DuckDBPyConnection"]:
    """Yield a connection with a view of each table over all fragments, and with the table `fragments`.

    The view `studies` has the user's own columns too.

    A view has the columns of its schema (null if the fragment was written before the column was added) and `fragment`,
    the index of the row's fragment. The table `fragments` has `fragment` and `name`.

    Args:
        fragments: The fragments.
        users: The user's own columns.
        out: Data that does not fit in memory goes to a temporary folder in this directory, or in its nearest existing
            parent.
        advance: Called after each fragment.

    Raises:
        CohortError: A table is not Parquet or does not fit its schema, or there is no table `studies`.
        MachineError: A temporary file could not be written.
    """
    above = next(path for path in (out.absolute(), *out.absolute().parents) if path.is_dir())
    with (
        TemporaryDirectory() as folder,
        TemporaryDirectory(dir=above, prefix=".gather-") as spill,
        connected("What gathering sorts") as connection,
    ):
        link = Path(folder) / "spill"
        link.symlink_to(Path(spill).resolve(), target_is_directory=True)
        connection.execute(f"SET temp_directory = {sql_text(link)}; SET memory_limit = '{_MEMORY}'")
        _link_tables(fragments, Path(folder), advance)
        names = {"fragment": list(range(len(fragments))), "name": [fragment.name for fragment in fragments]}
        connection.register("fragments", pa.table(names, schema=_FRAGMENTS))
        for name in (*GATHERED, "studies"):
            schema = with_users("studies", users) if name == "studies" else TABLES[name]
            connection.register(f"no_{name}", schema.empty_table())
            connection.execute(_view(name, schema.names, Path(folder)))
        connection.execute(_MENDED)
        yield connection


def _link_tables(fragments: Sequence[Fragment], folder: Path, advance: Callable[[], None]) -> None:
    """Link each table of each fragment as `folder`/TABLE.current/INDEX.parquet, or TABLE.other if its columns differ.

    DuckDB matches such names by a pattern, whereas a list of paths takes a kilobyte of memory per path. The links also
    avoid characters that DuckDB interprets in a path.
    """
    there: set[str] = set()
    for position, fragment in enumerate(fragments):
        directory = fragment.directory.resolve()
        for name, is_current in fragment.tables().items():
            links = folder / f"{name}.{'current' if is_current else 'other'}"
            links.mkdir(exist_ok=True)
            (links / f"{position}.parquet").symlink_to(directory / f"{name}.parquet")
            there.add(name)
        advance()
    if "studies" not in there:
        message = "No fragment has studies.parquet; give the output directory of `scarnet index` as well."
        raise CohortError("no_index", message)


def _view(name: str, names: Iterable[str], folder: Path) -> str:
    """Return the statement that creates a table's view; union_by_name costs memory, so only where columns differ."""
    rows = f"SELECT *, NULL AS filename FROM no_{name}"
    for links, options in ((folder / f"{name}.current", ""), (folder / f"{name}.other", ", union_by_name = true")):
        if links.is_dir():
            pattern = sql_text(links / "*.parquet")
            rows += f" UNION ALL BY NAME FROM read_parquet({pattern}, filename = true{options})"
    columns = ", ".join(f'"{column}"' for column in names)
    fragment = "replace(split_part(filename, '/', -1), '.parquet', '')::INTEGER"
    view = "every_failure" if name == "failures" else name
    return f"CREATE VIEW {view} AS SELECT {columns}, {fragment} AS fragment FROM ({rows})"
