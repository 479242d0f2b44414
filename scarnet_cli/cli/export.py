"""`scarnet export`: write results as DICOM, for an archive and its viewers."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from scarnet_cli.buckets.place import Place
from scarnet_cli.cli.paths import EXISTING_FOLDER
from scarnet_cli.cli.source_options import deidentify_options
from scarnet_cli.cli.stage_options import BATCH_OR_DICOM, OUT, execution_options, tell_each
from scarnet_cli.stage.execution import Execution

if TYPE_CHECKING:
    from scarnet_cli.dicom.deidentification.pseudonyms import Pseudonyms


@click.command(
    epilog="Example: scarnet export /data/patient-7/mri results --out results\n\n"
    "In the pipeline: scarnet export batch-ab12.json quantify --out export"
)
@BATCH_OR_DICOM
@click.argument(
    "results",
    metavar="RESULTS...",
    nargs=-1,
    required=True,
    type=EXISTING_FOLDER,
)
@OUT
@click.option("--store", metavar="DICOMWEB_ADDRESS", help="Server to store them on, as `scarnet store` does.")
@execution_options
@deidentify_options
def export(
    source: Place,
    results: tuple[Path, ...],
    out: Path,
    store: str | None,
    execution: Execution,
    deidentify: "Pseudonyms | None",
) -> None:
    """Write label maps as DICOM Segmentation and measures as Structured Report, both referring to the source images.

    Takes the images as `scarnet convert` does, and the directories where the results are: of the pipeline, `scarnet
    run` or `scarnet quantify`. Writes studies/<study_id>/seg.dcm and report.dcm, and exports.parquet with a row for
    each measured study. These files hold the patient's name and numbers, as the images do: an archive files them by
    these. With --deidentify, as the studies were indexed, they hold pseudonyms and refer to new UIDs, which suits an
    archive for research and not the hospital's own.
    """
    from scarnet_cli.dicom.batch import is_batch, read_batch
    from scarnet_cli.dicom.results.export_stage import export_studies
    from scarnet_cli.index.index_input import IndexOptions, index_input
    from scarnet_cli.stage.folder import StudyFile, study_folders

    indexed_here = not is_batch(source)
    if indexed_here:
        batch = index_input(source, None, IndexOptions(leave_out=(out,), pseudonyms=deidentify)).batch
    else:
        batch = read_batch(Path(str(source)))
    failures = export_studies(batch, results, out, execution, pseudonyms=deidentify)
    tell_each(failures)
    if indexed_here and not study_folders(out, StudyFile.SEGMENTATION):
        click.echo("Error: no study could be exported.", err=True)
        sys.exit(1)
    if store:
        from scarnet_cli.cli.store import store_exported

        store_exported(out, store)
