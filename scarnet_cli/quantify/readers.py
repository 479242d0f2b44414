"""The label maps of a study's readers, measured as the study is and compared two by two: the table `readers`."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final

from scarnet_cli.cases.label_values import LabelValues
from scarnet_cli.dicom.results.given_labels import read_given_labels
from scarnet_cli.errors import GeometryError, QuantificationError
from scarnet_cli.evaluate.region import dice_of_region
from scarnet_cli.image.labels import REGIONS
from scarnet_cli.image.volume import Volume
from scarnet_cli.quantify.measures import StudyMeasures, measure_study, without_orientation
from scarnet_cli.quantify.orientation import Point
from scarnet_cli.stage.records import LabelMapFile
from scarnet_cli.tables.columns import schema_of
from scarnet_cli.tables.readers import ReaderMeasures, ReadersRow

_NUMBERS: Final = tuple(name for name in schema_of(ReaderMeasures).names if name != "scar_segments")


@dataclass(frozen=True, slots=True)
class ReadStudy:
    """A study that readers drew: its id, its image, its RV insertion, and whether the image's orientation is known."""

    study_id: str
    image: Volume
    rv_insertion: Point | None
    is_oriented: bool


@dataclass(frozen=True, slots=True)
class _Reading:
    """One reader's label map, on the image's grid, and its measures."""

    reader: str
    labels: Volume
    measures: ReaderMeasures


def compare_readers(
    study: ReadStudy, files: Sequence[LabelMapFile], values: LabelValues | None
) -> tuple[list[ReadersRow], tuple[str, ...]]:
    """Return a row for every two readers of a study, and the flag `reader_unusable` if a label map cannot be used.

    Args:
        study: The study.
        files: Its label maps; those without a reader are left out.
        values: What their values mean; None if they are those of `Label`.
    """
    named = [(file.reader, Path(file.path)) for file in files if file.reader is not None]
    if len(named) < 2:  # noqa: PLR2004 (a pair)
        return [], ()
    readings: list[_Reading] = []
    for reader, path in sorted(named):
        try:
            readings.append(_read(study, reader, path, values))
        except (GeometryError, QuantificationError):
            continue
    rows = [_compare(study.study_id, *pair) for pair in combinations(readings, 2)]
    return rows, ("reader_unusable",) if len(readings) < len(named) else ()


def _read(study: ReadStudy, reader: str, path: Path, values: LabelValues | None) -> _Reading:
    labels = read_given_labels(path, study.image, values).labels
    measures = measure_study(study.image, labels, study.rv_insertion)
    return _Reading(reader, labels, _measures(measures if study.is_oriented else without_orientation(measures)))


def _measures(measures: StudyMeasures) -> ReaderMeasures:
    numbers = {name: getattr(measures.scan, name) for name in _NUMBERS}
    scar_ml = {segment.segment: segment.scar_ml for segment in measures.segments}
    segments = tuple(str(segment) for segment, volume in scar_ml.items() if volume)
    return ReaderMeasures(**numbers, scar_segments=None if None in scar_ml.values() else segments)


def _compare(study_id: str, first: _Reading, second: _Reading) -> ReadersRow:
    dice = {f"{region}_dice": dice_of_region(first.labels.array, second.labels.array, region) for region in REGIONS}
    return ReadersRow(study_id, first.reader, second.reader, first=first.measures, second=second.measures, **dice)
