"""Run a stage over a batch, each study on its own: an error ends its study, is written down, and the rest go on."""

import json
import logging
import os
import shutil
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import track

from scarnet_cli.cohort.failures import Failure, failure_of_error, failure_of_status
from scarnet_cli.cohort.tables import write_table

logger = logging.getLogger(__name__)

_PIPE_BYTES: Final = 65536
_OOM_SCORE: Final = "1000"


def run_studies(
    stage: str, study_ids: Sequence[str], work: Callable[[str], None], out: Path, *, isolate: bool = False
) -> list[Failure]:
    """Run `work` for each study and write the failures to `out`/failures.parquet (an empty table when none failed).

    What a failed study left in `out`/studies/<study_id> is removed, so that later stages see whole studies only.

    Args:
        stage: Name of the stage, for the failures table.
        study_ids: The studies, each once.
        work: Does one study; whatever it raises, short of an interrupt, ends that study only.
        out: Output directory of the stage; made when absent.
        isolate: Run each study in a forked child process, so that a crash in native code or a kill for memory is
            that study's failure and not the batch's. Costs a few ms a study. CUDA must not be in use before.

    Returns:
        The failures, in the order of `study_ids`.
    """
    out.mkdir(parents=True, exist_ok=True)
    failures = attempt_studies(stage, study_ids, work, isolate=isolate)
    for failure in failures:
        shutil.rmtree(out / "studies" / failure.study_id, ignore_errors=True)
    write_failures(failures, out / "failures.parquet")
    return failures


def attempt_studies(
    stage: str, study_ids: Sequence[str], work: Callable[[str], None], *, isolate: bool = False
) -> list[Failure]:
    """Run `work` for each study and return the failures, as `run_studies` does, but write and remove nothing."""
    attempt = _attempt_in_child if isolate else _attempt
    failures: list[Failure] = []
    console = Console(stderr=True)
    for study_id in track(study_ids, description=stage, console=console, disable=not sys.stderr.isatty()):
        failure = attempt(stage, study_id, work)
        if failure is not None:
            logger.warning("%s: study %s failed (%s): %s", stage, study_id, failure.code, failure.message)
            failures.append(failure)
    return failures


def write_failures(failures: Sequence[Failure], path: Path) -> None:
    """Write the failures table atomically; without failures it is empty and has the same schema."""
    write_table("failures", [asdict(failure) for failure in failures], path, {})


def _attempt(stage: str, study_id: str, work: Callable[[str], None]) -> Failure | None:
    try:
        work(study_id)
    except Exception as error:  # noqa: BLE001 (one study's error, whatever it is, must not end the others)
        failure = failure_of_error(study_id, stage, error)
        if failure.code == "internal_error":
            _log_place(study_id, error)
        return failure
    return None


def _log_place(study_id: str, error: Exception) -> None:
    """Log where an unexpected error came from; its text only for debugging, as it may hold a path or a name."""
    place = "".join(traceback.format_tb(error.__traceback__))
    logger.error("study %s: %s at\n%s", study_id, type(error).__name__, place)
    logger.debug("study %s: %s", study_id, error)


def _attempt_in_child(stage: str, study_id: str, work: Callable[[str], None]) -> Failure | None:
    """Run one study in a forked child; its failure comes back through a pipe, its death as the wait status."""
    sys.stdout.flush()
    sys.stderr.flush()
    read_end, write_end = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 warns that other threads do not live on in the child; those of our libraries rest here.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _run_child(stage, study_id, work, write_end)
    os.close(write_end)
    try:
        _, status = os.waitpid(child, 0)
        # Read only now and without waiting: a grandchild may hold the pipe open, and a failure fits into it.
        os.set_blocking(read_end, False)
        report = _read_pipe(read_end)
    finally:
        os.close(read_end)
    if status != 0:
        return failure_of_status(study_id, stage, status)
    return Failure(**json.loads(report)) if report else None


def _read_pipe(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _PIPE_BYTES)
    except BlockingIOError:
        return b""


def _run_child(stage: str, study_id: str, work: Callable[[str], None], write_end: int) -> None:
    """Do the study, report a failure and leave without the parent's exit handlers; never returns."""
    status = 1
    try:
        _offer_to_oom_killer()
        failure = _attempt(stage, study_id, work)
        if failure is not None:
            os.write(write_end, json.dumps(asdict(failure)).encode())
        status = 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _offer_to_oom_killer() -> None:
    """Let the kernel pick the child, not the parent, when memory runs out."""
    try:
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE)
    except OSError:  # no Linux, or not allowed: the kernel then chooses by size, most often the child too
        logger.debug("oom_score_adj cannot be set")
