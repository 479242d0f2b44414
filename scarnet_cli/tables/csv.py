"""Gathered tables as CSV, for programs that cannot read Parquet."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from scarnet_cli.files import atomic_path


def write_csv(parquet: Path) -> None:
    """Write a Parquet table as UTF-8 CSV beside it, row group by row group.

    Null is an empty cell and an empty string is two quotes; lists are joined with ";"; numbers have as many digits as
    needed to read back the same value.
    """
    with pq.ParquetFile(parquet) as file, atomic_path(parquet.with_suffix(".csv")) as temporary:
        schema = pa.schema([(f.name, pa.string() if pa.types.is_list(f.type) else f.type) for f in file.schema_arrow])
        options = pa_csv.WriteOptions(quoting_style="needed")
        with pa_csv.CSVWriter(temporary, schema, write_options=options) as writer:
            for number in range(file.num_row_groups):
                rows = file.read_row_group(number)
                writer.write_table(pa.table([_cells(rows[name]) for name in schema.names], schema=schema))


def _cells(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.call_function("binary_join", [column, ";"]) if pa.types.is_list(column.type) else column
