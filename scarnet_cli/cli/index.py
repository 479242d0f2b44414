"""`scarnet index`: find the studies and their LGE short-axis stacks."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from scarnet_cli.buckets.place import Place
from scarnet_cli.cli.output_options import OUTPUT_DIRECTORY
from scarnet_cli.cli.paths import EXISTING_FILE
from scarnet_cli.cli.problem import PROBLEM, ProblemCommand
from scarnet_cli.cli.progress import progress_bar
from scarnet_cli.cli.reader_options import CORRECTED, READER, corrections_in
from scarnet_cli.cli.source_options import (
    DOWNLOADS,
    HEADER_JOBS,
    PREVIOUS,
    SERIES_RULES,
    STUDIES,
    OwnOutput,
    StudySource,
    deidentify_options,
    index_source,
)
from scarnet_cli.errors import MachineError
from scarnet_cli.index.defaults import BATCH_GREATEST, BATCH_LEAST, FILE_SECONDS

if TYPE_CHECKING:
    from scarnet_cli.dicom.deidentification.pseudonyms import Pseudonyms

EXAMPLE = "Example: scarnet index /data/cohort --out index --previous results/pipeline_info/index.parquet"


@click.command(cls=ProblemCommand, epilog=EXAMPLE)
@click.argument("source", metavar="INPUT", type=StudySource(exists=False))
@click.option("--out", type=OUTPUT_DIRECTORY, required=True, help="Directory to write to.")
@PREVIOUS
@click.option(
    "--parts",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of partial results, from which an index that was killed continues; OUT/parts if not given.",
)
@click.option(
    "--leave-out",
    type=OwnOutput(),
    multiple=True,
    help="Folder below INPUT that is not searched, such as that of earlier results. May be repeated.",
)
@click.option("--batch-min", type=click.IntRange(1), default=BATCH_LEAST, show_default=True, help="Smallest batch.")
@click.option("--batch-max", type=click.IntRange(1), default=BATCH_GREATEST, show_default=True, help="Largest batch.")
@HEADER_JOBS
@click.option(
    "--file-seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=FILE_SECONDS,
    show_default=True,
    envvar="SCARNET_FILE_SECONDS",
    show_envvar=True,
    help="Time limit for one file in seconds; half a second per megabyte is added.",
)
@click.option(
    "--will-retry",
    is_flag=True,
    help="End with exit code 75, or 137 for memory, on a fault that a retry may overcome.",
)
@STUDIES
@DOWNLOADS
@SERIES_RULES
@click.option(
    "--retry-failed",
    metavar="CODES",
    help="Retry studies that failed with one of these codes, separated by commas, or 'all'; needs --failures. "
    "Studies that index itself failed are planned again in every run anyway.",
)
@click.option(
    "--failures",
    type=EXISTING_FILE,
    help="With --retry-failed: tables/failures.parquet of the last run.",
)
@CORRECTED
@READER
@PROBLEM
@deidentify_options
@click.option(
    "--crosswalk",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --deidentify: CSV file to write that maps pseudonyms to the original ids; only you can read it.",
)
def index(
    source: Place | str,
    out: Path,
    previous: Path | None,
    parts: Path | None,
    leave_out: tuple[Place, ...],
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
    corrected: Path | None,
    reader: str | None,
    deidentify: "Pseudonyms | None",
    crosswalk: Path | None,
) -> None:
    """Find the studies below a folder (or in an archive or samplesheet) and the LGE short-axis stack of each.

    Or those of a DICOMweb server, 'dicomweb+https://HOST/PATH?ModalitiesInStudy=MR'; `scarnet fetch` then fetches them.
    The login comes from the environment: SCARNET_PACS_USER and SCARNET_PACS_PASSWORD, or SCARNET_PACS_TOKEN.

    Writes studies, series, failures and unread.parquet, one file for each batch of studies, and index.parquet for the
    next run. If it is killed, the same command goes on where it stopped.
    """
    from scarnet_cli.dicom.series.rules_file import read_series_rules
    from scarnet_cli.draw.text import count_text
    from scarnet_cli.index.deidentify import write_crosswalk
    from scarnet_cli.index.files.cache import read_cache
    from scarnet_cli.index.files.read_contents import ReadOptions
    from scarnet_cli.index.index_input import IndexOptions, choice_by
    from scarnet_cli.index.label_maps import with_corrections
    from scarnet_cli.index.retries import RetryRequest, read_retry_request, with_retries
    from scarnet_cli.index.unread import files_summary
    from scarnet_cli.index.write_index import write_index

    _require_there(source, will_retry=will_retry)
    if batch_min > batch_max:
        message = f"{batch_min} is above --batch-max {batch_max}."
        raise click.BadParameter(message, param_hint="--batch-min")
    if crosswalk and deidentify is None:
        message = "there are no pseudonyms without --deidentify."
        raise click.BadParameter(message, param_hint="--crosswalk")
    if (retry_failed is None) != (failures is None):
        message = "--retry-failed and --failures go together: --failures names the failures table of an earlier run."
        raise click.UsageError(message)
    corrections = corrections_in(corrected, reader)
    memory = read_cache([previous] if previous else [])
    parts = parts or out / "parts"
    read = ReadOptions(jobs, parts, progress_bar, file_seconds, will_retry)
    wanted = read_retry_request(failures, retry_failed or "") if failures else RetryRequest()
    options = IndexOptions(read, (out, *leave_out), choice_by(read_series_rules(series_rules)), deidentify)
    found = index_source(source, memory, options, studies, downloads)
    found = with_corrections(with_retries(found, memory, wanted), corrections)
    if crosswalk:
        write_crosswalk(found.crosswalk, crosswalk)
    paths = write_index(found, out, batch_min, batch_max)
    shutil.rmtree(parts, ignore_errors=True)
    failed = sum(study.failure is not None for study in found.studies)
    counts = count_text(len(found.studies), "study", "studies"), count_text(len(paths), "batch", "batches")
    summary = f"{' in '.join(counts)}, {failed:,} failed"
    click.echo(f"{summary}; {files_summary(found.counts, found.unread)}", err=True)


def _require_there(source: Place | str, *, will_retry: bool) -> None:
    """Check that the input exists; a missing one is a usage error, unless it is a path that was there at first."""
    if isinstance(source, str) or source.exists():
        return
    if will_retry and isinstance(source, Path):
        message = "The input is not there any more. Bring it back and run again with -resume."
        raise MachineError("input_gone", message)
    dead = isinstance(source, Path) and source.is_symlink()
    message = f"Path '{source}' {'is a link that leads nowhere' if dead else 'does not exist'}."
    raise click.BadParameter(message, param_hint="INPUT")
