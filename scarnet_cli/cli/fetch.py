"""`scarnet fetch`: the images of a batch's chosen stacks, from a DICOMweb server."""

from pathlib import Path

import rich_click as click

from scarnet_cli.cli.options import DOWNLOADS, OUTPUT_DIRECTORY
from scarnet_cli.errors import InputError

EXAMPLE = "Example: scarnet fetch index/batches/batch-0a1b2c3d.json --out fetched"


@click.command(epilog=EXAMPLE)
@click.argument("batch", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=OUTPUT_DIRECTORY, required=True, help="Directory to write to.")
@DOWNLOADS
def fetch(batch: Path, out: Path, downloads: Path | None) -> None:
    """Fetch the chosen images of a batch that `scarnet index` planned from a DICOMweb server.

    The login comes from the environment: SCARNET_PACS_USER and SCARNET_PACS_PASSWORD, or SCARNET_PACS_TOKEN. Writes
    batch.json and instances/ for `scarnet convert`, and failures.parquet with a row for each study that the server does
    not give. Where the server itself fails, what has come is kept, and the same command goes on from there.
    """
    fetch_batch(batch, out, downloads)


def fetch_batch(batch: Path, out: Path, downloads: Path | None) -> None:
    """Fetch one batch.

    Raises:
        InputError: The batch is not one of a server's.
        PacsError: The server fails.
    """
    from msgspec import UNSET

    from scarnet_cli.dicom.batch import FETCHED, BatchFile, read_batch_file
    from scarnet_cli.files import write_record
    from scarnet_cli.pacs.address import parse_address
    from scarnet_cli.pacs.client import open_server
    from scarnet_cli.pacs.fetch import Downloads, fetch_studies
    from scarnet_cli.pacs.index_server import INSTANCES
    from scarnet_cli.stage.run import write_failures

    planned = read_batch_file(batch)
    if planned.server is UNSET:
        message = f"The files of {batch.name} are on this machine; there is nothing to fetch."
        raise InputError("nothing_to_fetch", message)
    server = open_server(parse_address(f"dicomweb+{planned.server}"))
    failures = fetch_studies(server, planned.studies, out / INSTANCES, Downloads(downloads) if downloads else None)
    failed = {failure.study_id for failure in failures}
    (out / INSTANCES).mkdir(exist_ok=True)
    write_failures(failures, out / "failures.parquet")
    there = tuple(entry for entry in planned.studies if entry.study_id not in failed)
    write_record(out / FETCHED, BatchFile(batch=planned.batch, root=".", studies=there))
