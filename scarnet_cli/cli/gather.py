"""`scarnet gather`: merge the fragments of all batches into the cohort's tables."""

from pathlib import Path

import rich_click as click

from scarnet_cli.cli.output_options import OUTPUT_DIRECTORY, TABLE_FORMAT
from scarnet_cli.cli.paths import EXISTING_FOLDER
from scarnet_cli.cli.progress import progress_bar
from scarnet_cli.cli.reader_options import REVIEWED


@click.command(epilog="Example: scarnet gather work/index work/convert_* work/quantify_* --out results/tables")
@click.argument("fragments", nargs=-1, required=True, type=EXISTING_FOLDER)
@REVIEWED
@click.option("--out", required=True, type=OUTPUT_DIRECTORY, help="Directory of the tables.")
@TABLE_FORMAT
def gather(fragments: tuple[Path, ...], reviewed: Path | None, out: Path, table_format: str) -> None:
    """Merge the stages' output directories into the cohort's tables, and check that no study was lost.

    FRAGMENTS are the output directories of index, fetch, convert, crop, segment and quantify, in any order. Writes
    scans, slices, segments, series and failures as Parquet, all of them with views for SQL as cohort.duckdb, and
    dictionary.csv, into OUT. When the accounting of studies does not add up it names the studies, writes no table and
    ends with exit code 1.
    """
    from scarnet_cli.gather.gather import gather as gather_fragments

    total = gather_fragments(fragments, out, reviewed, csv=table_format == "csv", progress=progress_bar)
    click.echo(total.summary)
