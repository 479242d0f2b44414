"""`scarnet convert`: turn each study's chosen DICOM files into a volume."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from scarnet_cli.buckets.place import Place
from scarnet_cli.cli.source_options import SERIES_RULES, deidentify_options
from scarnet_cli.cli.stage_options import BATCH_OR_DICOM, OUT, execution_options, tell_each
from scarnet_cli.stage.execution import Execution

if TYPE_CHECKING:
    from scarnet_cli.dicom.deidentification.pseudonyms import Pseudonyms

EXAMPLE = "Example: scarnet convert /data/patient-7/mri --out converted"


@click.command(epilog=EXAMPLE)
@BATCH_OR_DICOM
@OUT
@SERIES_RULES
@execution_options
@deidentify_options
def convert(
    source: Place, out: Path, series_rules: Path | None, execution: Execution, deidentify: "Pseudonyms | None"
) -> None:
    """Convert studies to NIfTI: true LPS geometry, slices in order of position, rescaled values.

    Takes a batch file of `scarnet index` (or the folder that `scarnet fetch` made of it), whose series are chosen
    already, and which is de-identified or not as it was indexed (its dates move by the key; without it there are
    none); or a folder, archive, DICOM or NIfTI file or
    samplesheet, which is indexed first. Writes studies/<study_id>/image.nii.gz and study.json, and failures.parquet
    with a row for each study that has no volume.
    """
    from scarnet_cli.dicom.batch import is_batch, read_batch
    from scarnet_cli.dicom.convert_stage import convert_batch
    from scarnet_cli.dicom.series.rules_file import read_series_rules
    from scarnet_cli.index.files.read_contents import ReadOptions
    from scarnet_cli.index.index_input import IndexOptions, choice_by, index_input
    from scarnet_cli.index.unread import files_summary
    from scarnet_cli.stage.folder import FAILURES
    from scarnet_cli.stage.run import write_failures

    if is_batch(source):
        convert_batch(read_batch(Path(str(source))), out, execution, deidentify)
        return
    read, choice = ReadOptions(int(execution.isolate)), choice_by(read_series_rules(series_rules))
    index = index_input(source, None, IndexOptions(read, (out,), choice, deidentify))
    click.echo(files_summary(index.counts, index.unread), err=True)
    failures = [study.failure for study in index.studies if study.failure is not None]
    failures += convert_batch(index.batch, out, execution, deidentify)
    write_failures(failures, out / FAILURES)
    tell_each(failures)
    if len(failures) == len(index.studies):
        click.echo("Error: no study could be converted.", err=True)
        sys.exit(1)
