"""`scarnet store`: store exported results on a DICOMweb server."""

import sys
from pathlib import Path

import rich_click as click

from scarnet_cli.cli.paths import EXISTING_FOLDER
from scarnet_cli.cli.progress import progress_bar
from scarnet_cli.cli.stage_options import tell_each


@click.command(epilog="Example: scarnet store results dicomweb+https://pacs.example.org/dicom-web")
@click.argument("exported", type=EXISTING_FOLDER)
@click.argument("address", metavar="DICOMWEB_ADDRESS")
def store(exported: Path, address: str) -> None:
    """Store what `scarnet export` wrote below EXPORTED on a DICOMweb server (STOW-RS).

    The login comes from the environment: SCARNET_PACS_USER and SCARNET_PACS_PASSWORD, or SCARNET_PACS_TOKEN. Storing
    again is harmless: the same result has the same UIDs. Ends with exit code 1 if the server cannot be reached, or
    refuses a study; it is still offered the others.
    """
    store_exported(exported, address)


def store_exported(exported: Path, address: str) -> None:
    """Store the studies below a directory and print how many; exit with code 1 if one was refused.

    Raises:
        InputError: The address is none to store at.
        PacsError: The server fails.
    """
    from scarnet_cli.draw.text import count_text
    from scarnet_cli.pacs.address import parse_address
    from scarnet_cli.pacs.client import open_server
    from scarnet_cli.pacs.store import require_plain_address, store_studies

    server_address = parse_address(address)
    require_plain_address(server_address.query)
    failures = store_studies(open_server(server_address), exported, progress_bar)
    tell_each(failures)
    if failures:
        click.echo(f"Error: {server_address.host} refused {count_text(len(failures), 'study', 'studies')}.", err=True)
        sys.exit(1)
