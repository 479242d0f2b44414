"""The stage QUANTIFY: label maps in, rows of the tables scans, slices and segments out."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from scarnet_cli import __version__
from scarnet_cli.cases.label_values import LabelValues, to_labels
from scarnet_cli.draw.overlay import draw_overlay
from scarnet_cli.errors import QuantificationError
from scarnet_cli.evaluate.reference import compare
from scarnet_cli.faults import reading_intermediate
from scarnet_cli.files import read_json, write_json
from scarnet_cli.image.foreign_nifti import ORIENTATION_UNKNOWN, as_stack, like, read_foreign_nifti
from scarnet_cli.image.volume import read_nifti
from scarnet_cli.quantify.measures import measure_study, without_orientation
from scarnet_cli.quantify.orientation import Point
from scarnet_cli.stage.folder import StudyFile, studies_of
from scarnet_cli.stage.guard import IN_PROCESS, Guard
from scarnet_cli.stage.run import Work, run_studies
from scarnet_cli.tables.failures import Failure
from scarnet_cli.tables.parquet import write_table

_TABLES: Final = ("scans", "slices", "segments")
_FROM_CONVERT: Final = ("study_instance_uid", "manufacturer")
_FROM_SEGMENT: Final = ("confidence", "model", "model_sha256", "segment_mode", "device")
_AXES: Final = 3
Rows = dict[str, list[dict[str, Any]]]


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
    _write_tables([_rows(options.study_id, asdict(measures), {"flags": foreign.flags})], out)


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
        studies = [read_json(rows_dir / f"{study_id}.json") for study_id in study_ids if study_id not in failed]
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
        write_json(rows_dir / f"{study_id}.json", rows)

    return quantify_study


def _quantify_study(convert: Path, segment: Path, out: Path) -> Rows:
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
    reference = convert / "reference.nii.gz"
    if reference.is_file():
        known |= asdict(compare(labels.array, read_nifti(reference)))
    known["flags"] = [*study.get("flags", []), *segmented.get("flags", [])]
    rows = _rows(study_id, asdict(measures), known)
    directory = out / "studies" / study_id
    draw_overlay(image, labels, directory / "overlay.png")
    write_json(directory / "study.json", {**study, **segmented, **rows["scans"][0]})
    return rows


def _rows(study_id: str, measures: Mapping[str, Any], known: Mapping[str, Any]) -> Rows:
    """Return a study's rows by table; its flags are those that earlier stages raised, then those raised here."""
    scan = measures["scan"]
    flags = list(dict.fromkeys([*known.get("flags", []), *scan["flags"]]))
    whole = {"study_id": study_id, **known, **scan, "flags": flags, "pipeline_version": __version__}
    return {
        "scans": [whole],
        "slices": [{"study_id": study_id, **row} for row in measures["slices"]],
        "segments": [{"study_id": study_id, **row} for row in measures["segments"]],
    }


def _write_tables(studies: Sequence[Rows], out: Path) -> None:
    models = sorted({row["model_sha256"] for rows in studies for row in rows["scans"] if row.get("model_sha256")})
    for table in _TABLES:
        rows = [row for study in studies for row in study[table]]
        write_table(table, rows, out / f"{table}.parquet", {"model_sha256": ",".join(models)})
