"""What EXPORT does with one measured study: label map and measures in, seg.dcm and report.dcm for a PACS out."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np

from scarnet_cli.buckets.place import Place
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
from scarnet_cli.stage.folder import StudyFile, StudyFolder
from scarnet_cli.stage.records import COMMAND
from scarnet_cli.tables.columns import record_of, schema_of
from scarnet_cli.tables.exports import ExportRow
from scarnet_cli.tables.scans import ScanRow

# Flags of studies whose images have no unique UIDs, so that a reference would be ambiguous.
_NAMELESS: Final = {
    "repeated_instance_uid": "other images have their SOPInstanceUIDs",
    "patients_separated": "images of another patient have its StudyInstanceUID",
    "no_study_uid": "they have no StudyInstanceUID in common",
}


def export_study(
    folder: StudyFolder,
    entry: StudyEntry,
    root: Place,
    measured: StudyFolder,
    pseudonyms: Pseudonyms | None,
    made: datetime,
) -> ExportRow:
    """Write the results of one study as DICOM and return their UIDs.

    Args:
        folder: The study's folder to write seg.dcm and report.dcm to.
        entry: Where its images are.
        root: Directory of the images' paths.
        measured: The folder that holds the label map that was measured and what was measured of it.
        pseudonyms: Pseudonyms of the studies if they are de-identified.
        made: The objects' creation time, in local time.

    Raises:
        DicomError: There are no images that the objects could refer to, or they do not match the label map's grid.
        InputError: The study was indexed with another key.
        MachineError: A file is gone or was changed since it was indexed, or the machine failed.
    """
    slices = read_sources(entry, root)
    if pseudonyms is not None:
        slices = deidentified_sources(slices, pseudonyms)
        _require_same_key(slices, entry)
    labels, record = read_nifti(measured.file(StudyFile.LABELS)), read_json(measured.file(StudyFile.STUDY))
    return write_results(labels, scan_in(record), slices, folder, made)


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
) -> ExportRow:
    """Write seg.dcm and report.dcm, each atomically, and return their UIDs; `made` is as in `export_study`.

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
    uids = (str(dataset.SOPInstanceUID) for dataset in (segmentation, report))
    return ExportRow(folder.study_id, *uids)


def scan_in(study: Mapping[str, Any]) -> ScanRow:
    """Return the columns of `scans` that the content of study.json has."""
    return record_of(ScanRow, {name: study[name] for name in schema_of(ScanRow).names if name in study})
