"""What readers give: corrected label maps and decisions."""

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from scarnet_cli.cli.paths import EXISTING_FILE, EXISTING_FOLDER

if TYPE_CHECKING:
    from scarnet_cli.index.label_maps import Corrections


CORRECTED = click.option(
    "--corrected",
    type=EXISTING_FOLDER,
    help="Folder of corrected label maps, measured in place of the network's: STUDY_ID.nii.gz, .nrrd, .seg.nrrd, or a "
    "DICOM Segmentation STUDY_ID.dcm; or a folder of these for each reader.",
)
READER = click.option(
    "--reader",
    metavar="NAME",
    help="Reader whose label maps are measured, a folder in that of --corrected [default: the first by name].",
)
REVIEWED = click.option(
    "--reviewed",
    type=EXISTING_FILE,
    help="A reader's decisions, as the report exports them (CSV: study_id,decision, accept or reject), for the column "
    "`reviewed` of scans.",
)


def corrections_in(corrected: Path | None, reader: str | None) -> "Corrections | None":
    """Return what --corrected and --reader name; --reader alone is a usage error."""
    from scarnet_cli.index.label_maps import Corrections

    if reader and not corrected:
        message = "there are no readers without --corrected."
        raise click.BadParameter(message, param_hint="--reader")
    return Corrections(corrected, reader) if corrected else None
