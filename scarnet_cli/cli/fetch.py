"""`scarnet fetch`: fetch the images of a batch's chosen stacks from a DICOMweb server."""

from pathlib import Path

import rich_click as click

from scarnet_cli.cli.paths import EXISTING_FILE
from scarnet_cli.cli.source_options import DOWNLOADS
from scarnet_cli.cli.stage_options import OUT

EXAMPLE = "Example: scarnet fetch index/batches/batch-0a1b2c3d.json --out fetched"


@click.command(epilog=EXAMPLE)
@click.argument("batch", type=EXISTING_FILE)
@OUT
@DOWNLOADS
def fetch(batch: Path, out: Path, downloads: Path | None) -> None:
    """Fetch the chosen images of a batch that `scarnet index` planned from a DICOMweb server.

    The login comes from the environment: SCARNET_PACS_USER and SCARNET_PACS_PASSWORD, or SCARNET_PACS_TOKEN. Writes
    batch.json and instances/ for `scarnet convert`, and failures.parquet with a row for each study that the server does
    not give. Where the server itself fails, what has come is kept, and the same command goes on from there.
    """
    from scarnet_cli.pacs.fetch import fetch_batch

    fetch_batch(batch, out, downloads)
