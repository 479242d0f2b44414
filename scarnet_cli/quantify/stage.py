"""The stage QUANTIFY: label maps in, rows of the tables scans, slices and segments out."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from scarnet_cli import __version__
from scarnet_cli.cases.label_values import LabelValues, to_labels
from scarnet_cli.draw.overlay import draw_overlay
from scarnet_cli.errors import QuantificationError
from scarnet_cli.evaluate.reference import compare
from scarnet_cli.faults import reading_intermediate
from scarnet_cli.files import read_json, read_record, write_json, write_record
from scarnet_cli.image.foreign_nifti import ORIENTATION_UNKNOWN, as_stack, like, read_foreign_nifti
from scarnet_cli.image.volume import read_nifti
from scarnet_cli.quantify.measures import StudyMeasures, measure_study, without_orientation
from scarnet_cli.quantify.orientation import Point
from scarnet_cli.stage.folder import StudyFile, studies_of
from scarnet_cli.stage.guard import IN_PROCESS, Guard
from scarnet_cli.stage.run import Work, run_studies
from scarnet_cli.tables.columns import cells_of, record_of
from scarnet_cli.tables.failures import Failure
from scarnet_cli.tables.parquet import write_table
from scarnet_cli.tables.scans import ScanRow
from scarnet_cli.tables.segments import SegmentRow
from scarnet_cli.tables.slices import SliceRow

_FROM_CONVERT: Final = ("study_instance_uid", "manufacturer")
_FROM_SEGMENT: Final = ("confidence", "model", "model_sha256", "segment_mode", "device")
_AXES: Final = 3


@dataclass(frozen=True, slots=True)
class StudyRows:
    """One study's rows of the tables."""

    scan: ScanRow
    slices: list[SliceRow]
    segments: list[SegmentRow]


@dataclass(frozen=True, slots=True)
class PairOptions:
    """What a user says of one image with its label map.

    Attributes:
        study_id: What the rows are called.
        rv_insertion: LPS position in mm of the anterior RV insertion, or None.
        label_values: What the label map's values mean; None where they are ours.
    """

    study_id: str
    rv_insertion: Point | None = None
    label_values: LabelValues | None = None


def quantify_pair(image: Path, labels: Path, out: Path, options: PairOptions) -> None:
    """Measure one image with its label map and write `out`/scans, slices and segments.parquet.

    Args:
        image: NIfTI file of the LGE stack.
        labels: NIfTI file of the label map on the same grid.
        out: Directory of the tables.
        options: The study's name, and what the files do not say themselves.

    Raises:
        GeometryError: A file cannot be read, the grids differ, or a label value is unknown.
        QuantificationError: The label map or the signal cannot be measured.
    """
    foreign = read_foreign_nifti(image)
    stack = as_stack(foreign.volume)
    theirs = like(read_foreign_nifti(labels).volume, stack)
    ours = theirs.with_array(to_labels(theirs.array, options.label_values, "The label map"))
    measures = measure_study(stack, ours, options.rv_insertion)
    if ORIENTATION_UNKNOWN in foreign.flags:
        measures = without_orientation(measures)
    rows = _rows(measures, record_of(ScanRow, {"study_id": options.study_id, "flags": foreign.flags}))
    _write_tables([rows], out)


def quantify_studies(convert_dir: Path, segment_dir: Path, out: Path, guard: Guard = IN_PROCESS) -> list[Failure]:
    """Measure every study of `segment_dir` and write the tables, the failures, and each study's picture and record.

    Args:
        convert_dir: Output of CONVERT: studies/<id>/image.nii.gz, study.json and, where there is one, reference.nii.gz.
        segment_dir: Output of SEGMENT: studies/<id>/labels.nii.gz and segment.json.
        out: Gets scans, slices, segments and failures.parquet, and studies/<id>/{overlay.png, study.json}.
        guard: What protects the other studies.

    Returns:
        The studies that could not be measured.

    Raises:
        InputError: A directory is no such output.
        MachineError: The machine failed, or a file of an earlier stage is gone or damaged.
    """
    study_ids = studies_of(segment_dir, StudyFile.LABELS, StudyFile.SEGMENT_RECORD)
    studies_of(convert_dir, StudyFile.IMAGE, StudyFile.STUDY)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".rows-") as name:
        rows_dir = Path(name)
        prepare = partial(_quantifier, convert_dir / "studies", segment_dir / "studies", out, rows_dir)
        failures = run_studies("quantify", study_ids, prepare, out, guard)
        failed = {failure.study_id for failure in failures}
        studies = [read_record(rows_dir / f"{name}.json", StudyRows) for name in study_ids if name not in failed]
    _write_tables(studies, out)
    return failures


def parse_point(value: object) -> Point | None:
    """Return an LPS position given as three numbers: a list, or text with spaces, commas or semicolons between them.

    Raises:
        QuantificationError: The value is no such position.
    """
    if value is None or value == "":
        return None
    parts = value.replace(",", " ").replace(";", " ").split() if isinstance(value, str) else value
    if isinstance(parts, Sequence) and len(parts) == _AXES:
        try:
            x, y, z = (float(part) for part in parts)
        except (TypeError, ValueError):
            pass
        else:
            return x, y, z
    message = f"The RV insertion is {value!r}; give the LPS position in mm as three numbers, such as '-12.5 30 141'."
    raise QuantificationError("rv_insertion", message)


def _quantifier(converted: Path, segmented: Path, out: Path, rows_dir: Path) -> Work[None]:
    """Return the function that measures one study and leaves its rows in `rows_dir`."""

    def quantify_study(study_id: str) -> None:
        rows = _quantify_study(converted / study_id, segmented / study_id, out)
        write_record(rows_dir / f"{study_id}.json", rows)

    return quantify_study


def _quantify_study(convert: Path, segment: Path, out: Path) -> StudyRows:
    study_id = segment.name
    with reading_intermediate(convert / "image.nii.gz") as path:
        image = read_nifti(path)
    with reading_intermediate(segment / "labels.nii.gz") as path:
        labels = read_nifti(path)
    with reading_intermediate(convert / "study.json") as path:
        study = read_json(path)
    with reading_intermediate(segment / "segment.json") as path:
        segmented = read_json(path)
    measures = measure_study(image, labels, parse_point(study.get("rv_insertion")))
    if ORIENTATION_UNKNOWN in study.get("flags", []):
        measures = without_orientation(measures)
    known = {key: study.get(key) for key in _FROM_CONVERT} | {key: segmented.get(key) for key in _FROM_SEGMENT}
    known |= {"study_id": study_id, "flags": (*study.get("flags", []), *segmented.get("flags", []))}
    path = convert / "reference.nii.gz"
    reference = compare(labels.array, read_nifti(path)) if path.is_file() else None
    rows = _rows(measures, replace(record_of(ScanRow, known), reference=reference))
    directory = out / "studies" / study_id
    draw_overlay(image, labels, directory / "overlay.png")
    measured = {**(cells_of(reference) if reference else {}), **cells_of(measures.scan)}
    said = {"flags": rows.scan.flags, "pipeline_version": __version__}
    write_json(directory / "study.json", {**study, **segmented, **measured, **said})
    return rows


def _rows(measures: StudyMeasures, known: ScanRow) -> StudyRows:
    """Return a study's rows; its flags are those that earlier stages raised, then those raised here."""
    flags = tuple(dict.fromkeys([*known.flags, *measures.flags]))
    return StudyRows(
        replace(known, measures=measures.scan, flags=flags, pipeline_version=__version__),
        [SliceRow(known.study_id, row) for row in measures.slices],
        [SegmentRow(known.study_id, row) for row in measures.segments],
    )


def _write_tables(studies: Sequence[StudyRows], out: Path) -> None:
    models = {"model_sha256": ",".join(sorted({rows.scan.model_sha256 for rows in studies if rows.scan.model_sha256}))}
    write_table(ScanRow, [rows.scan for rows in studies], out / "scans.parquet", models)
    write_table(SliceRow, [row for rows in studies for row in rows.slices], out / "slices.parquet", models)
    write_table(SegmentRow, [row for rows in studies for row in rows.segments], out / "segments.parquet", models)
