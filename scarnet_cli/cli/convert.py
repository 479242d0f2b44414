"""`scarnet convert`: from chosen DICOM files to one volume a study."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from scarnet_cli.cli.options import OUTPUT_DIRECTORY, SERIES_RULES, deidentify_options, execution_options
from scarnet_cli.stage.execution import Execution

if TYPE_CHECKING:
    from scarnet_cli.dicom.deidentification.pseudonyms import Pseudonyms

EXAMPLE = "Example: scarnet convert /data/patient-7/mri --out converted"


@click.command(epilog=EXAMPLE)
@click.argument("source", metavar="BATCH_OR_DICOM", type=click.Path(exists=True, path_type=Path))
@click.option("--out", type=OUTPUT_DIRECTORY, required=True, help="Directory to write to.")
@SERIES_RULES
@execution_options
@deidentify_options
def convert(
    source: Path, out: Path, series_rules: Path | None, execution: Execution, deidentify: "Pseudonyms | None"
) -> None:
    """Convert studies to NIfTI: true LPS geometry, slices in order of position, rescaled values.

    Takes a batch file of `scarnet index` (or the folder that `scarnet fetch` made of it), whose series are chosen
    already, and which is de-identified or not as it was indexed; or a folder, archive, DICOM or NIfTI file or
    samplesheet, which is indexed first. Writes studies/<study_id>/image.nii.gz and study.json, and failures.parquet
    with a row for each study that has no volume.
    """
    from scarnet_cli.dicom.batch import is_batch, read_batch
    from scarnet_cli.dicom.convert_stage import convert_batch
    from scarnet_cli.dicom.series.rules_file import read_series_rules
    from scarnet_cli.index.intake import IntakeOptions, by_rules, take_in
    from scarnet_cli.index.unread import files_summary
    from scarnet_cli.stage.folder import FAILURES
    from scarnet_cli.stage.run import write_failures

    if is_batch(source):
        convert_batch(read_batch(source), out, execution)
        return
    options = IntakeOptions(jobs=int(execution.isolate), leave_out=(out,), pseudonyms=deidentify)
    intake = take_in(source, None, by_rules(read_series_rules(series_rules), options))
    click.echo(files_summary(intake.counts, intake.unread), err=True)
    failures = [study.failure for study in intake.studies if study.failure is not None]
    failures += convert_batch(intake.batch, out, execution)
    write_failures(failures, out / FAILURES)
    for failure in failures:
        click.echo(f"{failure.study_id} ({failure.code}): {failure.message}", err=True)
    if len(failures) == len(intake.studies):
        click.echo("Error: no study could be converted.", err=True)
        sys.exit(1)
