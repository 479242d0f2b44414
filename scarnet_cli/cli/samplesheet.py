"""`scarnet samplesheet`: a private sheet of a folder's studies, to fill in and give as input."""

from pathlib import Path

import rich_click as click

from scarnet_cli.buckets.place import Place
from scarnet_cli.cli.source_options import FILES, HEADER_JOBS, PREVIOUS, SERIES_RULES


@click.command(epilog="Example: scarnet samplesheet /data/cohort --out ~/private/cohort.csv")
@click.argument("source", metavar="INPUT", type=FILES)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="CSV file to write; only you can read it. An existing one is never overwritten.",
)
@PREVIOUS
@HEADER_JOBS
@SERIES_RULES
def samplesheet(source: Place, out: Path, previous: Path | None, jobs: int, series_rules: Path | None) -> None:
    """Write a samplesheet of the studies in INPUT, a folder or archive of DICOM, to fill in and give as --input.

    It is the one file that holds names: columns that begin with private_ say patient, date and series, and no command
    reads them. Keep it as private as the images. Fill in visit, group and site, and add columns of your own.
    """
    from scarnet_cli.cli.progress import progress_bar
    from scarnet_cli.dicom.series.rules_file import read_series_rules
    from scarnet_cli.draw.text import count_text
    from scarnet_cli.index.files.cache import read_cache
    from scarnet_cli.index.files.read_contents import ReadOptions
    from scarnet_cli.index.index_input import IndexOptions, choice_by
    from scarnet_cli.index.private_sheet import read_private_rows, require_new, write_private_sheet

    require_new(out)
    options = IndexOptions(ReadOptions(jobs, progress=progress_bar), choice=choice_by(read_series_rules(series_rules)))
    rows = read_private_rows(source, read_cache([previous] if previous else []), options)
    write_private_sheet(rows, out)
    patients = len({row.patient_id for row in rows if row.patient_id})
    failed = sum(bool(row.problem) for row in rows)
    click.echo(
        f"{out}: {count_text(len(rows), 'study', 'studies')} of {count_text(patients, 'patient')}"
        f"{f', {failed:,} without a stack to measure' if failed else ''}. It holds names; only you can read it.",
        err=True,
    )
