"""What this project makes of a folder, by the way that `scarnet index` and `scarnet convert` go."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scarnet_cli.dicom.convert_study import convert_study
from scarnet_cli.errors import DicomError
from scarnet_cli.image.volume import Volume, read_nifti
from scarnet_cli.index.index_input import IndexOptions, index_input
from scarnet_cli.index.study_plan import PlannedStudy
from scarnet_cli.stage.folder import study_folder


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the one study in a folder.

    Attributes:
        study: What the index planned.
        volume: image.nii.gz; None where the study was refused.
        facts: study.json; empty likewise.
        failure: Code and message; None where there is a volume.
    """

    study: PlannedStudy
    volume: Volume | None
    facts: dict[str, Any]
    failure: tuple[str, str] | None


def outcome(source: Path, out: Path) -> Outcome:
    """Index and convert the one study below `source`."""
    (study,) = index_input(source, None, IndexOptions()).studies
    if study.entry is None:
        assert study.failure is not None
        return Outcome(study, None, {}, (study.failure.code, study.failure.message))
    try:
        convert_study(study.entry, source, study_folder(out, study.study_id))
    except DicomError as error:
        return Outcome(study, None, {}, (error.code, str(error)))
    folder = out / "studies" / study.study_id
    return Outcome(study, read_nifti(folder / "image.nii.gz"), json.loads((folder / "study.json").read_text()), None)
