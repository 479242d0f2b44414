"""Running a stage over studies: an error ends only its own study and is recorded as a failure."""

import logging
import shutil
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from scarnet_cli.errors import OutOfMemoryError
from scarnet_cli.stage.execution import IN_PROCESS, Execution
from scarnet_cli.stage.folder import FAILURES, StudyFile, StudyFolder, study_folder
from scarnet_cli.stage.isolation import Attempt, attempt_apart
from scarnet_cli.stage.stage import Rows, Stage, attempt_study, prepare_work
from scarnet_cli.tables.failures import Failure
from scarnet_cli.tables.parquet import MODEL_DIGEST, write_table
from scarnet_cli.tables.schema import NAMES

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The results of a stage's studies.

    Attributes:
        rows: Rows of the finished studies.
        failures: Failures of the others, in the order of the studies.
    """

    rows: list[object] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


def run_stage(stage: Stage, study_ids: Sequence[str], out: Path, execution: Execution = IN_PROCESS) -> list[Failure]:
    """Process every study and write the stage's directory: studies/<id>, failures.parquet and the stage's tables.

    A table without rows is written too. A failed study's folder is removed, but for what the stage keeps, so that later
    stages see only complete studies.

    Returns:
        The failures, in the order of `study_ids`.

    Raises:
        MachineError: The machine failed, rather than a study; see faults.py.
        Exception: Whatever the stage's `prepare` raises.
    """
    out.mkdir(parents=True, exist_ok=True)
    outcome = attempt_studies(stage, study_ids, out, execution)
    for failure in outcome.failures:
        _remove_unfinished(study_folder(out, failure.study_id), stage.kept)
    write_failures(outcome.failures, out / FAILURES)
    write_rows(outcome.rows, stage.tables, out)
    return outcome.failures


def _remove_unfinished(folder: StudyFolder, kept: Sequence[StudyFile]) -> None:
    """Remove what a failed study left, but for the files to keep."""
    if not folder.has(*kept) or not kept:
        shutil.rmtree(folder.path, ignore_errors=True)
        return
    for path in set(folder.path.iterdir()) - {folder.file(name) for name in kept}:
        path.unlink()


def attempt_studies(stage: Stage, study_ids: Sequence[str], out: Path, execution: Execution = IN_PROCESS) -> Outcome:
    """Process every study in its folder below `out`, as `run_stage` does, but write no tables and remove nothing."""
    folders = [study_folder(out, study_id) for study_id in study_ids]
    results: dict[StudyFolder, Rows | Failure] = {}
    with (
        closing(_attempts(stage, folders, execution)) as attempts,
        execution.progress(stage.name, len(folders)) as advance,
    ):
        for folder, result in attempts:
            if isinstance(result, Failure):
                logger.warning("%s: study %s failed (%s): %s", stage.name, result.study_id, result.code, result.message)
            results[folder] = result
            advance()
    outcome = Outcome()
    for result in map(results.__getitem__, folders):
        if isinstance(result, Failure):
            outcome.failures.append(result)
        else:
            outcome.rows.extend(result)
    return outcome


def write_failures(failures: Sequence[Failure], path: Path) -> None:
    """Write the failures table atomically; it has the same schema if it is empty."""
    write_table(Failure, failures, path, {})


def write_rows(rows: Rows, tables: Sequence[type], out: Path) -> None:
    """Write rows as `out`/<table>.parquet, with the weights digests of all rows in each table's metadata."""
    digests = {getattr(row, MODEL_DIGEST, None) for row in rows}
    metadata = {MODEL_DIGEST: ",".join(sorted(filter(None, digests)))}
    for kind in tables:
        write_table(kind, [row for row in rows if isinstance(row, kind)], out / f"{NAMES[kind]}.parquet", metadata)


def _attempts(
    stage: Stage, folders: Sequence[StudyFolder], execution: Execution
) -> Generator[tuple[StudyFolder, Rows | Failure]]:
    """Yield what comes of each study: attempted in this process in their order, or in separate ones in any order."""
    within_memory = partial(_attempt_within_memory, stage=stage.name, execution=execution)
    processes = max(1, min(execution.jobs, len(folders)))
    if execution.isolate or processes > 1:
        yield from attempt_apart(stage, folders, execution.study_minutes, processes, within_memory)
        return
    attempt = partial(attempt_study, stage=stage.name, work=prepare_work(stage.prepare))
    for folder in folders:
        yield folder, within_memory(attempt, folder)


def _attempt_within_memory(attempt: Attempt, folder: StudyFolder, stage: str, execution: Execution) -> Rows | Failure:
    """Attempt a study; running out of memory becomes its failure unless the stage is retried with more memory."""
    try:
        return attempt(folder)
    except OutOfMemoryError as error:
        if execution.will_retry:
            raise
        return Failure(folder.study_id, stage, error.code, str(error))
