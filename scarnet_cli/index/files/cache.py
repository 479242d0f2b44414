"""The index's memory (cache): one Arrow table of what each file held when last read, and of each study's plan.

A file is identified by the hash of its path. The memory holds no path, no name and no date: see `FrameFacts`, and
`same_patient` for how files of several patients can still be told apart.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from scarnet_cli.dicom.facts import FrameFacts
from scarnet_cli.dicom.headers import Header
from scarnet_cli.dicom.packing import MEMBER_LIMIT
from scarnet_cli.files import atomic_path
from scarnet_cli.index.files.same_patient import COLUMNS, READING, Numbers

# Raised when the meaning of a column changes; an older memory is then discarded instead of misread.
CACHE_VERSION: Final = "5"
# Kind of a row that holds a study's plan instead of a file; its key is the study's id.
PLAN: Final = "plan"
# Kind of a row that holds how often a failed study was tried again.
RETRY: Final = "retry"
TEXTS: Final = (PLAN, RETRY)
_VERSION_KEY: Final = b"scarnet_index_version"
_ROW_GROUP: Final = 65_536
_FEW_ROWS: Final = 100_000
_LEAST_ROW_BYTES: Final = 4
_ARROW_TYPES: Final[dict[str, pa.DataType]] = {
    "str": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "tuple[float, ...]": pa.list_(pa.float64()),
}
_FRAME_FIELDS: Final = FrameFacts._fields
_NO_FRAME: Final = (None,) * len(_FRAME_FIELDS)
# Text columns that differ from row to row; other text columns are dictionaries, which hold each text once.
_UNIQUE: Final = {"key", "sop_uid", "plan"}


def _arrow_type(annotation: Any) -> pa.DataType:  # noqa: ANN401 (a type or a union of one with None)
    name = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    return _ARROW_TYPES[name.removesuffix(" | None")]


# Schema of the file. One row for each frame, for each file without frames, and for each plan or retry.
SCHEMA: Final = pa.schema(
    [
        pa.field("key", pa.string()),
        pa.field("size", pa.int64()),
        pa.field("mtime_ns", pa.int64()),
        pa.field("kind", pa.string()),
        pa.field("members", pa.int64()),
        pa.field("file_study_uid", pa.string()),
        *(pa.field(name, pa.int64()) for name in (READING, *COLUMNS)),
        *(pa.field(name, _arrow_type(kind)) for name, kind in FrameFacts.__annotations__.items()),
        pa.field("plan", pa.string()),
    ],
    metadata={_VERSION_KEY: CACHE_VERSION.encode()},
)


def _held_type(field: pa.Field) -> pa.DataType:
    many = field.type == pa.string() and field.name not in _UNIQUE
    return pa.dictionary(pa.int32(), pa.string()) if many else field.type


# Schema in the process: with dictionaries, a million rows take a third of the memory.
HELD: Final = pa.schema([pa.field(field.name, _held_type(field)) for field in SCHEMA])
NOTHING: Final = pa.Table.from_batches([], schema=HELD)  # empty_table() would import pandas


def file_rows(files: Iterable[tuple[str, int, int, int, Header]], numbers: Numbers) -> pa.Table:
    """Return the rows of files.

    Args:
        files: Key, size, time, number of members (0 if it is not an archive) and header of each file.
        numbers: Numbers the values of their witnesses.
    """
    rows: list[tuple[Any, ...]] = []
    for key, size, mtime_ns, members, header in files:
        same = numbers.of(header.study_uid, header.witnesses)
        head = (key, size, mtime_ns, header.kind, members, header.study_uid, numbers.reading, *same)
        rows += [(*head, *(frame or _NO_FRAME), None) for frame in header.frames or (None,)]
    return _table(list(zip(*rows, strict=True)) or [()] * len(SCHEMA))


def text_rows(kind: str, texts: Iterable[tuple[str, str]]) -> pa.Table:
    """Return rows of one of the kinds `TEXTS`, given pairs of key and text."""
    columns: list[list[Any]] = [[] for _ in SCHEMA]
    for key, text in texts:
        row = {"key": key, "kind": kind, "plan": text}
        for name, column in zip(SCHEMA.names, columns, strict=True):
            column.append(row.get(name))
    return _table(columns)


def _table(columns: Sequence[Sequence[Any]]) -> pa.Table:
    return pa.Table.from_arrays([pa.array(c, f.type) for c, f in zip(columns, HELD, strict=True)], schema=HELD)


def facts_of(rows: pa.Table) -> list[FrameFacts | None]:
    """Return the facts of each row; None for a row without a frame."""
    columns = [rows[name].to_pylist() for name in _FRAME_FIELDS]
    for name, column in zip(_FRAME_FIELDS, columns, strict=True):
        if pa.types.is_list(HELD.field(name).type):
            column[:] = [tuple(value) if value is not None else None for value in column]
    return [FrameFacts(*values) if values[0] is not None else None for values in zip(*columns, strict=True)]


def codes_of(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], list[str]]:
    """Return a dictionary column's codes (rows,), -1 for null, and the texts that they index."""
    array = column.combine_chunks()
    return array.indices.fill_null(-1).to_numpy().astype(np.int64), array.dictionary.to_pylist()


def write_cache(memory: pa.Table, path: Path) -> None:
    """Write rows as Parquet, atomically and sorted by key; equal content gives equal bytes."""
    ordered = memory.unify_dictionaries().take(pc.call_function("sort_indices", [memory["key"]]))
    with atomic_path(path) as temporary, pq.ParquetWriter(temporary, SCHEMA, compression="zstd") as writer:
        for start in range(0, len(ordered), _ROW_GROUP):
            # cast to plain text, so that the bytes do not depend on the order of the dictionaries
            writer.write_table(ordered.slice(start, _ROW_GROUP).cast(SCHEMA).combine_chunks())


def read_cache(paths: Iterable[Path]) -> pa.Table:
    """Return several memory files as one table; see `merged`. Damaged files and other versions are skipped."""
    return merged([_read(path) for path in paths])


def merged(memories: Iterable[pa.Table]) -> pa.Table:
    """Return several memories as one; for a file that several know, the first counts."""
    tables = [table for table in memories if len(table)]
    memory = pa.concat_tables([NOTHING, *tables]).unify_dictionaries().combine_chunks()
    if len(tables) < 2:  # noqa: PLR2004 (nothing is there twice)
        return memory
    options = pc.SetLookupOptions(value_set=memory["key"])
    first = pc.call_function("index_in", [memory["key"]], options).to_numpy()
    ends = np.cumsum([len(table) for table in tables])[:-1]
    return memory.filter(pa.array(first == run_starts(memory["key"], ends)))


def run_starts(keys: pa.ChunkedArray, breaks: Iterable[int] = ()) -> NDArray[np.int64]:
    """Return (rows,) index of the first row of each row's run of equal keys; a run does not cross a break."""
    begins = np.ones(len(keys), bool)
    begins[1:] = pc.call_function("not_equal", [keys.slice(1), keys.slice(0, max(0, len(keys) - 1))]).to_numpy()
    begins[list(breaks)] = True
    return np.maximum.accumulate(np.where(begins, np.arange(len(keys)), 0))


def _read(path: Path) -> pa.Table:
    many = [field.name for field in HELD if pa.types.is_dictionary(field.type)]
    try:
        with pq.ParquetFile(path, read_dictionary=many) as file:
            version = (file.schema_arrow.metadata or {}).get(_VERSION_KEY)
            if version != CACHE_VERSION.encode() or file.metadata.num_rows > _most_rows(path):
                return NOTHING
            table = file.read().cast(HELD)
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError, LookupError):
        return NOTHING
    return table if _makes_sense(table) else NOTHING


def _most_rows(path: Path) -> int:
    """Return the largest number of rows that a file of this size can hold: each takes several compressed bytes."""
    return _FEW_ROWS + path.stat().st_size // _LEAST_ROW_BYTES


def _makes_sense(table: pa.Table) -> bool:
    """Tell whether every row has a key and a kind, and every file's row its size, time and number of members."""
    options = pc.SetLookupOptions(value_set=pa.array(TEXTS))
    texts = pc.call_function("is_in", [table["kind"].cast(pa.string())], options)
    files = table.filter(pc.call_function("invert", [texts]))
    whole = all(not files[name].null_count for name in ("size", "mtime_ns", "members"))
    members = pc.call_function("max", [files["members"]]).as_py() or 0
    return whole and not table["key"].null_count and not table["kind"].null_count and members <= MEMBER_LIMIT
