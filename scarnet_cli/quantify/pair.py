"""Measures of one image and its label map, two files, without the pipeline."""

from dataclasses import dataclass
from pathlib import Path

from scarnet_cli.cases.label_values import LabelValues
from scarnet_cli.dicom.results.given_labels import read_given_labels
from scarnet_cli.image.foreign_nifti import as_stack, read_foreign_nifti
from scarnet_cli.image.nifti_header import ORIENTATION_UNKNOWN
from scarnet_cli.quantify.measures import measure_study, without_orientation
from scarnet_cli.quantify.orientation import Point
from scarnet_cli.quantify.rows import TABLES, study_rows
from scarnet_cli.stage.run import write_rows
from scarnet_cli.tables.columns import record_of
from scarnet_cli.tables.scans import ScanRow


@dataclass(frozen=True, slots=True)
class PairOptions:
    """Options of one image and its label map.

    Attributes:
        study_id: Study id of the rows.
        rv_insertion: LPS position in mm of the anterior RV insertion, or None.
        label_values: Meaning of the label map's values; None if they are those of `Label`.
    """

    study_id: str
    rv_insertion: Point | None = None
    label_values: LabelValues | None = None


def quantify_pair(image: Path, labels: Path, out: Path, options: PairOptions) -> None:
    """Measure one NIfTI image with its label map and write `out`/scans, slices and segments.parquet.

    Raises:
        GeometryError: A file cannot be read, the grids differ, or a label value or segment is unknown.
        QuantificationError: The label map or the signal cannot be measured.
    """
    foreign = read_foreign_nifti(image)
    stack = as_stack(foreign.volume)
    drawn = read_given_labels(labels, stack, options.label_values).labels
    measures = measure_study(stack, drawn, options.rv_insertion)
    if ORIENTATION_UNKNOWN in foreign.flags:
        measures = without_orientation(measures)
    known = record_of(ScanRow, {"study_id": options.study_id, "flags": foreign.flags, "labels_source": "given"})
    scan, parts = study_rows(measures, known)
    write_rows([scan, *parts], TABLES, out)
