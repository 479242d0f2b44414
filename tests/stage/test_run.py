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
from scarnet_cli.stage.folder import StudyFile, studies_of
from scarnet_cli.stage.guard import Guard
from scarnet_cli.stage.run import Work, run_studies

STUDIES = ["a", "b", "c"]
MESSAGE = "No LGE series among 3; name it in the rules."
HERE, APART = Guard(), Guard(isolate=True)
GUARDS = pytest.mark.parametrize("guard", [HERE, APART], ids=["here", "apart"])


# Work that a process apart can be sent: functions of this module, which leave what they did in `out`.


def finish(out: Path, study_id: str) -> None:
    folder = out / "studies" / study_id
    folder.mkdir(parents=True, exist_ok=True)
    (folder / StudyFile.CROP_RECORD).write_text("begun")


def finished(out: Path) -> list[str]:
    return sorted(p.name for p in (out / "studies").iterdir())


def failing(out: Path, error: Exception) -> Work[None]:
    """Finish every study but b."""

    def work(study_id: str) -> None:
        finish(out, study_id)
        if study_id == "b":
            raise error

    return work


def unexpected() -> Work[None]:
    def work(study_id: str) -> None:
        text = f"/archive/DOE^JANE/{study_id}"
        raise ValueError(text)

    return work


def dying(out: Path, number: int, *, times: int = 2) -> Work[None]:
    """End the process in study a, so many times; then finish it."""

    def work(study_id: str) -> None:
        finish(out, study_id)
        with (out / "attempts.txt").open("a") as file:
            file.write(study_id)
        if study_id == "a" and (out / "attempts.txt").read_text().count("a") <= times:
            faulthandler.disable()
            os.kill(os.getpid(), number)

    return work


def hanging(out: Path) -> Work[None]:
    def work(study_id: str) -> None:
        finish(out, study_id)
        if study_id == "a":
            time.sleep(1000)

    return work


def leaving() -> Work[None]:
    return lambda _: os._exit(3)


def unprepared(error: Exception) -> Work[None]:
    raise error


def dying_at_once() -> Work[None]:
    os._exit(3)


@GUARDS
def test_an_error_ends_its_study_and_the_others_finish(tmp_path: Path, guard: Guard) -> None:
    failures = run_studies(
        "convert", STUDIES, partial(failing, tmp_path, DicomError("no_lge", MESSAGE)), tmp_path, guard
    )
    assert [(f.study_id, f.stage, f.code) for f in failures] == [("b", "convert", "no_lge")]
    assert failures[0].message == MESSAGE
    assert finished(tmp_path) == ["a", "c"]
    assert pq.read_table(tmp_path / "failures.parquet").column("study_id").to_pylist() == ["b"]


@GUARDS
def test_an_unexpected_error_is_named_by_type_without_its_text(
    tmp_path: Path, guard: Guard, capfd: pytest.CaptureFixture[str]
) -> None:
    (failure,) = run_studies("crop", ["a"], unexpected, tmp_path, guard)
    assert failure.code == "internal_error"
    assert "ValueError" in failure.message
    assert "DOE" not in failure.message + capfd.readouterr().err


@GUARDS
def test_memory_that_runs_out_ends_the_stage_where_it_will_be_tried_again_with_more(
    tmp_path: Path, guard: Guard
) -> None:
    guard = Guard(guard.isolate, will_retry=True)
    with pytest.raises(OutOfMemoryError, match="Memory ran out"):
        run_studies(
            "segment",
            STUDIES,
            partial(failing, tmp_path, MemoryError()),
            tmp_path,
            Guard(guard.isolate, will_retry=True),
        )
    assert not (tmp_path / "failures.parquet").exists()


@GUARDS
def test_else_it_is_the_study_s_failure(tmp_path: Path, guard: Guard) -> None:
    (failure,) = run_studies("segment", STUDIES, partial(failing, tmp_path, MemoryError()), tmp_path, guard)
    assert (failure.study_id, failure.code) == ("b", "out_of_memory")
    assert finished(tmp_path) == ["a", "c"]


@GUARDS
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/archive/DOE^JANE"), "no space is left on the disk"),
        (OSError(errno.ESTALE, "Stale file handle"), "file server"),
        (ImportError("libtorch_cpu.so: undefined symbol"), "cannot be loaded"),
    ],
)
def test_a_fault_of_the_machine_ends_the_stage_and_is_no_study_s_failure(
    tmp_path: Path, guard: Guard, error: Exception, words: str
) -> None:
    with pytest.raises(MachineError, match=words) as caught:
        run_studies("convert", STUDIES, partial(failing, tmp_path, error), tmp_path, guard)
    assert "DOE" not in str(caught.value)
    assert not (tmp_path / "failures.parquet").exists()


@GUARDS
def test_weights_that_cannot_be_used_end_the_stage(tmp_path: Path, guard: Guard) -> None:
    error = ModelError("wrong_weights", "They are for localise.")
    with pytest.raises(ModelError, match="are for localise"):
        run_studies("segment", STUDIES, partial(unprepared, error), tmp_path, guard)


def test_a_process_that_cannot_start_is_the_machine_s_fault(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="before it did anything"):
        run_studies("segment", STUDIES, dying_at_once, tmp_path, APART)


@pytest.mark.parametrize(
    ("number", "name", "advice"),
    [(signal.SIGSEGV, "SIGSEGV", "native code"), (signal.SIGKILL, "SIGKILL", "memory")],
)
def test_a_study_that_kills_its_process_twice_is_named_and_the_others_finish(
    tmp_path: Path, number: int, name: str, advice: str
) -> None:
    (failure,) = run_studies("segment", STUDIES, partial(dying, tmp_path, number), tmp_path, APART)
    assert (failure.study_id, failure.code) == ("a", "crashed")
    assert name in failure.message
    assert advice in failure.message
    assert finished(tmp_path) == ["b", "c"]
    assert (tmp_path / "attempts.txt").read_text() == "aabc"


def test_a_study_whose_process_is_killed_once_is_done_in_a_new_one(tmp_path: Path) -> None:
    assert run_studies("segment", STUDIES, partial(dying, tmp_path, signal.SIGKILL, times=1), tmp_path, APART) == []
    assert finished(tmp_path) == STUDIES


def test_a_process_killed_twice_ends_the_stage_where_it_will_be_tried_again(tmp_path: Path) -> None:
    guard = Guard(isolate=True, will_retry=True)
    with pytest.raises(OutOfMemoryError, match="ended twice by SIGKILL"):
        run_studies("segment", STUDIES, partial(dying, tmp_path, signal.SIGKILL), tmp_path, guard)


def test_after_a_crash_studies_are_prepared_more_carefully(tmp_path: Path) -> None:
    first, careful = partial(dying, tmp_path, signal.SIGSEGV, times=9), partial(failing, tmp_path, DicomError("x", "y"))
    (failure,) = run_studies("segment", STUDIES, first, tmp_path, APART, prepare_again=careful)
    assert (failure.study_id, failure.code) == ("b", "x")


def test_a_study_that_hangs_is_stopped_and_the_others_finish(tmp_path: Path) -> None:
    guard = Guard(isolate=True, study_minutes=0.05)
    (failure,) = run_studies("segment", STUDIES, partial(hanging, tmp_path), tmp_path, guard)
    assert (failure.study_id, failure.code) == ("a", "timed_out")
    assert "in 0.05 minutes" in failure.message
    assert finished(tmp_path) == ["b", "c"]
    assert multiprocessing.active_children() == []


def test_a_process_that_leaves_with_a_status_is_a_crash(tmp_path: Path) -> None:
    (failure,) = run_studies("convert", ["a"], leaving, tmp_path, APART)
    assert failure.code == "crashed"
    assert "exit status 3" in failure.message


def test_without_failures_the_table_is_empty_and_has_its_columns(tmp_path: Path) -> None:
    assert run_studies("convert", [], unexpected, tmp_path / "new", HERE) == []
    table = pq.read_table(tmp_path / "new" / "failures.parquet")
    assert table.num_rows == 0
    assert table.column_names[:4] == ["study_id", "stage", "code", "message"]


def test_an_interrupt_is_no_failure_of_the_study(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_studies("convert", STUDIES, partial(failing, tmp_path, KeyboardInterrupt()), tmp_path, HERE)  # type: ignore[arg-type]


def test_a_folder_that_no_stage_wrote_is_refused_and_a_batch_without_studies_is_not(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no studies"):
        studies_of(tmp_path, StudyFile.IMAGE)
    finish(tmp_path, "a")
    with pytest.raises(InputError, match=r"none of its studies \(1\) holds image.nii.gz"):
        studies_of(tmp_path, StudyFile.IMAGE, StudyFile.CROP_RECORD)
    assert studies_of(tmp_path, StudyFile.CROP_RECORD) == ["a"]
    (tmp_path / "studies" / "b").mkdir()
    assert studies_of(tmp_path, StudyFile.CROP_RECORD) == ["a", "b"]


def test_a_batch_whose_studies_all_failed_is_no_mistake(tmp_path: Path) -> None:
    run_studies("convert", ["a"], unexpected, tmp_path)
    assert studies_of(tmp_path, StudyFile.IMAGE) == []
