"""`scarnet figures`: figures and Table 1 for a paper, from a finished run."""

from pathlib import Path

import rich_click as click

from scarnet_cli.cli.output_options import OUTPUT_DIRECTORY
from scarnet_cli.cli.paths import EXISTING_FOLDER


@click.command(epilog="Example: scarnet figures results --by group --out paper")
@click.argument("run", metavar="OUT", type=EXISTING_FOLDER)
@click.option(
    "--by",
    metavar="COLUMN",
    help="Column of scans that groups the studies, also one of your own from the samplesheet; default: `group`.",
)
@click.option("--out", type=OUTPUT_DIRECTORY, help="Directory of the figures; default: OUT/figures.")
def figures(run: Path, by: str | None, out: Path | None) -> None:
    """Make the figures and Table 1 of a paper: SVG and PNG files, CSV tables, and a page that shows them.

    OUT is a run's output directory, or that of its tables. Studies that a reader rejected are counted in the flow and
    left out of everything else. What cannot be drawn is a figure that says why.
    """
    from scarnet_cli.draw.text import count_text
    from scarnet_cli.figures.write import write_figures

    out = OUTPUT_DIRECTORY.convert(run / "figures", None, None) if out is None else out
    written = write_figures(run, by, out)
    for plate in written:
        if not plate.drawings:
            click.echo(f"{plate.name}: {' '.join(plate.words)}")
    click.echo(
        f"{out / 'index.html'}: {count_text(sum(bool(plate.drawings) for plate in written), 'figure')}, table1.csv."
    )
