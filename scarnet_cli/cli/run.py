"""`scarnet run`: the whole way from DICOM to tables in one process, through the same functions as the pipeline."""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import rich_click as click

from scarnet_cli.cli.options import OUTPUT_DIRECTORY, SOURCE, WEIGHTS_NAME, deidentify_options, weights_dir

if TYPE_CHECKING:
    from scarnet_cli.cohort.accounting import Accounting
    from scarnet_cli.dicom.pseudonyms import Pseudonyms

# What of each stage's directory is a result, as in conf/modules.config.
RESULTS: Final = (
    ("convert", "image.nii.gz"),
    ("segment", "labels.nii.gz"),
    ("quantify", "overlay.png"),
    ("quantify", "study.json"),
)


@dataclass(frozen=True, slots=True)
class Networks:
    """The weights files that a run needs, and whether the second looks at each slice only once."""

    localiser: Path
    weights: Path
    fast: bool


@click.command(epilog="Example: scarnet run /data/patient-7/mri results")
@click.argument("source", metavar="DICOM_DIR", type=SOURCE)
@click.argument("out", metavar="OUT", type=OUTPUT_DIRECTORY)
@click.option(
    "--localiser", type=WEIGHTS_NAME, default="localiser", show_default=True, help="Weights that find the heart."
)
@click.option("--weights", type=WEIGHTS_NAME, default="scarnet", show_default=True, help="Weights that label it.")
@weights_dir
@click.option("--fast", is_flag=True, help="Look at each slice once, not in six views.")
@click.option("--isolate", is_flag=True, help="Run each study in a child process, so that a crash costs only it.")
@deidentify_options
def run(
    source: Path | str,
    out: Path,
    localiser: Path,
    weights: Path,
    fast: bool,
    isolate: bool,
    deidentify: "Pseudonyms | None",
) -> None:
    """Measure the studies of DICOM_DIR without Nextflow: a folder, an archive, a samplesheet, or a server's address.

    Meant for one study or a few; OUT gets what the pipeline writes: tables, studies, report. Ends with exit code 1 when
    no study could be measured.
    """
    networks = Networks(localiser, weights, fast)
    accounting = run_studies_here(source, out, networks, isolate=isolate, pseudonyms=deidentify)
    click.echo(f"{accounting.studies} studies: {accounting.scans} measured, {accounting.failures} failed.")
    click.echo(f"Tables: {out / 'tables'}\nReport: {out / 'report' / 'index.html'}")
    if not accounting.scans:
        click.echo("Error: no study could be measured; tables/failures.parquet says why.", err=True)
        sys.exit(1)


def run_studies_here(
    source: Path | str, out: Path, networks: Networks, *, isolate: bool, pseudonyms: "Pseudonyms | None" = None
) -> "Accounting":
    """Run every stage over one batch and put the results where the pipeline puts them.

    Args:
        source: Folder, archive, samplesheet or a server's address.
        out: Directory of the results.
        networks: The weights.
        isolate: Each study in a process of its own.
        pseudonyms: To de-identify all results; None to leave them as they are.

    Raises:
        ScarnetError: The input, the weights or the accounting is wrong.
    """
    from scarnet_cli.cohort.deidentify import require_none_identified
    from scarnet_cli.cohort.gather import gather
    from scarnet_cli.report.page import write_report

    if pseudonyms is not None:
        require_none_identified(out)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".run-") as name:
        work = Path(name)
        entries, root = _planned(source, work, pseudonyms)
        _run_stages(entries, root, work, networks, isolate=isolate)
        accounting = gather(sorted(path for path in work.iterdir() if path.is_dir()), out / "tables")
        _publish(work, out)
    write_report(out / "tables", [out / "studies"], out / "report")
    return accounting


def _planned(source: Path | str, work: Path, pseudonyms: "Pseudonyms | None") -> tuple[list[dict[str, Any]], Path]:
    """Return the studies' entries and the root that their files, fetched where they must be, lie below."""
    from scarnet_cli.cli.fetch import fetch_batch
    from scarnet_cli.cli.index import intake_progress
    from scarnet_cli.cohort.plan import read_batch, write_plan

    with intake_progress() as take_in:
        intake = take_in(source, {}, work.parent, 1, pseudonyms=pseudonyms)
    paths = write_plan(intake, work / "index", len(intake.studies), sys.maxsize)
    if intake.server:
        for path in paths:
            fetch_batch(path, work / "fetch", None)
        paths = [work / "fetch"] if paths else []
    batches = [read_batch(path) for path in paths]
    root = Path(batches[0]["root"]) if batches else work
    return [entry for batch in batches for entry in batch["studies"]], root


def _run_stages(entries: list[dict[str, Any]], root: Path, work: Path, networks: Networks, *, isolate: bool) -> None:
    from scarnet_cli.cli.convert import convert_batch
    from scarnet_cli.infer.crop_stage import crop_studies
    from scarnet_cli.infer.segment_stage import segment_studies
    from scarnet_cli.quantify.stage import quantify_studies

    convert_batch(entries, root, work / "convert", isolate=isolate)
    crop_studies(work / "convert", networks.localiser, work / "crop", isolate=isolate)
    segment_studies(work / "crop", networks.weights, work / "segment", fast=networks.fast, isolate=isolate)
    quantify_studies(work / "convert", work / "segment", work / "quantify", isolate=isolate)


def _publish(work: Path, out: Path) -> None:
    for stage, name in RESULTS:
        for path in sorted(work.glob(f"{stage}/studies/*/{name}")):
            target = out / "studies" / path.parent.name / name
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
