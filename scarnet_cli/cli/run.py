"""`scarnet run`: the whole way from DICOM to tables in one process, through the same functions as the pipeline."""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import rich_click as click

from scarnet_cli.cli.options import OUTPUT_DIRECTORY, WEIGHTS_NAME, weights_dir

if TYPE_CHECKING:
    from scarnet_cli.cohort.accounting import Accounting

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
@click.argument("source", metavar="DICOM_DIR", type=click.Path(exists=True, path_type=Path))
@click.argument("out", metavar="OUT", type=OUTPUT_DIRECTORY)
@click.option(
    "--localiser", type=WEIGHTS_NAME, default="localiser", show_default=True, help="Weights that find the heart."
)
@click.option("--weights", type=WEIGHTS_NAME, default="scarnet", show_default=True, help="Weights that label it.")
@weights_dir
@click.option("--fast", is_flag=True, help="Look at each slice once, not in six views.")
@click.option("--isolate", is_flag=True, help="Run each study in a child process, so that a crash costs only it.")
def run(source: Path, out: Path, localiser: Path, weights: Path, fast: bool, isolate: bool) -> None:
    """Measure the studies of DICOM_DIR (a folder, an archive or a samplesheet) without Nextflow.

    Meant for one study or a few; OUT gets what the pipeline writes: tables, studies, report. Ends with exit code 1 when
    no study could be measured.
    """
    accounting = run_studies_here(source, out, Networks(localiser, weights, fast), isolate=isolate)
    click.echo(f"{accounting.studies} studies: {accounting.scans} measured, {accounting.failures} failed.")
    click.echo(f"Tables: {out / 'tables'}\nReport: {out / 'report' / 'index.html'}")
    if not accounting.scans:
        click.echo("Error: no study could be measured; tables/failures.parquet says why.", err=True)
        sys.exit(1)


def run_studies_here(source: Path, out: Path, networks: Networks, *, isolate: bool) -> "Accounting":
    """Run every stage over one batch and put the results where the pipeline puts them.

    Raises:
        ScarnetError: The input, the weights or the accounting is wrong.
    """
    from scarnet_cli.cohort.gather import gather
    from scarnet_cli.report.page import write_report

    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".run-") as name:
        work = Path(name)
        _run_stages(source, work, networks, isolate=isolate)
        accounting = gather(sorted(path for path in work.iterdir() if path.is_dir()), out / "tables")
        _publish(work, out)
    write_report(out / "tables", [out / "studies"], out / "report")
    return accounting


def _run_stages(source: Path, work: Path, networks: Networks, *, isolate: bool) -> None:
    from scarnet_cli.cli.convert import convert_batch
    from scarnet_cli.cli.index import intake_progress
    from scarnet_cli.cohort.intake import IntakeOptions
    from scarnet_cli.cohort.plan import read_batch, write_plan
    from scarnet_cli.infer.crop_stage import crop_studies
    from scarnet_cli.infer.segment_stage import segment_studies
    from scarnet_cli.quantify.stage import quantify_studies

    with intake_progress() as take_in:
        intake = take_in(source, None, IntakeOptions(leave_out=work.parent))
    batches = [read_batch(path) for path in write_plan(intake, work / "index", len(intake.studies), sys.maxsize)]
    entries = [entry for batch in batches for entry in batch["studies"]]
    convert_batch(entries, intake.root, work / "convert", isolate=isolate)
    crop_studies(work / "convert", networks.localiser, work / "crop", isolate=isolate)
    segment_studies(work / "crop", networks.weights, work / "segment", fast=networks.fast, isolate=isolate)
    quantify_studies(work / "convert", work / "segment", work / "quantify", isolate=isolate)


def _publish(work: Path, out: Path) -> None:
    for stage, name in RESULTS:
        for path in sorted(work.glob(f"{stage}/studies/*/{name}")):
            target = out / "studies" / path.parent.name / name
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
