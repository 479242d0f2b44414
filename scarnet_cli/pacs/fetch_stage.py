"""Stage FETCH: download the files of a batch that INDEX planned from a DICOMweb server."""

from pathlib import Path

from msgspec import UNSET

from scarnet_cli.dicom.batch import FETCHED, BatchFile, read_batch_file
from scarnet_cli.errors import InputError
from scarnet_cli.files import write_record
from scarnet_cli.pacs.address import parse_address
from scarnet_cli.pacs.client import open_server
from scarnet_cli.pacs.fetch import Downloads, fetch_studies
from scarnet_cli.pacs.index_server import INSTANCES
from scarnet_cli.stage.folder import FAILURES
from scarnet_cli.stage.run import write_failures


def fetch_batch(batch: Path, out: Path, downloads: Path | None) -> None:
    """Fetch a batch's chosen images, and write batch.json, instances/ and failures.parquet below `out`.

    Raises:
        InputError: The batch does not come from a server.
        PacsError: The server fails; files that have arrived are kept.
    """
    planned = read_batch_file(batch)
    if planned.server is UNSET:
        message = f"The files of {batch.name} are on this machine; there is nothing to fetch."
        raise InputError("nothing_to_fetch", message)
    server = open_server(parse_address(f"dicomweb+{planned.server}"))
    failures = fetch_studies(server, planned.studies, out / INSTANCES, Downloads(downloads) if downloads else None)
    failed = {failure.study_id for failure in failures}
    (out / INSTANCES).mkdir(exist_ok=True)
    write_failures(failures, out / FAILURES)
    there = tuple(entry for entry in planned.studies if entry.study_id not in failed)
    write_record(out / FETCHED, BatchFile(batch=planned.batch, root=".", studies=there))
