"""`scarnet diff`: what differs between the tables of two runs."""

import sys
from pathlib import Path

import rich_click as click

from scarnet_cli.cli.output_options import OUTPUT_DIRECTORY, TABLE_FORMAT
from scarnet_cli.cli.paths import EXISTING_FOLDER


@click.command(epilog="Example: scarnet diff results/pipeline_info/earlier_tables results --out what-changed")
@click.argument("old", type=EXISTING_FOLDER)
@click.argument("new", type=EXISTING_FOLDER)
@click.option("--out", type=OUTPUT_DIRECTORY, help="Directory for changes.parquet and the page, index.html.")
@click.option(
    "--tolerance",
    multiple=True,
    metavar="[NAME=]NUMBER[%]",
    help="How far numbers may move: 0 for all of them, ml=2% for those of a unit, scar_percent_lv=0.5 for a column. "
    "May be repeated.",
)
@TABLE_FORMAT
@click.option("--fail-on-change", is_flag=True, help="End with exit code 1 if any study differs.")
def diff(
    old: Path, new: Path, out: Path | None, tolerance: tuple[str, ...], table_format: str, fail_on_change: bool
) -> None:
    """Say what a new model, version or decision changed: studies that appeared, vanished, failed, or moved.

    OLD and NEW are output directories of runs, or directories of their tables. OUT/pipeline_info/earlier_tables holds
    those of the run before in the same OUT.

    Without --tolerance a percentage may move by 1 point, volumes and masses by 1 ml or g or 2 %, and other numbers by
    what the page says. Ends with exit code 0 whether studies differ or not, unless --fail-on-change is given.
    """
    from scarnet_cli.diff.diff import diff_runs
    from scarnet_cli.diff.page import summary_lines

    found = diff_runs(old, new, out, tolerance, csv=table_format == "csv")
    for line in summary_lines(found):
        click.echo("".join(letter if letter.isprintable() else "?" for letter in line))
    if out:
        click.echo(f"Page: {out / 'index.html'}\nTable: {out / 'changes.parquet'}")
    if fail_on_change and found.changed:
        click.echo(f"Error: {found.changed:,} studies differ (--fail-on-change).", err=True)
        sys.exit(1)
