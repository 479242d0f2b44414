import errno
import faulthandler
import multiprocessing
import os
import signal
import time
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from scarnet_cli.errors import DicomError, InputError, MachineError, ModelError, OutOfMemoryError
from scarnet_cli.stage.execution import Execution
from scarnet_cli.stage.folder import StudyFile, StudyFolder, studies_of, study_folder
from scarnet_cli.stage.run import run_stage
from scarnet_cli.stage.stage import Rows, Stage, Work
from scarnet_cli.tables.exports import ExportRow
from scarnet_cli.tables.slices import SliceRow

STUDIES = ["a", "b", "c"]
MESSAGE = "No LGE series among 3; name it in the rules."
HERE, APART = Execution(), Execution(isolate=True)
EXECUTIONS = pytest.mark.parametrize("execution", [HERE, APART], ids=["here", "apart"])


# Work that a process apart can be sent: functions of this module, which leave what they did in `out`.


def finish(folder: StudyFolder) -> None:
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.file(StudyFile.CROP_RECORD).write_text("begun")


def finished(out: Path) -> list[str]:
    return sorted(p.name for p in (out / "studies").iterdir())


def failing(error: Exception) -> Work:
    """Finish every study but b."""

    def work(folder: StudyFolder) -> None:
        finish(folder)
        if folder.study_id == "b":
            raise error

    return work


def unexpected() -> Work:
    def work(folder: StudyFolder) -> None:
        text = f"/archive/DOE^JANE/{folder.study_id}"
        raise ValueError(text)

    return work


def dying(out: Path, number: int, *, times: int = 2) -> Work:
    """End the process in study a, so many times; then finish it."""

    def work(folder: StudyFolder) -> None:
        finish(folder)
        with (out / "attempts.txt").open("a") as file:
            file.write(folder.study_id)
        if folder.study_id == "a" and (out / "attempts.txt").read_text().count("a") <= times:
            faulthandler.disable()
            os.kill(os.getpid(), number)

    return work


def hanging() -> Work:
    def work(folder: StudyFolder) -> None:
        finish(folder)
        if folder.study_id == "a":
            time.sleep(1000)

    return work


def hanging_or_full() -> Work:
    """Hang in study a; find the disk full in study b."""

    def work(folder: StudyFolder) -> None:
        if folder.study_id == "b":
            raise OSError(errno.ENOSPC, "No space left on device")
        time.sleep(1000)

    return work


def meeting(out: Path) -> Work:
    """Return a study's row once another one is begun too; fail study b after that."""

    def work(folder: StudyFolder) -> Rows:
        finish(folder)
        until = time.monotonic() + 60
        while len(finished(out)) == 1 and time.monotonic() < until:
            time.sleep(0.01)
        if folder.study_id == "b":
            raise DicomError("no_lge", MESSAGE)
        return [ExportRow(folder.study_id, report_uid="1.2.3")] if len(finished(out)) > 1 else []

    return work


def leaving() -> Work:
    return lambda _: os._exit(3)


def unprepared(error: Exception) -> Work:
    raise error


def dying_at_once() -> Work:
    os._exit(3)


@EXECUTIONS
def test_an_error_ends_its_study_and_the_others_finish(tmp_path: Path, execution: Execution) -> None:
    failures = run_stage(
        Stage("convert", partial(failing, DicomError("no_lge", MESSAGE))), STUDIES, tmp_path, execution
    )
    assert [(f.study_id, f.stage, f.code) for f in failures] == [("b", "convert", "no_lge")]
    assert failures[0].message == MESSAGE
    assert finished(tmp_path) == ["a", "c"]
    assert pq.read_table(tmp_path / "failures.parquet").column("study_id").to_pylist() == ["b"]


@EXECUTIONS
def test_an_unexpected_error_is_named_by_type_without_its_text(
    tmp_path: Path, execution: Execution, capfd: pytest.CaptureFixture[str]
) -> None:
    (failure,) = run_stage(Stage("crop", unexpected), ["a"], tmp_path, execution)
    assert failure.code == "internal_error"
    assert "ValueError" in failure.message
    assert "DOE" not in failure.message + capfd.readouterr().err


@EXECUTIONS
def test_memory_that_runs_out_ends_the_stage_where_it_will_be_tried_again_with_more(
    tmp_path: Path, execution: Execution
) -> None:
    execution = Execution(execution.isolate, will_retry=True)
    with pytest.raises(OutOfMemoryError, match="Memory ran out"):
        run_stage(Stage("segment", partial(failing, MemoryError())), STUDIES, tmp_path, execution)
    assert not (tmp_path / "failures.parquet").exists()


@EXECUTIONS
def test_else_it_is_the_study_s_failure(tmp_path: Path, execution: Execution) -> None:
    (failure,) = run_stage(Stage("segment", partial(failing, MemoryError())), STUDIES, tmp_path, execution)
    assert (failure.study_id, failure.code) == ("b", "out_of_memory")
    assert finished(tmp_path) == ["a", "c"]


@EXECUTIONS
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/archive/DOE^JANE"), "no space is left on the disk"),
        (OSError(errno.ESTALE, "Stale file handle"), "file server"),
        (ImportError("libtorch_cpu.so: undefined symbol"), "cannot be loaded"),
    ],
)
def test_a_fault_of_the_machine_ends_the_stage_and_is_no_study_s_failure(
    tmp_path: Path, execution: Execution, error: Exception, words: str
) -> None:
    with pytest.raises(MachineError, match=words) as caught:
        run_stage(Stage("convert", partial(failing, error)), STUDIES, tmp_path, execution)
    assert "DOE" not in str(caught.value)
    assert not (tmp_path / "failures.parquet").exists()


@EXECUTIONS
def test_weights_that_cannot_be_used_end_the_stage(tmp_path: Path, execution: Execution) -> None:
    error = ModelError("wrong_weights", "They are for localise.")
    with pytest.raises(ModelError, match="are for localise"):
        run_stage(Stage("segment", partial(unprepared, error)), STUDIES, tmp_path, execution)


def test_a_process_that_cannot_start_is_the_machine_s_fault(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="before it did anything"):
        run_stage(Stage("segment", dying_at_once), STUDIES, tmp_path, APART)


@pytest.mark.parametrize(
    ("number", "name", "advice"),
    [(signal.SIGSEGV, "SIGSEGV", "native code"), (signal.SIGKILL, "SIGKILL", "memory")],
)
def test_a_study_that_kills_its_process_twice_is_named_and_the_others_finish(
    tmp_path: Path, number: int, name: str, advice: str
) -> None:
    (failure,) = run_stage(Stage("segment", partial(dying, tmp_path, number)), STUDIES, tmp_path, APART)
    assert (failure.study_id, failure.code) == ("a", "crashed")
    assert name in failure.message
    assert advice in failure.message
    assert finished(tmp_path) == ["b", "c"]
    assert (tmp_path / "attempts.txt").read_text() == "aabc"


def test_a_study_whose_process_is_killed_once_is_done_in_a_new_one(tmp_path: Path) -> None:
    assert (
        run_stage(Stage("segment", partial(dying, tmp_path, signal.SIGKILL, times=1)), STUDIES, tmp_path, APART) == []
    )
    assert finished(tmp_path) == STUDIES


def test_a_process_killed_twice_ends_the_stage_where_it_will_be_tried_again(tmp_path: Path) -> None:
    execution = Execution(isolate=True, will_retry=True)
    with pytest.raises(OutOfMemoryError, match="ended twice by SIGKILL"):
        run_stage(Stage("segment", partial(dying, tmp_path, signal.SIGKILL)), STUDIES, tmp_path, execution)


def test_after_a_crash_studies_are_prepared_more_carefully(tmp_path: Path) -> None:
    first, careful = partial(dying, tmp_path, signal.SIGSEGV, times=9), partial(failing, DicomError("x", "y"))
    (failure,) = run_stage(Stage("segment", first, prepare_again=careful), STUDIES, tmp_path, APART)
    assert (failure.study_id, failure.code) == ("b", "x")


def test_a_study_that_hangs_is_stopped_and_the_others_finish(tmp_path: Path) -> None:
    execution = Execution(isolate=True, study_minutes=0.05)
    (failure,) = run_stage(Stage("segment", hanging), STUDIES, tmp_path, execution)
    assert (failure.study_id, failure.code) == ("a", "timed_out")
    assert "in 0.05 minutes" in failure.message
    assert finished(tmp_path) == ["b", "c"]
    assert multiprocessing.active_children() == []


def test_a_process_that_leaves_with_a_status_is_a_crash(tmp_path: Path) -> None:
    (failure,) = run_stage(Stage("convert", leaving), ["a"], tmp_path, APART)
    assert failure.code == "crashed"
    assert "exit status 3" in failure.message


def test_without_failures_the_table_is_empty_and_has_its_columns(tmp_path: Path) -> None:
    assert run_stage(Stage("convert", unexpected), [], tmp_path / "new", HERE) == []
    table = pq.read_table(tmp_path / "new" / "failures.parquet")
    assert table.num_rows == 0
    assert table.column_names[:4] == ["study_id", "stage", "code", "message"]


def test_an_interrupt_is_no_failure_of_the_study(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_stage(Stage("convert", partial(failing, KeyboardInterrupt())), STUDIES, tmp_path, HERE)  # type: ignore[arg-type]


def test_a_folder_that_no_stage_wrote_is_refused_and_a_batch_without_studies_is_not(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no studies"):
        studies_of(tmp_path, StudyFile.IMAGE)
    finish(study_folder(tmp_path, "a"))
    with pytest.raises(InputError, match=r"none of its studies \(1\) holds image.nii.gz"):
        studies_of(tmp_path, StudyFile.IMAGE, StudyFile.CROP_RECORD)
    assert studies_of(tmp_path, StudyFile.CROP_RECORD) == ["a"]
    (tmp_path / "studies" / "b").mkdir()
    assert studies_of(tmp_path, StudyFile.CROP_RECORD) == ["a", "b"]


def test_a_folder_that_was_tidied_says_so(tmp_path: Path) -> None:
    run_stage(Stage("crop", unexpected), ["a"], tmp_path)
    (tmp_path / "studies").mkdir(exist_ok=True)
    (tmp_path / "studies" / ".tidied").touch()
    with pytest.raises(InputError, match="run without -resume"):
        studies_of(tmp_path, StudyFile.IMAGE)


def test_a_batch_whose_studies_all_failed_is_no_mistake(tmp_path: Path) -> None:
    run_stage(Stage("convert", unexpected), ["a"], tmp_path)
    assert studies_of(tmp_path, StudyFile.IMAGE) == []


def measuring() -> Work:
    """Fail study b, and return a row of every other."""

    def work(folder: StudyFolder) -> Rows:
        if folder.study_id == "b":
            raise DicomError("no_lge", MESSAGE)
        return [ExportRow(folder.study_id, report_uid="1.2.3")]

    return work


@EXECUTIONS
def test_the_rows_of_the_studies_that_were_done_become_the_stage_s_tables(tmp_path: Path, execution: Execution) -> None:
    stage = Stage("export", measuring, tables=(ExportRow, SliceRow))
    assert [failure.study_id for failure in run_stage(stage, STUDIES, tmp_path, execution)] == ["b"]
    rows = pq.read_table(tmp_path / "exports.parquet").select(["study_id", "report_uid"]).to_pylist()
    assert rows == [{"study_id": "a", "report_uid": "1.2.3"}, {"study_id": "c", "report_uid": "1.2.3"}]
    assert pq.read_table(tmp_path / "slices.parquet").num_rows == 0


def test_several_processes_take_a_study_each_and_results_keep_the_order_of_the_studies(tmp_path: Path) -> None:
    stage = Stage("export", partial(meeting, tmp_path), tables=(ExportRow,))
    (failure,) = run_stage(stage, STUDIES, tmp_path, Execution(jobs=2))
    assert (failure.study_id, failure.code) == ("b", "no_lge")
    assert pq.read_table(tmp_path / "exports.parquet").column("study_id").to_pylist() == ["a", "c"]
    assert multiprocessing.active_children() == []


def test_a_fault_of_the_machine_stops_the_other_processes_too(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="no space is left"):
        run_stage(Stage("convert", hanging_or_full), STUDIES, tmp_path, Execution(jobs=2))
    assert multiprocessing.active_children() == []
