"""One study's label map, as another network's command left it."""

from collections.abc import Mapping
from pathlib import Path

from scarnet_cli.dicom.results.given_labels import read_given_labels
from scarnet_cli.errors import ModelError
from scarnet_cli.infer.collect_stage import CommandLabels
from scarnet_cli.stage.folder import StudyFile, StudyFolder, study_folder
from scarnet_cli.stage.records import COMMAND, SegmentRecord


def collect_study(folder: StudyFolder, converted: Path, files: Mapping[str, Path], made: CommandLabels) -> None:
    """Write a study's label map, on its image's grid, and its record.

    Raises:
        ModelError: There is none.
        GeometryError: It cannot be used.
        IntermediateError: The image is missing or damaged.
    """
    if folder.study_id not in files:
        message = "The segment command left no label map of this study; its log, command.log in the task, may say why."
        raise ModelError("no_label_map", message)
    image = study_folder(converted, folder.study_id).read_volume(StudyFile.IMAGE)
    folder.write_volume(StudyFile.LABELS, read_given_labels(files[folder.study_id], image, made.values).labels)
    record = SegmentRecord(
        study_id=folder.study_id,
        confidence=None,
        scar_probability=None,
        margins=None,
        model=made.name,
        model_sha256=made.sha256,
        segment_mode=COMMAND,
        device=None,
        flags=(),
    )
    folder.write_record(StudyFile.SEGMENT_RECORD, record)
