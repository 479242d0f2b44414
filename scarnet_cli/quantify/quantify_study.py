"""The measures of one study: rows of the tables scans, slices and segments, a picture and a record."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Final

from scarnet_cli.cases.label_values import LabelValues
from scarnet_cli.dicom.facts import MAGNITUDE
from scarnet_cli.dicom.study_entry import StudyRecord
from scarnet_cli.draw.overlay import draw_overlay
from scarnet_cli.evaluate.reference import compare, compare_network
from scarnet_cli.faults import reading_intermediate
from scarnet_cli.files import write_bytes, write_json
from scarnet_cli.image.nifti_header import ORIENTATION_UNKNOWN
from scarnet_cli.image.volume import Volume, read_nifti
from scarnet_cli.quantify.intervals import find_intervals
from scarnet_cli.quantify.measures import indexed, measure_study, without_orientation
from scarnet_cli.quantify.rows import study_rows
from scarnet_cli.stage.folder import StudyFile, StudyFolder, study_folder
from scarnet_cli.stage.records import COMMAND, LabelMapFile, SegmentRecord
from scarnet_cli.stage.stage import Rows
from scarnet_cli.tables.columns import cells_of, record_of, schema_of
from scarnet_cli.tables.readers import ReadersRow
from scarnet_cli.tables.scans import LabelsOrigin, NetworkMeasures, ScanRow

# Raised here because it is about what the network makes of the image, and SEGMENT does not see how it was made.
_MAGNITUDE_IMAGE: Final = "magnitude_image"
# Columns that the records of earlier stages give; those in blocks are measured here.
_COLUMNS: Final = frozenset(field.name for field in fields(ScanRow)) & frozenset(schema_of(ScanRow).names)


def quantify_study(
    folder: StudyFolder,
    converted: Path,
    segmented: Path,
    label_maps: Mapping[str, Sequence[LabelMapFile]],
    values: LabelValues | None,
) -> Rows:
    """Measure one study, write its label map, picture and record into its folder, and return its rows.

    Raises:
        GeometryError: The label map or the reference is not on the image's grid, or a given label map cannot be used.
        QuantificationError: The label map or the signal cannot be measured.
        IntermediateError: A file of an earlier stage is missing or damaged.
    """
    convert, segment = (study_folder(directory, folder.study_id) for directory in (converted, segmented))
    image = convert.read_volume(StudyFile.IMAGE)
    study = convert.read_record(StudyFile.STUDY, StudyRecord)
    given, compared = label_maps.get(folder.study_id, ()), []
    if not given:
        _copy_labels(segment, folder, StudyFile.LABELS)
        labels, origin, network = segment.read_volume(StudyFile.LABELS), LabelsOrigin("network"), None
        segmentation = segment.read_record(StudyFile.SEGMENT_RECORD, SegmentRecord)
        is_ours = segmentation.segment_mode != COMMAND
        magnitude = (_MAGNITUDE_IMAGE,) if study.component == MAGNITUDE and is_ours else ()
        flags = (*study.flags, *segmentation.flags, *magnitude)
    else:
        labels, origin, network = _given_labels(given[0], values, image, segment, folder)
        origin = replace(origin, labels_editor=None) if study.deidentified else origin
        compared, doubts = _compare_readers(folder.study_id, image, study, given, values)
        segmentation, flags = None, (*study.flags, f"labels_{given[0].source}", *doubts)
    measures = measure_study(image, labels, study.rv_insertion)
    if ORIENTATION_UNKNOWN in study.flags:
        measures = without_orientation(measures)
    earlier = asdict(study) | (asdict(segmentation) if segmentation else {})
    known = {name: value for name, value in earlier.items() if name in _COLUMNS} | {"flags": flags}
    drawn = convert.file(StudyFile.REFERENCE)
    expert = read_nifti(drawn) if drawn.is_file() else None
    reference = compare(labels.array, expert) if expert else None
    intervals = find_intervals(measures.scan, segmentation.margins if segmentation else None)
    blocks = {
        "patient_facts": study.patient_facts,
        "acquisition": study.acquisition,
        "indexed": indexed(measures.scan, study.patient_facts.bsa_m2),
        "intervals": intervals,
        "reference": reference,
        "origin": origin,
        "network": network,
    }
    scan, parts = study_rows(measures, replace(record_of(ScanRow, known), **blocks))
    overlay, plain = folder.file(StudyFile.OVERLAY), folder.file(StudyFile.PLAIN)
    draw_overlay(image, labels, overlay, plain=plain, reference=expert)
    measured = {
        name: value for block in (measures.scan, *blocks.values()) if block for name, value in cells_of(block).items()
    }
    added = {"flags": scan.flags, "pipeline_version": scan.pipeline_version}
    # The intervals are there instead of the margins, and the columns of what headers say instead of their records.
    kept = {name: value for name, value in earlier.items() if name not in ("margins", "patient_facts", "acquisition")}
    write_json(folder.file(StudyFile.STUDY), {**kept, **measured, **added})
    return [scan, *parts, *compared]


def _given_labels(
    given: LabelMapFile, values: LabelValues | None, image: Volume, segment: StudyFolder, folder: StudyFolder
) -> tuple[Volume, LabelsOrigin, NetworkMeasures | None]:
    """Return a study's given label map, where it comes from, and the network's measures; write both label maps.

    Until the given one is read, the network's stands in its place: that is what stays if it cannot be used.
    """
    network = segment.read_volume(StudyFile.LABELS) if segment.has(StudyFile.LABELS) else None
    if network is not None:
        _copy_labels(segment, folder, StudyFile.LABELS)
    # Only here, as it imports what reads DICOM Segmentations, which takes longer than a study's measures.
    from scarnet_cli.dicom.results.given_labels import read_given_labels

    read = read_given_labels(Path(given.path), image, values)
    if network is not None:
        _copy_labels(segment, folder, StudyFile.NETWORK_LABELS)
    folder.write_volume(StudyFile.LABELS, read.labels)
    origin = LabelsOrigin(given.source, given.reader, read.editor, read.date)
    return read.labels, origin, None if network is None else compare_network(network, read.labels)


def _compare_readers(
    study_id: str, image: Volume, study: StudyRecord, files: Sequence[LabelMapFile], values: LabelValues | None
) -> tuple[list[ReadersRow], tuple[str, ...]]:
    """Return the rows of the study's readers, and the flags that the comparison raises."""
    from scarnet_cli.quantify.readers import ReadStudy, compare_readers

    is_oriented = ORIENTATION_UNKNOWN not in study.flags
    return compare_readers(ReadStudy(study_id, image, study.rv_insertion, is_oriented), files, values)


def _copy_labels(segment: StudyFolder, folder: StudyFolder, name: StudyFile) -> None:
    """Copy the network's label map into a study's folder under a name."""
    with reading_intermediate(segment.file(StudyFile.LABELS)) as source:
        content = source.read_bytes()
    write_bytes(folder.file(name), content)
