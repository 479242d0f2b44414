"""Running studies in a separate process, so that one that crashes or hangs does not affect the others."""

import logging
from functools import partial

from scarnet_cli.errors import OutOfMemoryError
from scarnet_cli.stage.folder import StudyFolder
from scarnet_cli.stage.stage import Prepare, Rows, Stage, attempt_study, prepare_work
from scarnet_cli.tables.failures import Failure, failure_of_death, failure_of_timeout
from scarnet_cli.worker import ProcessDeath, TaskTimeout, Worker, describe, start_worker

logger = logging.getLogger(__name__)


class Isolation:
    """A process that attempts a stage's studies; a study that kills or hangs it is retried once in a new process."""

    def __init__(self, stage: Stage, minutes: float) -> None:
        """Start and prepare the process; a study may take `minutes`.

        Raises:
            MachineError: The process does not start.
            Exception: Whatever the stage's `prepare` raises.
        """
        self._stage, self._minutes = stage, minutes
        self._worker = self._start(stage.prepare)

    def attempt(self, folder: StudyFolder) -> Rows | Failure:
        """Process one study and return its rows or its failure.

        Raises:
            OutOfMemoryError: Its process was killed from outside twice, as happens when memory runs out.
            MachineError: The machine failed.
        """
        try:
            return self._do(folder)
        except (ProcessDeath, TaskTimeout) as first:
            event = describe(first)
            logger.warning("%s: study %s %s; once more in a new process", self._stage.name, folder.study_id, event)
            self._replace()
        try:
            return self._do(folder)
        except TaskTimeout:
            self._replace()
            return failure_of_timeout(folder.study_id, self._stage.name, self._minutes)
        except ProcessDeath as death:
            self._replace()
            failure = failure_of_death(folder.study_id, self._stage.name, death)
            if death.killed:
                raise OutOfMemoryError(failure.code, failure.message) from None
            return failure

    def close(self) -> None:
        """End the process."""
        self._worker.close()

    def _do(self, folder: StudyFolder) -> Rows | Failure:
        return self._worker.do(folder, self._minutes * 60.0)

    def _replace(self) -> None:
        self._worker.kill()
        self._worker = self._start(self._stage.prepare_again or self._stage.prepare)

    def _start(self, prepare: Prepare) -> Worker[StudyFolder, Rows | Failure]:
        return start_worker(partial(_prepare_attempts, self._stage.name, prepare), self._stage.name)


def _prepare_attempts(stage: str, prepare: Prepare) -> partial[Rows | Failure]:
    """Return the function that attempts a study; called in the separate process."""
    return partial(attempt_study, stage=stage, work=prepare_work(prepare))
