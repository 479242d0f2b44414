"""`scarnet index`: find the studies and their LGE short-axis stack."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import rich_click as click
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress

from scarnet_cli.cli.options import OUTPUT_DIRECTORY, PROBLEM, SERIES_RULES, problem_told_in
from scarnet_cli.cohort.intake import Intake, IntakeOptions, take_in
from scarnet_cli.cohort.plan import BATCH_GREATEST, BATCH_LEAST, write_plan
from scarnet_cli.cohort.study_plan import Choose
from scarnet_cli.dicom.cache import Remembered, read_cache
from scarnet_cli.dicom.rules_file import read_series_rules
from scarnet_cli.dicom.selection import chooser
from scarnet_cli.errors import InputError

Memory = Mapping[str, Remembered]
EXAMPLE = "Example: scarnet index /data/cohort --out index --previous results/pipeline_info/index.parquet"


@click.command(epilog=EXAMPLE)
@click.argument("source", metavar="INPUT", type=click.Path(exists=True, path_type=Path))
@click.option("--out", type=OUTPUT_DIRECTORY, help="Directory to write to; needed unless --explain is given.")
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
@SERIES_RULES
@click.option(
    "--explain",
    metavar="STUDY",
    help="Write nothing; print every stack of one study and why it was taken or left. STUDY is a study_id, a "
    "samplesheet's name, a StudyInstanceUID, or a folder below INPUT.",
)
@PROBLEM
def index(
    source: Path,
    out: Path | None,
    previous: Path | None,
    batch_min: int,
    batch_max: int,
    jobs: int,
    series_rules: Path | None,
    explain: str | None,
    problem: Path | None,
) -> None:
    """Find the studies below a folder (or in an archive or samplesheet) and the LGE short-axis stack of each.

    Writes studies, series and failures.parquet, one file for each batch of studies, and index.parquet for the next run.
    """
    if batch_min > batch_max:
        message = f"{batch_min} is above --batch-max {batch_max}."
        raise click.BadParameter(message, param_hint="--batch-min")
    memory = read_cache(previous) if previous and previous.exists() else {}
    if explain is not None:
        _print_choices(source, explain, memory, IntakeOptions(jobs, choose=chooser(read_series_rules(series_rules))))
        return
    if out is None:
        message = "Missing option '--out'."
        raise click.UsageError(message)
    with problem_told_in(problem, InputError):
        rules = read_series_rules(series_rules)
        with intake_progress() as progress:
            intake = progress(source, memory, out, jobs, chooser(rules))
    paths = write_plan(intake, out, batch_min, batch_max)
    failed = sum(study.failure is not None for study in intake.studies)
    counts = ", ".join(f"{n} {kind}" for kind, n in sorted(intake.counts.items()))
    summary = f"{len(intake.studies)} studies in {len(paths)} batches, {failed} failed"
    click.echo(f"{summary}; files: {counts or 'none'}", err=True)


def _print_choices(source: Path, wanted: str, memory: Memory, options: IntakeOptions) -> None:
    """Print the choice made for one study; one that is not there is wrong usage."""
    from scarnet_cli.cohort.explain import NO_SUCH_STUDY, find_choices
    from scarnet_cli.dicom.explain import explained

    try:
        choices = find_choices(source, wanted, memory, options)
    except InputError as error:
        if error.code == NO_SUCH_STUDY:
            raise click.BadParameter(str(error), param_hint="--explain") from None
        raise
    for choice in choices:
        click.echo(explained(choice.study_id, choice.selection) if choice.selection else choice.failure)


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

    def __call__(self, source: Path, memory: Memory, out: Path | None, jobs: int, choose: Choose) -> Intake:
        options = IntakeOptions(
            jobs=jobs,
            leave_out=out,
            choose=choose,
            begin=lambda total: self._bar.update(self._task, total=total),
            advance=lambda count: self._bar.advance(self._task, count),
        )
        return take_in(source, memory, options)
