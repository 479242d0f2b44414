"""Fetch instances (WADO-RS) into files named by a hash; an instance that has arrived is not requested again."""

import hashlib
import os
import shutil
import threading
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from msgspec import UNSET

from scarnet_cli.dicom.batch import FETCHED, BatchFile, read_batch_file
from scarnet_cli.dicom.study_entry import Source, StudyEntry
from scarnet_cli.errors import DicomError, InputError
from scarnet_cli.files import atomic_path, write_bytes, write_record
from scarnet_cli.pacs.address import parse_address
from scarnet_cli.pacs.client import CONNECTIONS, Server, open_server
from scarnet_cli.pacs.query import InstanceId
from scarnet_cli.stage.folder import FAILURES
from scarnet_cli.stage.run import write_failures
from scarnet_cli.tables.failures import Failure

STAGE: Final = "fetch"
# Folder of the instances in a fetched batch.
INSTANCES: Final = "instances"


@dataclass(frozen=True, slots=True)
class Downloads:
    """A folder of instances that outlives tasks. It holds personal data; keep it beside the work directory.

    Attributes:
        folder: The folder.
    """

    folder: Path

    def file(self, name: str) -> Path:
        """Return the path of an instance's file, given the name."""
        return self.folder / name[:2] / name

    def failed_before(self, study_uid: str) -> str | None:
        """Return a text that changes with each failure to fetch this study; None if it never failed."""
        try:
            return str(self._mark(study_uid).stat().st_mtime_ns)
        except OSError:
            return None

    def mark_failed(self, study_uid: str) -> None:
        """Record that this study could not be fetched, so that the next run's INDEX plans it anew."""
        write_bytes(self._mark(study_uid), b"")

    def _mark(self, study_uid: str) -> Path:
        return self.folder / "failed" / study_uid


def file_name(base_url: str, instance: InstanceId) -> str:
    """Return the file name of an instance: a hash, always the same for one instance of one server."""
    text = "/".join((base_url, instance.study_uid, instance.series_uid, instance.sop_uid))
    return f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.dcm"


def fetch_instance(server: Server, instance: InstanceId, target: Path) -> None:
    """Fetch one instance into a file, unless the file exists.

    Raises:
        DicomError: The server does not return the instance, or returns another one.
        PacsError: The server fails.
    """
    if target.exists():
        return
    dataset = server.ask_about_study(
        lambda client: client.retrieve_instance(instance.study_uid, instance.series_uid, instance.sop_uid)
    )
    if (dataset.get("StudyInstanceUID"), dataset.get("SOPInstanceUID")) != (instance.study_uid, instance.sop_uid):
        message = "The server sent an image other than the one requested; check its log."
        raise DicomError("not_retrieved", message)
    with atomic_path(target) as temporary:
        dataset.save_as(temporary, enforce_file_format=True)


def fetch_studies(
    server: Server, entries: Sequence[StudyEntry], instances: Path, downloads: Downloads | None
) -> list[Failure]:
    """Fetch the chosen instances of a batch's studies into `instances`, a few studies at a time.

    Returns:
        A failure for each study that cannot be fetched, in the order of `entries`.

    Raises:
        InputError: A source does not name its instance.
        PacsError: The server fails; files that have arrived are kept.
    """
    over = threading.Event()

    def fetch(entry: StudyEntry) -> Failure | None:
        try:
            for source in entry.sources:
                if over.is_set():
                    return None
                _fetch_source(server, source, instances, downloads)
        except DicomError as error:
            if downloads:
                downloads.mark_failed(_instance(entry.sources[0]).study_uid)
            return Failure(entry.study_id, STAGE, error.code, str(error))
        except BaseException:
            over.set()  # the other threads stop too
            raise
        return None

    # Warning filters belong to the process, so they are set once for all threads.
    with warnings.catch_warnings(), ThreadPoolExecutor(CONNECTIONS) as pool:
        warnings.simplefilter("ignore")
        return [failure for failure in pool.map(fetch, entries) if failure is not None]


def _fetch_source(server: Server, source: Source, instances: Path, downloads: Downloads | None) -> None:
    target = instances / Path(source.path).name
    if target.exists():
        return
    instance = _instance(source)
    if downloads is None:
        fetch_instance(server, instance, target)
        return
    kept = downloads.file(target.name)
    fetch_instance(server, instance, kept)
    _link(kept, target)


def _instance(source: Source) -> InstanceId:
    """Return the UIDs by which a source is fetched.

    Raises:
        InputError: The batch does not hold them.
    """
    if source.instance is UNSET:
        message = "The batch does not say which instances its files are; plan it again with `scarnet index`."
        raise InputError("bad_batch", message)
    return InstanceId(*source.instance)


def _link(kept: Path, target: Path) -> None:
    """Hard-link a file, or copy it if the file system has no hard links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(kept, target)
    except FileExistsError:
        return
    except OSError:
        with atomic_path(target) as temporary:
            shutil.copyfile(kept, temporary)


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
