"""The definition of a stage: work on one study, which writes files to the study's folder and returns table rows."""

import logging
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scarnet_cli.faults import machine_fault
from scarnet_cli.stage.folder import StudyFile, StudyFolder
from scarnet_cli.tables.failures import Failure, failure_of_error

logger = logging.getLogger(__name__)

# A study's rows: records of any of the stage's tables (tables/).
Rows = Sequence[object]
Work = Callable[[StudyFolder], Rows | None]
Prepare = Callable[[], Work]


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the pipeline.

    Attributes:
        name: Its name in the failures table and the log.
        prepare: Returns the function that processes one study. It is called once in each process that works on studies,
            for example to load a network, and must be picklable. The function writes the study's files into the given
            folder and returns the study's rows, if the stage has tables. An error that it raises ends only that study,
            unless the machine failed (faults.py).
        prepare_again: Replaces `prepare` in a process that replaces one that died, if that one needs more caution.
        tables: The records of its tables.
        kept: The files that a failed study keeps; the others are removed.
    """

    name: str
    prepare: Prepare
    prepare_again: Prepare | None = None
    tables: tuple[type, ...] = ()
    kept: tuple[StudyFile, ...] = ()


def prepare_work(prepare: Prepare) -> Work:
    """Call `prepare` in the process that works on the studies.

    Raises:
        MachineError: The machine failed.
        Exception: Whatever else `prepare` raises.
    """
    try:
        return prepare()
    except ModuleNotFoundError:  # a package is not installed: the command line says how to get it
        raise
    except Exception as error:
        if fault := machine_fault(error):
            raise fault from error
        raise


def attempt_study(folder: StudyFolder, stage: str, work: Work) -> Rows | Failure:
    """Process one study and return its rows or its failure.

    Raises:
        MachineError: The machine failed.
    """
    try:
        return work(folder) or ()
    except Exception as error:  # no error of one study may end the others
        if fault := machine_fault(error):
            raise fault from error
        failure = failure_of_error(folder.study_id, stage, error)
        if failure.code == "internal_error":
            _log_origin(folder.study_id, error)
        return failure


def _log_origin(study_id: str, error: Exception) -> None:
    """Log an unexpected error's traceback; its text, which may hold a path or a name, only at debug level."""
    lines = "".join(traceback.format_tb(error.__traceback__))
    logger.error("study %s: %s at\n%s", study_id, type(error).__name__, lines)
    logger.debug("study %s: %s", study_id, error)
