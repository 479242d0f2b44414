"""The index's memory: what each file held when it was last read, keyed by a hash of its path.

It holds no path, no name and no date: see `FrameFacts`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from scarnet_cli.dicom.facts import FoundFile, FrameFacts
from scarnet_cli.dicom.headers import BROKEN, Header
from scarnet_cli.dicom.identity import path_key
from scarnet_cli.files import atomic_path

# Raised when a column changes its meaning; an older cache is then read anew instead of misread.
CACHE_VERSION: Final = "2"
_VERSION_KEY: Final = b"scarnet_index_version"
_ARROW_TYPES: Final[dict[str, pa.DataType]] = {
    "str": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "tuple[float, ...]": pa.list_(pa.float64()),
}
_FRAME_FIELDS: Final = [field.name for field in fields(FrameFacts)]


def _arrow_type(annotation: Any) -> pa.DataType:  # noqa: ANN401 (a type or a union of one with None)
    name = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    return _ARROW_TYPES[name.removesuffix(" | None")]


SCHEMA: Final = pa.schema(
    [
        pa.field("key", pa.string()),
        pa.field("size", pa.int64()),
        pa.field("mtime_ns", pa.int64()),
        pa.field("kind", pa.string()),
        pa.field("members", pa.int64()),
        pa.field("file_study_uid", pa.string()),
        *(pa.field(field.name, _arrow_type(field.type)) for field in fields(FrameFacts)),
    ],
    metadata={_VERSION_KEY: CACHE_VERSION.encode()},
)


@dataclass(frozen=True, slots=True)
class Remembered:
    """A file's state when it was read and what it held.

    Attributes:
        size: Bytes (the archive's for a member).
        mtime_ns: Time of the last change.
        header: What it held.
        members: Number of files in it where it is an archive, else 0.
    """

    size: int
    mtime_ns: int
    header: Header
    members: int = 0


def recall(memory: Mapping[str, Remembered], file: FoundFile) -> Remembered | None:
    """Return what is remembered of a file, None where it is new, has changed or could not be read."""
    known = memory.get(path_key(file.path, file.member))
    if known is None or known.header.kind == BROKEN:  # a broken one may be mended without a change of time: try again
        return None
    return known if (known.size, known.mtime_ns) == (file.size, file.mtime_ns) else None


def write_cache(memory: Mapping[str, Remembered], path: Path) -> None:
    """Write the cache as Parquet, one row a frame and one for each other file, atomically and sorted by key."""
    columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
    for key in sorted(memory):
        known = memory[key]
        head = (key, known.size, known.mtime_ns, known.header.kind, known.members, known.header.study_uid)
        for frame in known.header.frames or (None,):
            for name, value in zip(SCHEMA.names, head, strict=False):
                columns[name].append(value)
            for name in _FRAME_FIELDS:
                columns[name].append(getattr(frame, name) if frame else None)
    with atomic_path(path) as temporary:
        pq.write_table(pa.table(columns, schema=SCHEMA), temporary, compression="zstd")


def read_cache(path: Path) -> dict[str, Remembered]:
    """Read a cache; one that is damaged or of another version is as good as none."""
    try:
        with pq.ParquetFile(path) as file:
            table = file.read()
    except (pa.ArrowInvalid, OSError):
        return {}
    if (table.schema.metadata or {}).get(_VERSION_KEY) != CACHE_VERSION.encode():
        return {}
    return {key: _remembered(list(rows)) for key, rows in groupby(_rows(table), key=lambda row: row["key"])}


def _rows(table: pa.Table) -> Iterable[dict[str, Any]]:
    for batch in table.to_batches(max_chunksize=20_000):
        yield from batch.to_pylist()


def _remembered(rows: list[dict[str, Any]]) -> Remembered:
    head = rows[0]
    frames = tuple(_frame(row) for row in rows if row["study_uid"] is not None)
    header = Header(head["kind"], head["file_study_uid"], frames)
    return Remembered(head["size"], head["mtime_ns"], header, head["members"])


def _frame(row: dict[str, Any]) -> FrameFacts:
    values: dict[str, Any] = {name: tuple(v) if isinstance(v := row[name], list) else v for name in _FRAME_FIELDS}
    return FrameFacts(**values)
