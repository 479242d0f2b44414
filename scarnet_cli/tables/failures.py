"""The table `failures`: one row per study that could not be finished, with stage, reason and advice."""

import signal
from typing import TYPE_CHECKING, Final

from scarnet_cli.errors import ScarnetError
from scarnet_cli.tables.columns import block, column, record
from scarnet_cli.tables.studies import STUDY_ID, StudyLabels

if TYPE_CHECKING:
    from scarnet_cli.worker import ProcessDeath

# fmt: off
# All codes that a study may fail with, at any stage.
CODES: Final = frozenset({
    "archive_too_large", "bad_archive", "bad_matrix", "bad_orientation", "bad_pixels", "bad_spacing", "blank_image",
    "burned_in_annotation", "changed_file", "crashed", "grid_mismatch", "heart_not_found", "heart_not_segmented",
    "internal_error", "labels_unusable", "mixed_grids", "no_dicom", "no_geometry", "no_lge_stack", "no_mr_images",
    "no_study_uid", "non_finite_signal", "not_a_volume", "not_found", "not_readable", "not_retrieved",
    "out_of_memory", "repeated_position", "rv_insertion", "several_patients", "several_studies", "sheared_stack",
    "single_slice", "slice_gap", "stack_in_parts", "stacks_not_told_apart", "timed_out", "turned_slices",
    "unknown_label", "unreadable_folder", "unreadable_image",
})
# fmt: on
# Longer messages are cut.
MESSAGE_LIMIT: Final = 2000


@record
class Failure:
    """One study that a stage could not finish. The message holds no name, birth date or input path."""

    study_id: str = column(STUDY_ID, required=True)
    stage: str = column(
        "Stage at which the study ended: index, fetch, convert, crop, segment, quantify.", required=True
    )
    code: str = column("Reason as a short word for programs.", required=True)
    message: str = column("Reason for people, and what to do.", required=True)
    labels: StudyLabels = block(default=StudyLabels())


def failure_of_error(study_id: str, stage: str, error: Exception) -> Failure:
    """Return the failure for an error, with a ScarnetError's message or any other exception's type.

    The text of another exception is left out because it may hold a path or a name.
    """
    if isinstance(error, ScarnetError):
        return Failure(study_id, stage, error.code, str(error)[:MESSAGE_LIMIT])
    message = f"{stage} met an unexpected {type(error).__name__}: a bug; please report it with the task's log."
    return Failure(study_id, stage, "internal_error", message)


def failure_of_death(study_id: str, stage: str, death: "ProcessDeath") -> Failure:
    """Return the failure of a study whose process died twice."""
    cause = f"with exit status {death.status}" if death.signal is None else f"by {_signal_name(death.signal)}"
    advice = "native code crashed on this study's data; look at its files or leave the study out."
    if death.killed:
        advice = "most often, memory ran out; give the stage more memory or leave the study out."
    return Failure(study_id, stage, "crashed", f"The process that ran {stage} ended twice {cause}: {advice}")


def failure_of_timeout(study_id: str, stage: str, minutes: float) -> Failure:
    """Return the failure of a study that exceeded its time limit twice."""
    message = (
        f"{stage} did not finish this study in {minutes:g} minutes, twice; look at its files, leave it out, or allow "
        "more with --study_minutes."
    )
    return Failure(study_id, stage, "timed_out", message)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
