"""`scarnet report`: make the cohort's report."""

from pathlib import Path

import rich_click as click

from scarnet_cli.cli.output_options import OUTPUT_DIRECTORY
from scarnet_cli.cli.paths import EXISTING_FOLDER
from scarnet_cli.cli.reader_options import REVIEWED


@click.command(epilog="Example: scarnet report results/tables --studies results/studies --out results/report")
@click.argument("tables", type=EXISTING_FOLDER)
@click.option(
    "--studies",
    multiple=True,
    type=EXISTING_FOLDER,
    help="Where the pictures are: OUT/studies, an output directory of quantify, or a folder of these. May be repeated.",
)
@REVIEWED
@click.option("--out", required=True, type=OUTPUT_DIRECTORY, help="Directory of the report.")
def report(tables: Path, studies: tuple[Path, ...], reviewed: Path | None, out: Path) -> None:
    """Make the cohort's report, OUT/index.html, from the tables that `scarnet gather` wrote.

    The index and its folder of studies open from disk in any browser and need no network. With --reviewed, the
    decisions go into TABLES/scans.parquet first (column `reviewed`).
    """
    from scarnet_cli.draw.text import count_text
    from scarnet_cli.gather.carry_decisions import carry_decisions
    from scarnet_cli.report.page import write_report

    if reviewed:
        carry_decisions(tables, reviewed)
    count = write_report(tables, studies, out)
    click.echo(f"{out / 'index.html'}: {count_text(count, 'study', 'studies')}.")
