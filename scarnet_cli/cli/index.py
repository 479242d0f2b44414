"""`scarnet index`: find the studies and their LGE short-axis stack."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress

from scarnet_cli.cli.options import (
    DOWNLOADS,
    OUTPUT_DIRECTORY,
    PROBLEM,
    SOURCE,
    STUDIES,
    deidentify_options,
    problem_told_in,
)
from scarnet_cli.cohort.deidentify import write_crosswalk
from scarnet_cli.cohort.intake import Intake, IntakeOptions, take_in
from scarnet_cli.cohort.plan import BATCH_GREATEST, BATCH_LEAST, write_plan
from scarnet_cli.dicom.cache import Remembered, read_cache
from scarnet_cli.errors import InputError, PacsError

if TYPE_CHECKING:
    from scarnet_cli.dicom.pseudonyms import Pseudonyms

EXAMPLE = "Example: scarnet index /data/cohort --out index --previous results/pipeline_info/index.parquet"


@click.command(epilog=EXAMPLE)
@click.argument("source", metavar="INPUT", type=SOURCE)
@click.option("--out", type=OUTPUT_DIRECTORY, required=True, help="Directory to write to.")
@click.option(
    "--previous",
    type=click.Path(dir_okay=False, path_type=Path),
    help="index.parquet of the last run: unchanged files are not read again. Ignored where it does not exist.",
)
@click.option("--batch-min", type=click.IntRange(1), default=BATCH_LEAST, show_default=True, help="Smallest batch.")
@click.option("--batch-max", type=click.IntRange(1), default=BATCH_GREATEST, show_default=True, help="Largest batch.")
@click.option(
    "--jobs", type=click.IntRange(1), default=min(4, os.cpu_count() or 1), help="Processes that read headers."
)
@STUDIES
@DOWNLOADS
@PROBLEM
@deidentify_options
@click.option(
    "--crosswalk",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --deidentify: CSV file to write which pseudonym stands for whom; only you can read it.",
)
def index(
    source: Path | str,
    out: Path,
    previous: Path | None,
    batch_min: int,
    batch_max: int,
    jobs: int,
    studies: Path | None,
    downloads: Path | None,
    problem: Path | None,
    deidentify: "Pseudonyms | None",
    crosswalk: Path | None,
) -> None:
    """Find the studies below a folder (or in an archive or samplesheet) and the LGE short-axis stack of each.

    Or those of a DICOMweb server, 'dicomweb+https://HOST/PATH?ModalitiesInStudy=MR'; `scarnet fetch` then fetches them.
    The login comes from the environment: SCARNET_PACS_USER and SCARNET_PACS_PASSWORD, or SCARNET_PACS_TOKEN.

    Writes studies, series and failures.parquet, one file for each batch of studies, and index.parquet for the next run.
    """
    if batch_min > batch_max:
        message = f"{batch_min} is above --batch-max {batch_max}."
        raise click.BadParameter(message, param_hint="--batch-min")
    if crosswalk and deidentify is None:
        message = "there are no pseudonyms without --deidentify."
        raise click.BadParameter(message, param_hint="--crosswalk")
    memory = read_cache(previous) if previous and previous.exists() else {}
    with problem_told_in(problem, InputError, PacsError), intake_progress() as progress:
        intake = progress(source, memory, out, jobs, studies, downloads, deidentify)
    if crosswalk:
        write_crosswalk(intake.crosswalk, crosswalk)
    paths = write_plan(intake, out, batch_min, batch_max)
    failed = sum(study.failure is not None for study in intake.studies)
    counts = ", ".join(f"{n} {kind}" for kind, n in sorted(intake.counts.items()))
    summary = f"{len(intake.studies)} studies in {len(paths)} batches, {failed} failed"
    click.echo(f"{summary}; files: {counts or 'none'}", err=True)


@contextmanager
def intake_progress() -> "Iterator[_Runner]":
    """Show a progress bar on a terminal while an input is taken in."""
    console = Console(stderr=True)
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        yield _Runner(bar)


class _Runner:
    """Takes an input in and moves the bar."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("index", total=None)

    def __call__(
        self,
        source: Path | str,
        memory: dict[str, Remembered],
        out: Path,
        jobs: int,
        studies: Path | None = None,
        downloads: Path | None = None,
        pseudonyms: "Pseudonyms | None" = None,
    ) -> Intake:
        options = IntakeOptions(
            jobs=jobs,
            leave_out=out,
            begin=lambda total: self._bar.update(self._task, total=total),
            advance=lambda count: self._bar.advance(self._task, count),
            pseudonyms=pseudonyms,
        )
        if isinstance(source, str):
            from scarnet_cli.pacs.intake import take_in_address

            return take_in_address(source, studies, downloads, memory, options)
        if studies:
            message = "A study list goes with a DICOMweb server's address; of a folder all studies are taken."
            raise InputError("list_without_server", message)
        return take_in(source, memory, options)
