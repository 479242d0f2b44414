"""What a stage is: work on one study at a time, which leaves files in the study's folder and returns rows of tables."""

import logging
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scarnet_cli.faults import machine_fault
from scarnet_cli.stage.folder import StudyFolder
from scarnet_cli.tables.failures import Failure, failure_of_error

logger = logging.getLogger(__name__)

# A study's rows: records of tables/, of any of the stage's tables.
Rows = Sequence[object]
Work = Callable[[StudyFolder], Rows | None]
Prepare = Callable[[], Work]


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the pipeline.

    Attributes:
        name: Its name in the failures table and the log.
        prepare: Returns the function that does one study. It is called once in each process that does studies, to load
            a network say, and must pickle. The function writes the study's files into the folder that it is given and
            returns the study's rows, if the stage has tables. What it raises ends its study alone, unless the machine
            failed (faults.py).
        prepare_again: The same for a process that replaces one that died, where more care is needed.
        tables: The records of its tables.
    """

    name: str
    prepare: Prepare
    prepare_again: Prepare | None = None
    tables: tuple[type, ...] = ()


def prepare_work(prepare: Prepare) -> Work:
    """Call `prepare` in the process that does the studies.

    Raises:
        MachineError: The machine failed.
        Exception: Whatever else `prepare` raises.
    """
    try:
        return prepare()
    except ModuleNotFoundError:  # a package that was never installed here: the command line says how to get it
        raise
    except Exception as error:
        if fault := machine_fault(error):
            raise fault from error
        raise


def attempt_study(folder: StudyFolder, stage: str, work: Work) -> Rows | Failure:
    """Do one study; return its rows, or why it failed.

    Raises:
        MachineError: The machine failed.
    """
    try:
        return work(folder) or ()
    except Exception as error:  # one study's error, whatever it is, must not end the others
        if fault := machine_fault(error):
            raise fault from error
        failure = failure_of_error(folder.study_id, stage, error)
        if failure.code == "internal_error":
            _log_origin(folder.study_id, error)
        return failure


def _log_origin(study_id: str, error: Exception) -> None:
    """Log where an unexpected error came from; its text only for debugging, as it may hold a path or a name."""
    lines = "".join(traceback.format_tb(error.__traceback__))
    logger.error("study %s: %s at\n%s", study_id, type(error).__name__, lines)
    logger.debug("study %s: %s", study_id, error)
