"""What happens when a task is killed, and when the command line is wrong."""

import os
import signal
from pathlib import Path

import pytest
from nextflow_launch import PATIENCE_S, SMALL_NETWORK, Launch, assert_no_trace_of_a_bug, assert_plain

from scarnet_cli.phantom.cohort import write_cohort

pytestmark = pytest.mark.pipeline


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    return Launch(tmp_path)


def test_killed_tasks_and_processes_are_tried_again_and_no_study_is_lost(launch: Launch) -> None:
    write_cohort(2, launch.folder / "cohort")
    cohort = str(launch.folder / "cohort" / "dicom")
    nextflow = launch.start("--input", cohort, "--max_cpus", "2", *SMALL_NETWORK, "--dicom_results")
    os.kill(launch.wait_for_task("convert", nextflow), signal.SIGKILL)
    for stage in ("crop", "segment"):
        os.kill(launch.wait_for_child(launch.wait_for_task(stage, nextflow), nextflow), signal.SIGKILL)
    for stage in ("quantify", "export"):
        os.kill(launch.wait_for_task(stage, nextflow), signal.SIGKILL)
    output, _ = nextflow.communicate(timeout=PATIENCE_S)
    assert nextflow.returncode == 0, output
    for stage in ("CONVERT", "QUANTIFY", "EXPORT"):
        first, second = launch.attempts(stage)
        assert (first["status"], first["exit"], second["status"]) == ("FAILED", "137", "COMPLETED")
    for stage in ("CROP", "SEGMENT"):
        (only,) = launch.attempts(stage)
        assert only["status"] == "COMPLETED"
    assert len(launch.ids("scans")) == 2
    assert launch.ids("failures") == []


def test_wrong_parameters_are_all_named_at_once_before_anything_runs(launch: Launch) -> None:
    (launch.out / "pipeline_info").mkdir(parents=True)
    (launch.out / "pipeline_info" / "last_run.json").write_text('{"session": "1f2e"}')
    wrong = ("--input", "nowhere", "--weights", "gone.safetensors", "--batch_max", "many", "--speed", "9")
    done = launch.run(*wrong, "--workflow", "trian")
    assert done.returncode == 1
    for words in (
        "--input 'nowhere' does not exist",
        "--weights 'gone.safetensors' does not exist",
        "--batch_max is 'many'; a whole number is needed",
        "--speed is not a parameter",
        "--workflow is 'trian'; it must be one of cohort",
        "To go on with the run that wrote 'results', use -resume 1f2e",
    ):
        assert words in done.stdout
    assert [path.name for path in launch.out.rglob("*")] == ["pipeline_info", "last_run.json"]
    assert_plain(done, launch)


def test_without_input_the_parameters_are_shown(launch: Launch) -> None:
    done = launch.run()
    assert done.returncode == 1
    assert "--input is missing" in done.stdout
    assert "--batch_max" in done.stdout
    assert_plain(done, launch)


def test_an_output_that_cannot_be_written_is_named(launch: Launch) -> None:
    (launch.folder / "file").write_text("in the way")
    (launch.folder / "cohort").mkdir()
    done = launch.run("--input", "cohort", "--outdir", "file/results")
    assert done.returncode == 1
    assert "file/results" in done.stdout
    assert_plain(done, launch)


def test_a_directory_without_dicom_is_one_message(launch: Launch) -> None:
    (launch.folder / "cohort").mkdir()
    (launch.folder / "cohort" / "notes.txt").write_text("nothing")
    done = launch.run("--input", "cohort")
    assert done.returncode == 1
    assert "holds no DICOM image" in done.stdout
    assert_no_trace_of_a_bug(done)


@pytest.mark.parametrize(
    ("arguments", "words", "first"),
    [
        (("--batch_min", "9", "--batch_max", "4"), "9 is above --batch-max 4", "INDEX"),
        (("--retry_failed", "all"), "--retry-failed and --failures go together", "INDEX"),
        (("--workflow", "train", "--fold", "7"), "--fold 7 is not one of the 5 folds, which count from 0", "FOLDS"),
    ],
)
def test_options_that_do_not_fit_each_other_are_told_by_the_first_task(
    launch: Launch, arguments: tuple[str, ...], words: str, first: str
) -> None:
    (launch.folder / "cohort").mkdir()
    done = launch.run("--input", "cohort", *arguments)
    assert done.returncode == 1
    assert words in done.stdout
    assert {process for process, _ in launch.tasks("COMPLETED")} - {"CHECK"} == {first}
    assert_no_trace_of_a_bug(done)


def test_all_wrong_rows_of_a_samplesheet_are_one_message(launch: Launch) -> None:
    (launch.folder / "sheet.csv").write_text("study,dicom\nPhi Name,gone\nb,phi/gone too\n")
    done = launch.run("--input", "sheet.csv", nextflow="nextflow-25", extra={"NXF_SYNTAX_PARSER": "v2"})
    assert done.returncode == 1
    assert "2 of the samplesheet's 2 rows are wrong" in done.stdout
    assert "line 3: its dicom does not exist" in done.stdout
    assert "phi" not in (done.stdout + (launch.folder / ".nextflow.log").read_text()).lower()
    assert_no_trace_of_a_bug(done)


def test_all_wrong_entries_of_series_rules_are_one_message(launch: Launch) -> None:
    (launch.folder / "cohort").mkdir()
    (launch.folder / "rules.yml").write_text("- kind: lge\n  name: a|b\n  why: x\n- view: round\n  name: x\n  why: x\n")
    done = launch.run("--input", "cohort", "--series_rules", "rules.yml")
    assert done.returncode == 1
    assert "The series rules have 2 wrong entries" in done.stdout
    assert "line 4: view is sax, lax or other, not 'round'" in done.stdout
    assert_no_trace_of_a_bug(done)
