"""Stage QUANTIFY: from label maps to rows of the tables scans, slices and segments."""

from functools import partial
from pathlib import Path

from scarnet_cli.quantify.rows import TABLES
from scarnet_cli.stage.execution import IN_PROCESS, Execution
from scarnet_cli.stage.folder import StudyFile, studies_of
from scarnet_cli.stage.run import run_stage
from scarnet_cli.stage.stage import Stage, Work
from scarnet_cli.tables.failures import Failure


def quantify_studies(converted: Path, segmented: Path, out: Path, execution: Execution = IN_PROCESS) -> list[Failure]:
    """Measure every study of `segmented`; write the tables, the failures, and each study's picture and record.

    Returns:
        The failures.

    Raises:
        InputError: A directory is not the output of that stage.
        MachineError: The machine failed, or a file of an earlier stage is missing or damaged.
    """
    study_ids = studies_of(segmented, StudyFile.LABELS, StudyFile.SEGMENT_RECORD)
    studies_of(converted, StudyFile.IMAGE, StudyFile.STUDY)
    return run_stage(
        Stage("quantify", partial(_prepare, converted, segmented), tables=TABLES), study_ids, out, execution
    )


def _prepare(converted: Path, segmented: Path) -> Work:
    """Import what measuring needs, which the process that only starts another does without."""
    from scarnet_cli.quantify.quantify_study import quantify_study

    return partial(quantify_study, converted=converted, segmented=segmented)
