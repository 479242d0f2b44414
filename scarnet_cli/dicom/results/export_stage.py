"""Stage EXPORT: label maps and measures in, seg.dcm and report.dcm for a PACS out."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pydicom

from scarnet_cli.buckets.place import Place
from scarnet_cli.dicom.batch import Batch
from scarnet_cli.dicom.datasets import file_bytes
from scarnet_cli.dicom.deidentification.deidentify import deidentify
from scarnet_cli.dicom.deidentification.pseudonyms import Pseudonyms
from scarnet_cli.dicom.headers import frame_facts
from scarnet_cli.dicom.results.report_sr import make_report
from scarnet_cli.dicom.results.result import Result
from scarnet_cli.dicom.results.seg import make_segmentation
from scarnet_cli.dicom.results.source_headers import SourceSlice, ambiguous, read_source_slices, slices_of_grid
from scarnet_cli.dicom.study_entry import StudyEntry
from scarnet_cli.errors import DicomError, InputError
from scarnet_cli.files import read_json, write_bytes
from scarnet_cli.image.volume import Volume, read_nifti
from scarnet_cli.stage.execution import IN_PROCESS, Execution
from scarnet_cli.stage.folder import STUDIES, StudyFile, StudyFolder, study_folder
from scarnet_cli.stage.records import COMMAND
from scarnet_cli.stage.run import attempt_studies
from scarnet_cli.stage.stage import Stage, Work
from scarnet_cli.tables.columns import record_of, schema_of
from scarnet_cli.tables.exports import ExportRow
from scarnet_cli.tables.failures import Failure
from scarnet_cli.tables.parquet import write_table
from scarnet_cli.tables.scans import ScanRow

_STAGE: Final = "export"
# Flags of studies whose images have no unique UIDs, so that a reference would be ambiguous.
_NAMELESS: Final = {
    "repeated_instance_uid": "other images have their SOPInstanceUIDs",
    "patients_separated": "images of another patient have its StudyInstanceUID",
    "no_study_uid": "they have no StudyInstanceUID in common",
}


def export_studies(
    batch: Batch,
    results: Sequence[Path],
    out: Path,
    execution: Execution = IN_PROCESS,
    *,
    pseudonyms: Pseudonyms | None = None,
) -> list[Failure]:
    """Write every measured study's results as DICOM: studies/<id>/{seg.dcm, report.dcm} and exports.parquet.

    A study that cannot be exported keeps its measures and has a row in exports.parquet with the reason.

    Returns:
        The studies that could not be exported.

    Raises:
        InputError: There are no results, or the studies are de-identified but no pseudonyms are given, or vice versa.
    """
    _require_pseudonyms(batch.studies, pseudonyms)
    entries = {entry.study_id: entry for entry in batch.studies}
    measured = [study_id for study_id in entries if _find(results, study_id) is not None]
    if entries and not any((path / STUDIES).is_dir() for path in results):
        message = (
            "None of the directories has results (studies/<id>/labels.nii.gz and study.json); run the stages first."
        )
        raise InputError("no_results", message)
    stage = Stage(_STAGE, partial(_prepare, entries, batch.root, results, pseudonyms))
    failures = attempt_studies(stage, measured, out, execution).failures
    reasons = {failure.study_id: failure for failure in failures}
    rows = [_row(study_folder(out, study_id), reasons.get(study_id)) for study_id in measured]
    write_table(ExportRow, rows, out / "exports.parquet", {})
    return failures


def _prepare(
    entries: Mapping[str, StudyEntry], root: Place, results: Sequence[Path], pseudonyms: Pseudonyms | None
) -> Work:
    """Return the function that exports one study."""
    made = datetime.now()

    def export_study(folder: StudyFolder) -> None:
        study_id = folder.study_id
        found = _find(results, study_id)
        if found is None:
            return
        slices = read_sources(entries[study_id], root)
        if pseudonyms is not None:
            slices = deidentified_sources(slices, pseudonyms)
            _require_same_key(slices, entries[study_id])
        labels, record = read_nifti(found.file(StudyFile.LABELS)), read_json(found.file(StudyFile.STUDY))
        write_results(labels, scan_in(record), slices, folder, made)

    return export_study


def _require_pseudonyms(entries: Sequence[StudyEntry], pseudonyms: Pseudonyms | None) -> None:
    deidentified = [entry.deidentified for entry in entries]
    if pseudonyms is None and any(deidentified):
        message = "These studies are de-identified; name the key that they were indexed with (--deidentify)."
        raise InputError("key_missing", message)
    if pseudonyms is not None and not all(deidentified):
        message = "These studies were indexed without --deidentify; index them with it, or export them without."
        raise InputError("not_deidentified", message)


def _require_same_key(slices: Sequence[SourceSlice], entry: StudyEntry) -> None:
    if str(slices[0].header.StudyInstanceUID) != entry.study_instance_uid:
        message = "The study was indexed with another key; name that one, or its results and images would not join."
        raise InputError("other_key", message)


def deidentified_sources(slices: Sequence[SourceSlice], pseudonyms: Pseudonyms) -> list[SourceSlice]:
    """Return de-identified source images with new UIDs, so that objects made from them are de-identified too."""
    headers = {id(source.header): deidentify(source.header, pseudonyms) for source in slices}
    facts = {key: frame_facts(header) for key, header in headers.items()}
    return [
        SourceSlice(headers[id(source.header)], source.frame, facts[id(source.header)][source.frame or 0])
        for source in slices
    ]


def read_sources(entry: StudyEntry, root: Place) -> list[SourceSlice]:
    """Read the headers of a study's source images.

    Raises:
        DicomError: It has no DICOM source, its UIDs are ambiguous, or its files cannot be read any more.
        MachineError: A file is gone or was changed since it was indexed, or the machine failed.
    """
    if entry.kind != "dicom":
        message = (
            "The study was given as NIfTI: there are no DICOM images that a segmentation or report could refer to. "
            "Name its DICOM in the samplesheet to get them."
        )
        raise DicomError("no_dicom_source", message)
    for flag, words in _NAMELESS.items():
        if flag in entry.flags:
            raise ambiguous(words)
    return read_source_slices(root, entry.sources)


def write_results(
    labels: Volume, scan: ScanRow, sources: Sequence[SourceSlice], folder: StudyFolder, made: datetime
) -> None:
    """Write seg.dcm and report.dcm, each atomically; `made` is their creation time, in local time.

    Patient, study and references come from `sources`: if these are de-identified, the objects are too.

    Raises:
        DicomError: The sources do not match the label map's grid.
    """
    slices = slices_of_grid(sources, labels)
    if scan.model is None or scan.segment_mode == COMMAND:  # another correction, or other weights, is another result
        origin = hashlib.sha256(np.ascontiguousarray(labels.array).data).hexdigest()
        result = Result(slices, scan.model or "", origin, scan.segment_mode or "", made)
    else:
        result = Result(slices, scan.model, scan.model_sha256 or "", scan.segment_mode or "", made)
    segmentation = make_segmentation(labels, result)
    report = make_report(scan.measures, segmentation, result)
    for name, dataset in ((StudyFile.SEGMENTATION, segmentation), (StudyFile.REPORT, report)):
        write_bytes(folder.file(name), file_bytes(dataset))


def scan_in(study: Mapping[str, Any]) -> ScanRow:
    """Return the columns of `scans` that the content of study.json has."""
    return record_of(ScanRow, {name: study[name] for name in schema_of(ScanRow).names if name in study})


def _find(results: Sequence[Path], study_id: str) -> StudyFolder | None:
    """Return the study's folder that holds both the label map that was measured and what was measured of it."""
    folders = (study_folder(directory, study_id) for directory in results)
    return next((folder for folder in folders if folder.has(StudyFile.LABELS, StudyFile.STUDY)), None)


def _row(folder: StudyFolder, failure: Failure | None) -> ExportRow:
    if failure is not None:
        return ExportRow(folder.study_id, code=failure.code, message=failure.message)
    uids = [
        str(pydicom.dcmread(folder.file(name), specific_tags=["SOPInstanceUID"]).SOPInstanceUID)
        for name in (StudyFile.SEGMENTATION, StudyFile.REPORT)
    ]
    return ExportRow(folder.study_id, segmentation_uid=uids[0], report_uid=uids[1])
