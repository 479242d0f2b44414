"""Are two runs' results the same? Tables value by value, the studies' files by content, times of making left aside."""

import gzip
from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pydicom
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

# Holds the tables once more, and no two are alike byte by byte.
LEFT = (".duckdb",)
TABLES = ("scans", "slices", "segments", "series", "failures", "exports")


def differences(reference: Path, out: Path, leave: Collection[str] = ()) -> list[str]:
    """Say in words what differs between two output directories, studies in `leave` left aside."""
    told = [f"{name}: {why}" for name in TABLES if (why := _table_difference(name, reference, out, leave))]
    wanted, given = (files_below(folder / "studies", leave) for folder in (reference, out))
    told += [f"{name}: {_word(name in wanted, name in given)}" for name in sorted(wanted.keys() ^ given.keys())]
    return told + [
        f"{name}: other content" for name in sorted(wanted.keys() & given.keys()) if wanted[name] != given[name]
    ]


def files_below(folder: Path, leave: Collection[str] = ()) -> dict[str, object]:
    """Return path -> content of all files below a folder, those of some studies left aside; tables without metadata."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix not in LEFT]
    names = {path.relative_to(folder).as_posix(): path for path in paths if not set(path.parts) & set(leave)}
    return {name: _content(path, leave) for name, path in names.items()}


def _content(path: Path, leave: Collection[str]) -> object:
    if path.suffix == ".parquet":
        return read_rows(path, leave)
    if path.suffix == ".dcm":
        return _without_times(pydicom.dcmread(path))
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def _without_times(dataset: Dataset) -> str:
    """Return a DICOM object's data as text, without dates and times: it says when it was made."""
    dataset.walk(_drop_time)
    return dataset.to_json(bulk_data_threshold=0, bulk_data_element_handler=lambda element: str(hash(element.value)))


def _drop_time(level: Dataset, element: DataElement) -> None:
    if element.VR in ("DA", "TM", "DT"):
        del level[element.tag]


def failed_studies(folder: Path) -> list[dict[str, str]]:
    """Return the rows of a folder's tables that say of a study why it failed, exports among them."""
    paths = [path for name in ("failures", "exports") if (path := folder / f"{name}.parquet").exists()]
    return [row for path in paths for row in pq.read_table(path).to_pylist() if row["code"] is not None]


def read_rows(path: Path, leave: Collection[str] = ()) -> pa.Table:
    """Read a table without its metadata (the time when it was made is in there)."""
    table = pq.read_table(path).replace_schema_metadata(None)
    if leave and "study_id" in table.column_names:
        return table.filter(pa.array([study not in leave for study in table["study_id"].to_pylist()], pa.bool_()))
    return table


def _table_difference(name: str, reference: Path, out: Path, leave: Collection[str]) -> str:
    paths = [folder / "tables" / f"{name}.parquet" for folder in (reference, out)]
    if not all(path.exists() for path in paths):
        return "" if not any(path.exists() for path in paths) else _word(*(path.exists() for path in paths))
    wanted, given = (read_rows(path, leave) for path in paths)
    if wanted.equals(given):
        return ""
    if wanted.num_rows != given.num_rows:
        return f"{given.num_rows} rows for {wanted.num_rows}"
    columns = [column for column in wanted.column_names if column not in given.column_names]
    columns += [c for c in given.column_names if c not in wanted.column_names or wanted[c] != given[c]]
    return f"other values of {', '.join(columns)}"


def _word(wanted: bool, given: bool) -> str:  # noqa: FBT001
    return "is missing" if wanted and not given else "is too much"
