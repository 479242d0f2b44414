"""Running studies in separate processes, so that one that crashes or hangs does not affect the others."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from queue import SimpleQueue

from scarnet_cli.errors import OutOfMemoryError
from scarnet_cli.stage.folder import StudyFolder
from scarnet_cli.stage.stage import Prepare, Rows, Stage, attempt_study, prepare_work
from scarnet_cli.tables.failures import Failure, failure_of_death, failure_of_timeout
from scarnet_cli.worker import ProcessDeath, TaskTimeout, Worker, describe, start_worker

logger = logging.getLogger(__name__)

Attempt = Callable[[StudyFolder], Rows | Failure]
Within = Callable[[Attempt, StudyFolder], Rows | Failure]


class Isolation:
    """A process that attempts a stage's studies; a study that kills or hangs it is retried once in a new process."""

    def __init__(self, stage: Stage, minutes: float) -> None:
        """Start and prepare the process; a study may take `minutes`.

        Raises:
            MachineError: The process does not start.
            Exception: Whatever the stage's `prepare` raises.
        """
        self._stage, self._minutes, self._stopped = stage, minutes, False
        self._worker = self._start(stage.prepare)

    def attempt(self, folder: StudyFolder) -> Rows | Failure:
        """Process one study and return its rows or its failure.

        Raises:
            OutOfMemoryError: Its process was killed from outside twice, as happens when memory runs out.
            MachineError: The machine failed.
            ProcessDeath: It was stopped.
        """
        try:
            return self._do(folder)
        except (ProcessDeath, TaskTimeout) as first:
            if self._stopped:
                raise
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

    def stop(self) -> None:
        """Kill the process; a study that another thread attempts ends with it."""
        self._stopped = True
        self._worker.kill()

    def _do(self, folder: StudyFolder) -> Rows | Failure:
        return self._worker.do(folder, self._minutes * 60.0)

    def _replace(self) -> None:
        self._worker.kill()
        self._worker = self._start(self._stage.prepare_again or self._stage.prepare)

    def _start(self, prepare: Prepare) -> Worker[StudyFolder, Rows | Failure]:
        return start_worker(partial(_prepare_attempts, self._stage.name, prepare), self._stage.name)


def attempt_apart(
    stage: Stage, folders: Sequence[StudyFolder], minutes: float, processes: int, within: Within
) -> Iterator[tuple[StudyFolder, Rows | Failure]]:
    """Attempt studies in so many processes at a time, and yield what comes of each, whichever is first.

    Args:
        stage: The stage.
        folders: The studies' folders.
        minutes: Time limit of one study.
        processes: At least 1.
        within: Called in place of an attempt at a study, with the attempt and the study's folder.

    Raises:
        MachineError: The machine failed.
        Exception: Whatever `within` or the stage's `prepare` raises; the other processes are stopped then.
    """
    isolations: list[Isolation] = []
    idle: SimpleQueue[Isolation] = SimpleQueue()

    def start(_number: int) -> None:
        isolations.append(isolation := Isolation(stage, minutes))
        idle.put(isolation)

    def attempt(folder: StudyFolder) -> tuple[StudyFolder, Rows | Failure]:
        isolation = idle.get()
        try:
            return folder, within(isolation.attempt, folder)
        finally:
            idle.put(isolation)

    with ThreadPoolExecutor(processes) as threads:
        try:
            list(threads.map(start, range(processes)))
            for future in as_completed([threads.submit(attempt, folder) for folder in folders]):
                yield future.result()
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            for isolation in isolations:
                isolation.stop()
            raise
        finally:
            for isolation in isolations:
                isolation.close()


def _prepare_attempts(stage: str, prepare: Prepare) -> partial[Rows | Failure]:
    """Return the function that attempts a study; called in the separate process."""
    return partial(attempt_study, stage=stage, work=prepare_work(prepare))
