"""Store results on a DICOMweb server (STOW-RS). Storing a result again makes no second object: its UID is the same."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pydicom

from scarnet_cli.errors import DicomError, InputError, PacsError
from scarnet_cli.pacs.client import Server
from scarnet_cli.progress import Progress, no_progress
from scarnet_cli.stage.folder import StudyFile, study_folders
from scarnet_cli.tables.failures import Failure, failure_of_error

STAGE: Final = "store"
_RESULTS: Final = (StudyFile.SEGMENTATION, StudyFile.REPORT)


def store_studies(server: Server, exported: Path, progress: Progress = no_progress) -> list[Failure]:
    """Store the segmentation and report of every exported study, one request per study.

    A study that the server refuses does not stop the others.

    Returns:
        A failure for each study that the server refused.

    Raises:
        PacsError: The server itself fails; results stored before that stay stored.
    """
    folders = study_folders(exported, StudyFile.SEGMENTATION)
    failures = []
    with progress(STAGE, len(folders)) as advance:
        for folder in folders:
            try:
                store_instances(server, [folder.file(name) for name in _RESULTS])
            except DicomError as error:
                failures.append(failure_of_error(folder.study_id, STAGE, error))
            advance()
    return failures


def store_instances(server: Server, paths: Sequence[Path]) -> None:
    """Store the files of one study in one request.

    Raises:
        DicomError: The server answers, but does not accept all files.
        PacsError: The server fails.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom warns about odd values from the source
            datasets = [pydicom.dcmread(path) for path in paths]
            answer = server.ask(lambda client: client.store_instances(datasets))
    except PacsError as error:
        server.require_answer()
        message = f"The server does not accept the study's results: {error}"
        raise DicomError("not_stored", message) from None
    taken = {str(item.ReferencedSOPInstanceUID) for item in answer.get("ReferencedSOPSequence") or []}
    missing = {str(dataset.SOPInstanceUID) for dataset in datasets} - taken
    if missing:
        reasons = {f"{int(item.get('FailureReason', 0)):04X}" for item in answer.get("FailedSOPSequence") or []}
        why = f" (failure reason {', '.join(sorted(reasons))}, see DICOM PS3.18)" if reasons else ""
        message = (
            f"The server took {len(datasets) - len(missing)} of the study's {len(datasets)} results{why}; "
            "check its log."
        )
        raise DicomError("not_stored", message)


def require_plain_address(query: Sequence[tuple[str, str]]) -> None:
    """Refuse an address with a query, which has no meaning for storing.

    Raises:
        InputError: There is a query.
    """
    if query:
        message = "The address to store at has a query (?...), which means nothing there; end it before the '?'."
        raise InputError("bad_address", message)
