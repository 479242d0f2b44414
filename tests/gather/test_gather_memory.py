"""What gathering holds in memory, beside what DuckDB may take: of the tables a row group."""

import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest

import scarnet_cli.gather.gather as gather_module
from benchmarks.gather_load import make_fragments
from scarnet_cli.tables import parquet

BATCH, ROW_GROUP = 20, 200
# What a study may cost: its share of the paths of its batch's files.
BYTES_A_STUDY = 200


def peak_bytes(studies: int, folder: Path) -> int:
    """Gather a made cohort and return the greatest memory that Arrow and Python held at a time, each on its own."""
    directories = make_fragments(folder / str(studies), studies, BATCH)
    usual = pa.default_memory_pool()
    counted = pa.proxy_memory_pool(usual)
    pa.set_memory_pool(counted)
    tracemalloc.start()
    try:
        total = gather_module.gather(directories, folder / f"out-{studies}")
        python = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        pa.set_memory_pool(usual)
    assert total.studies == studies
    return python + counted.max_memory()


def test_memory_does_not_grow_with_the_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (parquet, gather_module):
        monkeypatch.setattr(module, "ROW_GROUP", ROW_GROUP)
    few, many = 200, 2000
    with TemporaryDirectory() as name:  # whose path is short, unlike that of pytest's folders
        folder = Path(name)
        peak_bytes(few, folder / "once")  # what is imported or kept for good
        difference = peak_bytes(many, folder) - peak_bytes(few, folder)
    # The tables of one study take over 6 kB: 10 slices of 27 columns, 17 segments of 8, 8 bytes each.
    assert difference < (many - few) * BYTES_A_STUDY
