"""Run a stage over a batch, each study on its own: an error ends its study, is written down, and the rest go on."""

import logging
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import track

from scarnet_cli.errors import OutOfMemoryError
from scarnet_cli.faults import machine_fault
from scarnet_cli.stage.folder import FAILURES, study_folder
from scarnet_cli.stage.guard import IN_PROCESS, Guard
from scarnet_cli.tables.failures import Failure, failure_of_death, failure_of_error, failure_of_timeout
from scarnet_cli.tables.parquet import write_table
from scarnet_cli.worker import Died, TimedOut, Work, Worker, started_worker, worded

logger = logging.getLogger(__name__)

Prepare = Callable[[], Work[None]]


def run_studies(
    stage: str,
    study_ids: Sequence[str],
    prepare: Prepare,
    out: Path,
    guard: Guard = IN_PROCESS,
    prepare_again: Prepare | None = None,
) -> list[Failure]:
    """Do every study and write the failures to `out`/failures.parquet (an empty table when none failed).

    What a failed study left in `out`/studies/<study_id> is removed, so that later stages see whole studies only.

    Args:
        stage: Name of the stage, for the failures table.
        study_ids: The studies, each once.
        prepare: Returns the function that does one study; called once in each process that does studies. Whatever that
            function raises ends its study only, unless it is the machine's fault.
        out: Output directory of the stage; made when absent.
        guard: What protects the other studies.
        prepare_again: The same for a process that replaces one that died, where it should be more careful.

    Returns:
        The failures, in the order of `study_ids`.

    Raises:
        MachineError: The machine failed, not a study; see faults.py.
    """
    out.mkdir(parents=True, exist_ok=True)
    failures = attempt_studies(stage, study_ids, prepare, guard, prepare_again)
    for failure in failures:
        shutil.rmtree(study_folder(out, failure.study_id).path, ignore_errors=True)
    write_failures(failures, out / FAILURES)
    return failures


def attempt_studies(
    stage: str, study_ids: Sequence[str], prepare: Prepare, guard: Guard, prepare_again: Prepare | None = None
) -> list[Failure]:
    """Do every study and return the failures, as `run_studies` does, but write and remove nothing."""
    failures: list[Failure] = []
    console = Console(stderr=True)
    with _attempts(stage, prepare, prepare_again or prepare, guard) as attempt:
        for study_id in track(study_ids, description=stage, console=console, disable=not sys.stderr.isatty()):
            failure = _attempt_within_memory(attempt, stage, study_id, guard)
            if failure is not None:
                logger.warning("%s: study %s failed (%s): %s", stage, study_id, failure.code, failure.message)
                failures.append(failure)
    return failures


def write_failures(failures: Sequence[Failure], path: Path) -> None:
    """Write the failures table atomically; without failures it is empty and has the same schema."""
    write_table(Failure, failures, path, {})


@contextmanager
def _attempts(stage: str, prepare: Prepare, prepare_again: Prepare, guard: Guard) -> Iterator[Work[Failure | None]]:
    """Give the function that attempts one study, in this process or in one apart."""
    if not guard.isolate:
        work = _prepared(prepare)
        yield lambda study_id: _attempt(stage, study_id, work)
        return
    isolated = _Isolated(stage, prepare, prepare_again, guard.study_minutes)
    try:
        yield isolated.attempt
    finally:
        isolated.close()


class _Isolated:
    """Attempts studies in a process apart; a study that ends or hangs it is tried once more in a new one."""

    def __init__(self, stage: str, prepare: Prepare, prepare_again: Prepare, minutes: float) -> None:
        self._stage, self._prepare_again, self._minutes = stage, prepare_again, minutes
        self._worker = self._start(prepare)

    def attempt(self, study_id: str) -> Failure | None:
        try:
            return self._do(study_id)
        except (Died, TimedOut) as first:
            logger.warning("%s: study %s %s; once more in a new process", self._stage, study_id, worded(first))
            self._replace()
        try:
            return self._do(study_id)
        except TimedOut:
            self._replace()
            return failure_of_timeout(study_id, self._stage, self._minutes)
        except Died as death:
            self._replace()
            failure = failure_of_death(study_id, self._stage, death)
            if death.killed:
                raise OutOfMemoryError(failure.code, failure.message) from None
            return failure

    def close(self) -> None:
        self._worker.close()

    def _do(self, study_id: str) -> Failure | None:
        return self._worker.do(study_id, self._minutes * 60.0)

    def _replace(self) -> None:
        self._worker.kill()
        self._worker = self._start(self._prepare_again)

    def _start(self, prepare: Prepare) -> Worker[str, Failure | None]:
        return started_worker(partial(_prepared_attempts, self._stage, prepare), self._stage)


def _prepared_attempts(stage: str, prepare: Prepare) -> Work[Failure | None]:
    """Return, in a worker's process, the function that attempts a study."""
    return partial(_attempt, stage, work=_prepared(prepare))


def _prepared(prepare: Prepare) -> Work[None]:
    try:
        return prepare()
    except ModuleNotFoundError:  # a package that was never installed here: the command line says how to get it
        raise
    except Exception as error:
        if fault := machine_fault(error):
            raise fault from error
        raise


def _attempt(stage: str, study_id: str, work: Work[None]) -> Failure | None:
    try:
        work(study_id)
    except Exception as error:  # one study's error, whatever it is, must not end the others
        if fault := machine_fault(error):
            raise fault from error
        failure = failure_of_error(study_id, stage, error)
        if failure.code == "internal_error":
            _log_origin(study_id, error)
        return failure
    return None


def _attempt_within_memory(attempt: Work[Failure | None], stage: str, study_id: str, guard: Guard) -> Failure | None:
    """Attempt a study; that memory ran out is its failure where no other attempt with more memory follows."""
    try:
        return attempt(study_id)
    except OutOfMemoryError as error:
        if guard.will_retry:
            raise
        return Failure(study_id, stage, error.code, str(error))


def _log_origin(study_id: str, error: Exception) -> None:
    """Log where an unexpected error came from; its text only for debugging, as it may hold a path or a name."""
    lines = "".join(traceback.format_tb(error.__traceback__))
    logger.error("study %s: %s at\n%s", study_id, type(error).__name__, lines)
    logger.debug("study %s: %s", study_id, error)
