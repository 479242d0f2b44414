"""Store results on a DICOMweb server (STOW-RS). What is there already is the same object by its UID, and stays one."""

import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pydicom
from pydicom.dataset import Dataset
from rich.console import Console
from rich.progress import track

from scarnet_cli.errors import DicomError, InputError, PacsError
from scarnet_cli.pacs.client import Server
from scarnet_cli.tables.failures import Failure, failure_of_error

STAGE: Final = "store"
_RESULTS: Final = ("seg.dcm", "report.dcm")


def store_studies(server: Server, exported: Path) -> list[Failure]:
    """Store the segmentation and report of every study that was exported, both of a study in one request.

    A study that the server refuses does not stop the others.

    Args:
        server: The server.
        exported: Output directory of `scarnet export`.

    Returns:
        The studies that the server refused.

    Raises:
        PacsError: The server itself fails; what was stored before stays.
    """
    folders = sorted(path.parent for path in exported.glob(f"studies/*/{_RESULTS[0]}"))
    failures = []
    console = Console(stderr=True)
    for folder in track(folders, description=STAGE, console=console, disable=not sys.stderr.isatty()):
        try:
            store_instances(server, [folder / name for name in _RESULTS])
        except DicomError as error:
            failures.append(failure_of_error(folder.name, STAGE, error))
    return failures


def store_instances(server: Server, paths: Sequence[Path]) -> None:
    """Store files that belong together.

    Raises:
        DicomError: The server answers, but does not take them all.
        PacsError: The server fails.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pydicom, about odd values of the source
            datasets = [pydicom.dcmread(path) for path in paths]
            answer = server.ask(lambda client: client.store_instances(datasets))
    except PacsError as error:
        server.require_answer()
        message = f"The server does not take the study's results: {error}"
        raise DicomError("not_stored", message) from None
    missing = {str(dataset.SOPInstanceUID) for dataset in datasets} - _taken(answer)
    if missing:
        reasons = {f"{int(item.get('FailureReason', 0)):04X}" for item in answer.get("FailedSOPSequence") or []}
        why = f" (failure reason {', '.join(sorted(reasons))}, see DICOM PS3.18)" if reasons else ""
        message = (
            f"The server took {len(datasets) - len(missing)} of the study's {len(datasets)} results{why}; "
            "look at its log."
        )
        raise DicomError("not_stored", message)


def _taken(answer: Dataset) -> set[str]:
    return {str(item.ReferencedSOPInstanceUID) for item in answer.get("ReferencedSOPSequence") or []}


def require_plain_address(query: Sequence[tuple[str, str]]) -> None:
    """Refuse an address with a query: there is nothing to select where results are stored.

    Raises:
        InputError: There is one.
    """
    if query:
        message = "The address to store at has a query (?...), which has no meaning there; give it up to the '?'."
        raise InputError("bad_address", message)
