"""Gather the fragments of all stages and batches into the cohort's tables."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import track

from scarnet_cli.cohort.accounting import Accounting, check_accounting
from scarnet_cli.cohort.dictionary import GATHERED, dictionary_csv
from scarnet_cli.cohort.fragments import Fragment, find_fragments, with_table
from scarnet_cli.cohort.schema import TABLES
from scarnet_cli.cohort.tables import MODEL_DIGEST, file_metadata, sorted_table
from scarnet_cli.files import atomic_path, write_bytes

DICTIONARY: Final = "dictionary.csv"
_ROW_GROUP: Final = 100_000


def gather(directories: Iterable[Path], out: Path) -> Accounting:
    """Check the accounting, then merge the fragments' tables and write them with `dictionary.csv` into `out`.

    The result is the same for any order of the fragments. At most the fragments whose studies overlap are in memory at
    a time, so a cohort's size is limited by its list of study ids.

    Args:
        directories: Output directories of index, convert, crop, segment and quantify.
        out: Directory of the tables; made when absent.

    Raises:
        CohortError: A study is lost, unknown or there twice, or a fragment is unreadable; nothing is written then.
    """
    fragments = find_fragments(directories)
    accounting = check_accounting(fragments)
    console = Console(stderr=True)
    for name in track(GATHERED, description="gather", console=console, disable=not sys.stderr.isatty()):
        _merge(name, with_table(fragments, name), out / f"{name}.parquet", {MODEL_DIGEST: accounting.model_sha256})
    write_bytes(out / DICTIONARY, dictionary_csv().encode())
    return accounting


def _merge(name: str, fragments: Sequence[Fragment], path: Path, metadata: dict[str, str]) -> None:
    schema = TABLES[name].with_metadata(file_metadata(name, metadata))
    with atomic_path(path) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for rows in _row_groups(_sorted_parts(name, fragments)):
            writer.write_table(rows.replace_schema_metadata(schema.metadata), row_group_size=_ROW_GROUP)


def _sorted_parts(name: str, fragments: Sequence[Fragment]) -> Iterator[pa.Table]:
    """Yield sorted tables, each wholly before the next: fragments whose ranges of studies overlap are merged."""
    ranges = sorted((*bounds, i) for i, f in enumerate(fragments) if (bounds := _bounds(f.read(name, "study_id"))))
    overlapping: list[int] = []
    last = ""
    for first, greatest, i in ranges:
        if overlapping and first > last:
            yield _together(name, [fragments[i] for i in overlapping])
            overlapping = []
        overlapping.append(i)
        last = max(last, greatest)
    if overlapping:
        yield _together(name, [fragments[i] for i in overlapping])


def _together(name: str, fragments: Sequence[Fragment]) -> pa.Table:
    return sorted_table(name, pa.concat_tables([fragment.read(name) for fragment in fragments]))


def _bounds(rows: pa.Table) -> tuple[str, str] | None:
    if not rows.num_rows:
        return None
    bounds = pc.call_function("min_max", [rows["study_id"]])
    return bounds["min"].as_py(), bounds["max"].as_py()


def _row_groups(parts: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Join small tables, so that thousands of batches do not make thousands of row groups."""
    waiting: list[pa.Table] = []
    for part in parts:
        waiting.append(part)
        if sum(table.num_rows for table in waiting) >= _ROW_GROUP:
            yield pa.concat_tables(waiting).combine_chunks()
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting).combine_chunks()
