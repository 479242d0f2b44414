"""The table `studies`: the studies that INDEX saw, with the samplesheet's labels."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Final

from scarnet_cli.sheet import MISSING
from scarnet_cli.tables.columns import block, column, record

STUDY_ID: Final = (
    "Samplesheet name, else the first 16 hex digits of SHA-256 of StudyInstanceUID; with --deidentify a pseudonym."
)


@record
class StudyLabels:
    """Labels that a samplesheet may give a study, for the user's own grouping."""

    patient: str | None = column(
        "Label that joins the studies of one patient, with --deidentify a pseudonym; from the samplesheet, else null.",
        default=None,
    )
    site: str | None = column(
        "Label of the hospital or scanner that the study comes from; from the samplesheet, else null.", default=None
    )
    group: str | None = column(
        "Label of the group that the study belongs to, such as a trial's arm; from the samplesheet, else null.",
        default=None,
    )
    visit: str | None = column(
        "Label of the visit at which the study was made, such as baseline; from the samplesheet, else null.",
        default=None,
    )


LABELS: Final = tuple(label.name for label in fields(StudyLabels))
NO_LABELS: Final = StudyLabels()


def labels_in(cells: Mapping[str, str]) -> StudyLabels:
    """Return the labels in a row of a user's table; an empty cell is None.

    So is a patient that is written as missing ("NA"): otherwise all such studies would be of one patient.
    """
    labels = {name: cells.get(name) or None for name in LABELS}
    return StudyLabels(**labels | ({"patient": None} if (labels["patient"] or "").lower() in MISSING else {}))


@record
class StudyRow:
    """One study that INDEX saw."""

    study_id: str = column(STUDY_ID, required=True)
    study_digest: str | None = column("Digest of the study's files; a change redoes its batch.")
    batch: str | None = column("Batch that the study travels in; null when it failed before.")
    labels: StudyLabels = block(default=StudyLabels())
