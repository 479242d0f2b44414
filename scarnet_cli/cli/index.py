"""`scarnet index`: find the studies and their LGE short-axis stack."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from scarnet_cli.cli.options import (
    DOWNLOADS,
    OUTPUT_DIRECTORY,
    PROBLEM,
    SERIES_RULES,
    STUDIES,
    ProblemCommand,
    Source,
    deidentify_options,
)
from scarnet_cli.errors import InputError, MachineError
from scarnet_cli.index.defaults import BATCH_GREATEST, BATCH_LEAST, FILE_SECONDS

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.progress import Progress

    from scarnet_cli.dicom.deidentification.pseudonyms import Pseudonyms
    from scarnet_cli.index.intake import Intake, IntakeOptions

EXAMPLE = "Example: scarnet index /data/cohort --out index --previous results/pipeline_info/index.parquet"


@click.command(cls=ProblemCommand, epilog=EXAMPLE)
@click.argument("source", metavar="INPUT", type=Source(exists=False))
@click.option("--out", type=OUTPUT_DIRECTORY, help="Directory to write to; needed unless --explain or --find is given.")
@click.option(
    "--previous",
    type=click.Path(dir_okay=False, path_type=Path),
    help="index.parquet of the last run: unchanged files are not read again. Ignored where it does not exist.",
)
@click.option(
    "--parts",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where what was read is kept until all is, for an index that was killed to go on from; else OUT/parts.",
)
@click.option(
    "--leave-out",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Folder below INPUT that is not searched, such as that of earlier results; may be given several times.",
)
@click.option(
    "--find",
    metavar="PLACE",
    help="Only print the path behind a place in `unread`, or behind the id of a failed study that could not be read.",
)
@click.option("--batch-min", type=click.IntRange(1), default=BATCH_LEAST, show_default=True, help="Smallest batch.")
@click.option("--batch-max", type=click.IntRange(1), default=BATCH_GREATEST, show_default=True, help="Largest batch.")
@click.option(
    "--jobs", type=click.IntRange(1), default=min(4, os.cpu_count() or 1), help="Processes that read headers."
)
@click.option(
    "--file-seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=FILE_SECONDS,
    show_default=True,
    envvar="SCARNET_FILE_SECONDS",
    show_envvar=True,
    help="How long one file may take, beside half a second for each megabyte.",
)
@click.option(
    "--will-retry",
    is_flag=True,
    help="End with exit code 75, or 137 for memory, at a fault that may have passed at the next attempt.",
)
@STUDIES
@DOWNLOADS
@SERIES_RULES
@click.option(
    "--retry-failed",
    metavar="CODES",
    help="Have studies tried again that failed with one of these codes, joined by commas, or 'all'; needs --failures. "
    "What index itself fails is looked at on each run anyway.",
)
@click.option(
    "--failures",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --retry-failed: tables/failures.parquet of the last run.",
)
@click.option(
    "--explain",
    metavar="STUDY",
    help="Write nothing; print every stack of one study and why it was taken or left. STUDY is a study_id, a "
    "samplesheet's name, a StudyInstanceUID, or a folder below INPUT.",
)
@PROBLEM
@deidentify_options
@click.option(
    "--crosswalk",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --deidentify: CSV file to write which pseudonym stands for whom; only you can read it.",
)
def index(
    source: Path | str,
    out: Path | None,
    previous: Path | None,
    parts: Path | None,
    leave_out: tuple[Path, ...],
    find: str | None,
    batch_min: int,
    batch_max: int,
    jobs: int,
    file_seconds: float,
    will_retry: bool,
    studies: Path | None,
    downloads: Path | None,
    series_rules: Path | None,
    retry_failed: str | None,
    failures: Path | None,
    explain: str | None,
    deidentify: "Pseudonyms | None",
    crosswalk: Path | None,
) -> None:
    """Find the studies below a folder (or in an archive or samplesheet) and the LGE short-axis stack of each.

    Or those of a DICOMweb server, 'dicomweb+https://HOST/PATH?ModalitiesInStudy=MR'; `scarnet fetch` then fetches them.
    The login comes from the environment: SCARNET_PACS_USER and SCARNET_PACS_PASSWORD, or SCARNET_PACS_TOKEN.

    Writes studies, series, failures and unread.parquet, one file for each batch of studies, and index.parquet for the
    next run. One that is killed goes on where it was when it is run again with the same --out.
    """
    from scarnet_cli.dicom.series.rules_file import read_series_rules
    from scarnet_cli.index.batch_files import write_plan
    from scarnet_cli.index.deidentify import write_crosswalk
    from scarnet_cli.index.files.cache import read_cache
    from scarnet_cli.index.intake import IntakeOptions, by_rules
    from scarnet_cli.index.retries import Wanted, read_wanted, with_retries
    from scarnet_cli.index.unread import files_summary

    _require_there(source, will_retry=will_retry)
    if find is not None:
        _print_places(_folder(source, "--find"), find, deidentify)
        return
    if explain is not None:
        options = by_rules(read_series_rules(series_rules), IntakeOptions(jobs))
        _print_choices(_folder(source, "--explain"), explain, read_cache([previous] if previous else []), options)
        return
    if out is None:
        message = "Missing option '--out'."
        raise click.UsageError(message)
    if batch_min > batch_max:
        message = f"{batch_min} is above --batch-max {batch_max}."
        raise click.BadParameter(message, param_hint="--batch-min")
    if crosswalk and deidentify is None:
        message = "there are no pseudonyms without --deidentify."
        raise click.BadParameter(message, param_hint="--crosswalk")
    if (retry_failed is None) != (failures is None):
        message = "--retry-failed needs --failures, the failures of an earlier run, and --failures needs it."
        raise click.UsageError(message)
    memory = read_cache([previous] if previous else [])
    parts = parts or out / "parts"
    wanted = read_wanted(failures, retry_failed or "") if failures else Wanted()
    options = IntakeOptions(
        jobs=jobs,
        leave_out=(out, *leave_out),
        parts=parts,
        pseudonyms=deidentify,
        file_s=file_seconds,
        will_retry=will_retry,
    )
    with intake_progress() as progress:
        intake = progress(source, memory, by_rules(read_series_rules(series_rules), options), studies, downloads)
    intake = with_retries(intake, memory, wanted)
    if crosswalk:
        write_crosswalk(intake.crosswalk, crosswalk)
    paths = write_plan(intake, out, batch_min, batch_max)
    shutil.rmtree(parts, ignore_errors=True)
    failed = sum(study.failure is not None for study in intake.studies)
    summary = f"{len(intake.studies)} studies in {len(paths)} batches, {failed} failed"
    click.echo(f"{summary}; {files_summary(intake.counts, intake.unread)}", err=True)


def _require_there(source: Path | str, *, will_retry: bool) -> None:
    """Say that an input does not exist: wrong usage, unless it was there when the run began."""
    if isinstance(source, str) or source.exists():
        return
    if will_retry:
        message = "The input is not there any more. Bring it back and run again with -resume."
        raise MachineError("input_gone", message)
    message = f"Path '{source}' {'is a link that leads nowhere' if source.is_symlink() else 'does not exist'}."
    raise click.BadParameter(message, param_hint="INPUT")


def _folder(source: Path | str, option: str) -> Path:
    """Return an input that is files; a server's address is wrong usage of this option."""
    if isinstance(source, str):
        message = "INPUT is a server's address; this option is for files."
        raise click.BadParameter(message, param_hint=option)
    return source


def _print_places(source: Path, place: str, pseudonyms: "Pseudonyms | None") -> None:
    """Print what was asked for by its key: the only time that a path is shown."""
    from scarnet_cli.index.places import find_place

    paths = find_place(source, place, pseudonyms)
    for path in paths:
        sys.stdout.buffer.write(os.fsencode(path) + b"\n")
    if not paths:
        message = f"No folder or file of the input has the key {place}; it may be gone."
        raise InputError("unknown_place", message)


def _print_choices(source: Path, wanted: str, memory: "pa.Table", options: "IntakeOptions") -> None:
    """Print the choice made for one study; one that is not there is wrong usage."""
    from scarnet_cli.dicom.series.explain import explained
    from scarnet_cli.index.explain import NO_SUCH_STUDY, find_choices

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
    """Show a progress bar on a terminal while an input is taken in: files found, then files read."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    console = Console(stderr=True)
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        yield _Runner(bar)


class _Runner:
    """Takes an input in and moves the bars."""

    def __init__(self, bar: "Progress") -> None:
        self._bar = bar
        self._found = bar.add_task("files found", total=None)
        self._read = bar.add_task("files read", total=None, start=False)

    def __call__(
        self,
        source: Path | str,
        memory: "pa.Table | None",
        options: "IntakeOptions",
        studies: Path | None = None,
        downloads: Path | None = None,
    ) -> "Intake":
        from scarnet_cli.index.intake import take_in

        options = replace(options, swept=self._swept, begin=self._begin, advance=self._advance)
        if isinstance(source, str):
            from scarnet_cli.pacs.intake import take_in_address

            return take_in_address(source, studies, downloads, memory, options)
        if studies:
            message = "A study list goes with a DICOMweb server's address; of a folder all studies are taken."
            raise InputError("list_without_server", message)
        return take_in(source, memory, options)

    def _swept(self, count: int) -> None:
        self._bar.advance(self._found, count)

    def _begin(self, total: int) -> None:
        self._bar.stop_task(self._found)
        self._bar.start_task(self._read)
        self._bar.update(self._read, total=total)

    def _advance(self, count: int) -> None:
        self._bar.advance(self._read, count)
