"""Python in place of the command line: read or convert, segment and measure single studies in memory.

Everything here calls the functions that the pipeline's stages call, so that the numbers are the same.
"""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813 (the library's own custom)
from numpy.typing import NDArray

from scarnet_cli.buckets.place import Place, place_of
from scarnet_cli.cases.label_values import LabelValues, to_labels
from scarnet_cli.dicom.convert_stage import convert_batch
from scarnet_cli.dicom.convert_study import read_nifti_study, study_stack
from scarnet_cli.dicom.results.given_labels import placed_labels, read_given_labels
from scarnet_cli.dicom.study_entry import StudyRecord
from scarnet_cli.errors import InputError
from scarnet_cli.image.foreign_nifti import as_stack
from scarnet_cli.image.nifti_header import ORIENTATION_UNKNOWN
from scarnet_cli.image.volume import Volume, from_sitk, write_nifti
from scarnet_cli.quantify.measures import StudyMeasures, measure_study, without_orientation
from scarnet_cli.stage.folder import StudyFile, study_folder
from scarnet_cli.stage.records import SegmentRecord
from scarnet_cli.tables.columns import Cell, cells_of
from scarnet_cli.tables.failures import Failure

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Study:
    """A study's LGE short-axis stack.

    Attributes:
        study_id: Its id, as in the pipeline's tables; "study" for what `read` gives.
        image: (z, y, x) signal, float32, with spacing in mm and LPS geometry.
        flags: What a reader should know of how it was made.
        rv_insertion: LPS position in mm of the anterior RV insertion; None to estimate it.
        record: What CONVERT says of it (study.json); None for what `read` gives.
    """

    study_id: str
    image: Volume
    flags: tuple[str, ...] = ()
    rv_insertion: Point | None = None
    record: StudyRecord | None = None


@dataclass(frozen=True, slots=True)
class Conversion:
    """The studies of an input, sorted by id, and those that could not be converted."""

    studies: tuple[Study, ...]
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class Segmentation:
    """A network's label map.

    Attributes:
        labels: (z, y, x) uint8 on the image's grid: 0 background, 1 blood pool, 2 myocardium, 3 scar, 4 MVO.
        record: Confidence, flags, model and its digest, as in segment.json.
    """

    labels: Volume
    record: SegmentRecord


def read(source: str | Path | sitk.Image | NDArray[Any], spacing_zyx_mm: Point | None = None) -> Study:
    """Return an image as a study: a NIfTI file, a SimpleITK image, or a (z, y, x) array.

    Slices come first, whatever the order of the image's axes. An array says nothing of the patient's directions: its
    AHA segments are undefined.

    Args:
        source: The image.
        spacing_zyx_mm: Of an array only, and needed there: distance between slices, rows and columns.

    Raises:
        InputError: An array has no spacing, or something else has one.
        GeometryError: The file cannot be read, or it is not clear which axis the slices are along.
        DicomError: There are fewer than two slices, or the values are not finite or all the same.
    """
    if isinstance(source, np.ndarray) != (spacing_zyx_mm is not None):
        message = "spacing_zyx_mm goes with an array, which needs it; an image and a file have their own."
        raise InputError("spacing", message)
    if isinstance(source, sitk.Image):
        stack, flags = as_stack(from_sitk(source, sitk.GetArrayFromImage(source))), ()
        return Study("study", study_stack(stack, "The image"), flags)
    if isinstance(source, np.ndarray) and spacing_zyx_mm is not None:
        stack = Volume(source, spacing_zyx_mm, (0.0, 0.0, 0.0), np.eye(3))
        return Study("study", study_stack(stack, "The array"), (ORIENTATION_UNKNOWN,))
    return Study("study", *read_nifti_study(Path(str(source))))


def convert(source: str | Path) -> Conversion:
    """Return the studies of a folder, archive, DICOM or NIfTI file, samplesheet, or bucket's address.

    Raises:
        InputError: The input is none of these, or holds no DICOM at all.
        MachineError: The machine failed.
    """
    from scarnet_cli.index.index_input import IndexOptions, index_input  # noqa: PLC0415 (slow to import)

    place: Place = place_of(str(source))
    with TemporaryDirectory() as name:
        out = Path(name)
        index = index_input(place, None, IndexOptions())
        failures = [study.failure for study in index.studies if study.failure is not None]
        failures += convert_batch(index.batch, out)
        failed = {failure.study_id for failure in failures}
        studies = [_converted(out, study.study_id) for study in index.studies if study.study_id not in failed]
    return Conversion(tuple(studies), tuple(failures))


def _converted(out: Path, study_id: str) -> Study:
    folder = study_folder(out, study_id)
    record = folder.read_record(StudyFile.STUDY, StudyRecord)
    return Study(study_id, folder.read_volume(StudyFile.IMAGE), record.flags, record.rv_insertion, record)


def segment(
    study: Study, *, weights: str | Path = "scarnet", localiser: str | Path = "localiser", fast: bool = False
) -> Segmentation:
    """Return the network's label map of a study; the networks are loaded once.

    Args:
        study: The study.
        weights: The network that labels: a name, looked up in SCARNET_WEIGHTS and in the pipeline's weights, or a path.
        localiser: The network that finds the heart, likewise.
        fast: Look at each slice once, not in several views.

    Raises:
        ModelError: The weights cannot be used, or no heart was found.
    """
    from scarnet_cli.infer.crop_study import crop_study, read_crop  # noqa: PLC0415 (imports torch)
    from scarnet_cli.infer.segment_study import Prediction, Segmenter  # noqa: PLC0415

    with TemporaryDirectory() as name:
        convert_dir, crop_dir, segment_dir = (Path(name) / stage for stage in ("convert", "crop", "segment"))
        study_folder(convert_dir, study.study_id).write_volume(StudyFile.IMAGE, study.image)
        cropped, labelled = (study_folder(directory, study.study_id) for directory in (crop_dir, segment_dir))
        crop_study(cropped, convert_dir, _network(str(localiser), "localise"))
        crop = read_crop(cropped)
        segmenter = Segmenter(_network(str(weights), "segment"), fast=fast)
        (seen,) = segmenter.predict([crop.crop])
        segmenter.segment(Prediction(seen, crop), labelled)
        record = labelled.read_record(StudyFile.SEGMENT_RECORD, SegmentRecord)
        return Segmentation(labelled.read_volume(StudyFile.LABELS), record)


@cache
def _network(weights: str, task: str) -> Any:  # noqa: ANN401 (a TrainedNetwork, whose module imports torch)
    from scarnet_cli.model.spec import Task  # noqa: PLC0415
    from scarnet_cli.model.store import find_weights  # noqa: PLC0415
    from scarnet_cli.model.weights import best_device, load_weights  # noqa: PLC0415

    own = os.environ.get("SCARNET_WEIGHTS")
    return load_weights(find_weights(weights, Path(own) if own else None), best_device(), task=Task(task))


def measure(
    study: Study,
    labels: Segmentation | Volume | sitk.Image | NDArray[Any] | str | Path,
    values: LabelValues | None = None,
) -> StudyMeasures:
    """Return all measures of a study: of the whole heart (`scan`), its `slices` and its AHA `segments`; and its flags.

    Args:
        study: The study.
        labels: Its label map: of `segment`; a file (NIfTI, NRRD, DICOM SEG) or SimpleITK image on the image's grid, in
            any order of axes; or an array of the shape of `study.image.array`.
        values: What the label map's values mean; None if they are those of `Label`.

    Raises:
        GeometryError: The label map is not on the image's grid, or a value is unknown.
        QuantificationError: The label map or the signal cannot be measured.
    """
    measures = measure_study(study.image, _labels(study.image, labels, values), study.rv_insertion)
    return without_orientation(measures) if ORIENTATION_UNKNOWN in study.flags else measures


def _labels(
    image: Volume, labels: Segmentation | Volume | sitk.Image | NDArray[Any] | str | Path, values: LabelValues | None
) -> Volume:
    """Return a label map on the image's grid; see `measure`."""
    if isinstance(labels, str | Path):
        return read_given_labels(Path(labels), image, values).labels
    if isinstance(labels, np.ndarray):
        return image.with_array(to_labels(labels, values, "The label map"))
    if isinstance(labels, Segmentation):
        return labels.labels
    drawn = labels if isinstance(labels, Volume) else from_sitk(labels, sitk.GetArrayFromImage(labels))
    return placed_labels(drawn.with_array(to_labels(drawn.array, values, "The label map")), image)


def columns(record: object) -> dict[str, Cell]:
    """Return a record of measures as name -> value, with the names of the tables' columns."""
    return cells_of(record)


def write(volume: Volume | Segmentation, path: str | Path) -> None:
    """Write an image or a label map as compressed NIfTI (NAME.nii.gz), as the pipeline does."""
    write_nifti(volume.labels if isinstance(volume, Segmentation) else volume, Path(path))
