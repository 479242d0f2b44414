"""Gather the fragments of all stages and batches into the cohort's tables."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import Progress

from scarnet_cli.files import atomic_path, write_bytes
from scarnet_cli.gather.accounting import Accounting, check_accounting
from scarnet_cli.gather.fragments import find_fragments
from scarnet_cli.gather.labels import Labels, read_labels
from scarnet_cli.gather.review import REVIEWED, read_decisions, with_decisions
from scarnet_cli.gather.survey import Survey, survey
from scarnet_cli.tables.csv import write_csv
from scarnet_cli.tables.database import require_fit, write_database
from scarnet_cli.tables.dictionary import DICTIONARY, GATHERED, dictionary_csv
from scarnet_cli.tables.parquet import MODEL_DIGEST, ROW_GROUP, file_metadata, sorted_table
from scarnet_cli.tables.schema import TABLES


def gather(directories: Iterable[Path], out: Path, reviewed: Path | None = None, *, csv: bool = False) -> Accounting:
    """Check the accounting, then merge the fragments' tables and write them to `out`.

    Each is written as Parquet, and all together as cohort.duckdb; dictionary.csv says what the columns mean.

    The result is the same for any order of the fragments, and for any batches that the studies travelled in. Of the
    whole cohort only study ids and labels are in memory; of the tables, row groups whose studies overlap.

    Args:
        directories: Output directories of index, fetch, convert, crop, segment and quantify.
        out: Directory of the tables; made when absent.
        reviewed: A reader's decisions (review.py), for the column `reviewed` of `scans`.
        csv: Write each as CSV as well.

    Raises:
        CohortError: A study is lost, unknown or there twice, a fragment is unreadable, or the database cannot be
            written there; nothing is written then.
        InputError: Rows of the review are wrong; likewise.
    """
    require_fit(out)
    fragments = find_fragments(directories)
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("gather", total=len(fragments) + len(GATHERED))
        found = survey(fragments, lambda: bar.advance(task))
        accounting = check_accounting(found)
        users = _Users(
            read_labels(fragments), read_decisions(reviewed, set(found.ids["studies"].to_pylist())) if reviewed else {}
        )
        for name in GATHERED:
            path = out / f"{name}.parquet"
            _merge(name, found, users, path)
            if csv:
                write_csv(path)
            bar.advance(task)
    write_bytes(out / DICTIONARY, dictionary_csv().encode())
    pa.default_memory_pool().release_unused()  # DuckDB has a pool of its own
    write_database(out)
    return accounting


@dataclass(frozen=True, slots=True)
class _Users:
    """What users say of their studies: labels, and decisions by study id."""

    labels: Labels
    decisions: Mapping[str, str]

    def added_to(self, rows: pa.Table) -> pa.Table:
        """Return gathered rows with those of it that their table has columns for."""
        labelled = self.labels.added_to(rows)
        return with_decisions(labelled, self.decisions) if REVIEWED in rows.column_names else labelled


def _merge(name: str, found: Survey, users: _Users, path: Path) -> None:
    schema = TABLES[name].with_metadata(file_metadata(name, {MODEL_DIGEST: found.model_sha256}))
    with atomic_path(path) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for rows in _row_groups(_sorted_parts(name, found)):
            writer.write_table(users.added_to(rows).replace_schema_metadata(schema.metadata))


def _sorted_parts(name: str, found: Survey) -> Iterator[pa.Table]:
    """Yield sorted tables, each wholly before the next.

    The spans come in the order of their first study, so what lies before the next span's first study is complete.
    """
    held = TABLES[name].empty_table()
    parts: list[pa.Table] = []
    for span in found.spans.get(name, ()):
        if sum(part.num_rows for part in parts) >= ROW_GROUP:
            held = pa.concat_tables([held, *parts])
            complete = pc.call_function("less", [held["study_id"], pa.scalar(span.first)])
            yield sorted_table(name, held.filter(complete))
            held, parts = held.filter(pc.call_function("invert", [complete])), []
        parts.append(found.fragments[span.fragment].part(name, span.part))
    yield sorted_table(name, pa.concat_tables([held, *parts]))


def _row_groups(parts: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Cut and join tables to row groups of one size, so that how the studies were batched leaves no trace."""
    waiting: list[pa.Table] = []
    for part in parts:
        joined = pa.concat_tables([*waiting, part])
        while joined.num_rows >= ROW_GROUP:
            yield joined.slice(0, ROW_GROUP).combine_chunks()
            joined = joined.slice(ROW_GROUP)
        waiting = [joined]
    yield from (rest.combine_chunks() for rest in waiting if rest.num_rows)
