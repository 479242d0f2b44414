import faulthandler
import os
import signal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from scarnet_cli.cohort.batch import run_studies
from scarnet_cli.errors import DicomError

STUDIES = ["a", "b", "c"]
MESSAGE = "No LGE series among 3; name it in the rules."


def finish(out: Path, study_id: str) -> None:
    folder = out / "studies" / study_id
    folder.mkdir(parents=True)
    (folder / "half.txt").write_text("begun")


def finished(out: Path) -> list[str]:
    return sorted(p.name for p in (out / "studies").iterdir())


@pytest.mark.parametrize("isolate", [False, True])
def test_an_error_ends_its_study_and_the_others_finish(tmp_path: Path, *, isolate: bool) -> None:
    def work(study_id: str) -> None:
        finish(tmp_path, study_id)
        if study_id == "b":
            raise DicomError("no_lge", MESSAGE)

    failures = run_studies("convert", STUDIES, work, tmp_path, isolate=isolate)
    assert [(f.study_id, f.stage, f.code) for f in failures] == [("b", "convert", "no_lge")]
    assert failures[0].message == MESSAGE
    assert finished(tmp_path) == ["a", "c"]
    assert pq.read_table(tmp_path / "failures.parquet").column("study_id").to_pylist() == ["b"]


@pytest.mark.parametrize("isolate", [False, True])
def test_an_unexpected_error_is_named_by_type_without_its_text(
    tmp_path: Path, *, isolate: bool, caplog: pytest.LogCaptureFixture
) -> None:
    def work(study_id: str) -> None:
        text = f"/archive/DOE^JANE/{study_id}"
        raise ValueError(text)

    (failure,) = run_studies("crop", ["a"], work, tmp_path, isolate=isolate)
    assert failure.code == "internal_error"
    assert "ValueError" in failure.message
    assert "DOE" not in failure.message + caplog.text


@pytest.mark.parametrize("isolate", [False, True])
def test_a_memory_error_is_named(tmp_path: Path, *, isolate: bool) -> None:
    def work(_: str) -> None:
        raise MemoryError

    (failure,) = run_studies("segment", ["a"], work, tmp_path, isolate=isolate)
    assert failure.code == "out_of_memory"


@pytest.mark.parametrize(
    ("number", "name", "advice"),
    [(signal.SIGSEGV, "SIGSEGV", "native code"), (signal.SIGKILL, "SIGKILL", "memory")],
)
def test_a_child_killed_by_a_signal_is_named_and_the_others_finish(
    tmp_path: Path, number: int, name: str, advice: str
) -> None:
    def work(study_id: str) -> None:
        finish(tmp_path, study_id)
        if study_id == "a":
            faulthandler.disable()
            os.kill(os.getpid(), number)

    (failure,) = run_studies("segment", STUDIES, work, tmp_path, isolate=True)
    assert (failure.study_id, failure.code) == ("a", "crashed")
    assert name in failure.message
    assert advice in failure.message
    assert finished(tmp_path) == ["b", "c"]


def test_a_child_that_leaves_with_a_status_is_a_crash(tmp_path: Path) -> None:
    (failure,) = run_studies("convert", ["a"], lambda _: os._exit(3), tmp_path, isolate=True)
    assert failure.code == "crashed"
    assert "exit status 3" in failure.message


def test_a_child_changes_nothing_in_the_parent(tmp_path: Path) -> None:
    seen: list[str] = []
    assert run_studies("convert", STUDIES, seen.append, tmp_path, isolate=True) == []
    assert seen == []


def test_without_failures_the_table_is_empty_and_has_its_columns(tmp_path: Path) -> None:
    assert run_studies("convert", STUDIES, lambda _: None, tmp_path / "new") == []
    table = pq.read_table(tmp_path / "new" / "failures.parquet")
    assert table.num_rows == 0
    assert table.column_names[:4] == ["study_id", "stage", "code", "message"]


def test_an_interrupt_is_no_failure_of_the_study(tmp_path: Path) -> None:
    def work(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_studies("convert", STUDIES, work, tmp_path)
