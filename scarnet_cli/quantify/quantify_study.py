"""The measures of one study: rows of the tables scans, slices and segments, a picture and a record."""

from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Final

from scarnet_cli.dicom.facts import MAGNITUDE
from scarnet_cli.dicom.study_entry import StudyRecord
from scarnet_cli.draw.overlay import draw_overlay
from scarnet_cli.evaluate.reference import compare
from scarnet_cli.files import write_json
from scarnet_cli.image.nifti_header import ORIENTATION_UNKNOWN
from scarnet_cli.image.volume import read_nifti
from scarnet_cli.quantify.intervals import find_intervals
from scarnet_cli.quantify.measures import measure_study, without_orientation
from scarnet_cli.quantify.rows import study_rows
from scarnet_cli.stage.folder import StudyFile, StudyFolder, study_folder
from scarnet_cli.stage.records import SegmentRecord
from scarnet_cli.stage.stage import Rows
from scarnet_cli.tables.columns import cells_of, record_of, schema_of
from scarnet_cli.tables.scans import ScanRow

# Raised here because it is about what the network makes of the image, and SEGMENT does not see how it was made.
_MAGNITUDE_IMAGE: Final = "magnitude_image"
# Columns that the records of earlier stages give; those in blocks are measured here.
_COLUMNS: Final = frozenset(field.name for field in fields(ScanRow)) & frozenset(schema_of(ScanRow).names)


def quantify_study(folder: StudyFolder, converted: Path, segmented: Path) -> Rows:
    """Measure one study, write overlay.png and study.json into its folder, and return its rows.

    Raises:
        GeometryError: The label map or the reference is not on the image's grid.
        QuantificationError: The label map or the signal cannot be measured.
        IntermediateError: A file of an earlier stage is missing or damaged.
    """
    convert, segment = (study_folder(directory, folder.study_id) for directory in (converted, segmented))
    image, labels = convert.read_volume(StudyFile.IMAGE), segment.read_volume(StudyFile.LABELS)
    study = convert.read_record(StudyFile.STUDY, StudyRecord)
    segmentation = segment.read_record(StudyFile.SEGMENT_RECORD, SegmentRecord)
    measures = measure_study(image, labels, study.rv_insertion)
    if ORIENTATION_UNKNOWN in study.flags:
        measures = without_orientation(measures)
    earlier = {**asdict(study), **asdict(segmentation)}
    known = {name: value for name, value in earlier.items() if name in _COLUMNS}
    magnitude = (_MAGNITUDE_IMAGE,) if study.component == MAGNITUDE else ()
    known["flags"] = (*study.flags, *segmentation.flags, *magnitude)
    drawn = convert.file(StudyFile.REFERENCE)
    reference = compare(labels.array, read_nifti(drawn)) if drawn.is_file() else None
    intervals = find_intervals(measures.scan, segmentation.margins)
    scan, parts = study_rows(measures, replace(record_of(ScanRow, known), intervals=intervals, reference=reference))
    draw_overlay(image, labels, folder.file(StudyFile.OVERLAY))
    measured = {
        name: value
        for block in (reference, measures.scan, intervals)
        if block
        for name, value in cells_of(block).items()
    }
    added = {"flags": scan.flags, "pipeline_version": scan.pipeline_version}
    del earlier["margins"]  # the intervals, which are made of them, are there instead
    write_json(folder.file(StudyFile.STUDY), {**earlier, **measured, **added})
    return [scan, *parts]
