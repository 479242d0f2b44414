"""What a study that could not be finished leaves behind: one row that says where, why and what to do."""

import signal
from typing import TYPE_CHECKING, Final

from scarnet_cli.errors import ScarnetError
from scarnet_cli.tables.columns import block, column, record
from scarnet_cli.tables.studies import STUDY_ID, StudyLabels

if TYPE_CHECKING:
    from scarnet_cli.worker import ProcessDeath

# fmt: off
# What a study may fail with, at whatever stage.
CODES: Final = frozenset({
    "archive_too_large", "bad_archive", "bad_matrix", "bad_orientation", "bad_pixels", "bad_spacing", "blank_image",
    "burned_in_annotation", "changed_file", "crashed", "grid_mismatch", "heart_not_found", "heart_not_segmented",
    "internal_error", "mixed_grids", "no_dicom", "no_geometry", "no_lge_stack", "no_mr_images", "non_finite_signal",
    "not_a_volume", "not_found", "not_readable", "not_retrieved", "out_of_memory", "repeated_position",
    "no_study_uid", "rv_insertion", "several_patients", "several_studies", "sheared_stack", "single_slice", "slice_gap",
    "stacks_not_told_apart", "timed_out", "turned_slices", "unknown_label", "unreadable_folder", "unreadable_image",
})
# fmt: on
# A longer message helps nobody.
MESSAGE_LIMIT: Final = 2000


@record
class Failure:
    """One study that a stage gave up. The message holds no name, birth date or input path."""

    study_id: str = column(STUDY_ID, required=True)
    stage: str = column(
        "Stage at which the study ended: index, fetch, convert, crop, segment, quantify.", required=True
    )
    code: str = column("Reason as a short word for programs.", required=True)
    message: str = column("Reason for people, and what to do.", required=True)
    labels: StudyLabels = block(default=StudyLabels())


def failure_of_error(study_id: str, stage: str, error: Exception) -> Failure:
    """Return the failure that an error stands for: a ScarnetError's own message, of any other only its type.

    The text of a foreign exception is left out: it may hold a path or a name.
    """
    if isinstance(error, ScarnetError):
        return Failure(study_id, stage, error.code, str(error)[:MESSAGE_LIMIT])
    message = f"{stage} met an unexpected {type(error).__name__}: a bug; please report it with the task's log."
    return Failure(study_id, stage, "internal_error", message)


def failure_of_death(study_id: str, stage: str, death: "ProcessDeath") -> Failure:
    """Return the failure of a study whose process ended, twice."""
    cause = f"with exit status {death.status}" if death.signal is None else f"by {_signal_name(death.signal)}"
    advice = "native code crashed on this study's data; look at its files or leave the study out."
    if death.killed:
        advice = "most often memory ran out; give the stage more memory or leave the study out."
    return Failure(study_id, stage, "crashed", f"The process that ran {stage} ended twice {cause}: {advice}")


def failure_of_timeout(study_id: str, stage: str, minutes: float) -> Failure:
    """Return the failure of a study that took longer than it may, twice."""
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
