"""What happens when the command line is wrong."""

import os
import shutil
from pathlib import Path

import pytest
from nextflow_launch import Launch, assert_no_trace_of_a_bug, assert_plain, environment

pytestmark = pytest.mark.pipeline


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    return Launch(tmp_path)


def test_wrong_parameters_are_all_named_at_once_before_anything_runs(launch: Launch) -> None:
    (launch.out / "pipeline_info").mkdir(parents=True)
    (launch.out / "pipeline_info" / "last_run.json").write_text('{"session": "1f2e"}')
    (launch.out / "pipeline_info" / "parameters.json").write_text('{"deidentify": false}')
    wrong = ("--input", "nowhere", "--weights", "gone.safetensors", "--batch_max", "many", "--speed", "9")
    done = launch.run(*wrong, "--workflow", "trian", "--deidentify", "-profile", "apptainer")
    assert done.returncode == 1
    for words in (
        "--input 'nowhere' does not exist",
        "--weights 'gone.safetensors' does not exist",
        "--batch_max is 'many'; a whole number is needed",
        "--speed is not a parameter",
        "--workflow is 'trian'; it must be one of cohort",
        *([] if shutil.which("apptainer") else ["The profile apptainer needs apptainer, which is not on the PATH"]),
        "--outdir 'results' holds results that are not de-identified",
        "To go on with the run that wrote 'results', use -resume 1f2e",
    ):
        assert words in done.stdout
    names = {path.relative_to(launch.out).as_posix() for path in launch.out.rglob("*") if path.is_file()}
    assert names == {"pipeline_info/last_run.json", "pipeline_info/parameters.json"}
    assert_plain(done, launch)


def test_without_input_the_parameters_are_shown_and_missing_images_named(launch: Launch, tmp_path: Path) -> None:
    engine = tmp_path / "engine" / "docker"
    engine.parent.mkdir()
    engine.write_text('#!/bin/sh\necho "Error response from daemon: No such image: $3" >&2\nexit 1\n')
    engine.chmod(0o755)
    path = f"{engine.parent}{os.pathsep}{environment()['PATH']}"
    done = launch.run("-profile", "docker", "--container_core", "registry/core:1", extra={"PATH": path})
    assert done.returncode == 1
    assert "--input is missing" in done.stdout
    assert "--batch_max" in done.stdout
    assert "The profile docker has no image localhost/scarnet-gpu:0.1.0: run `make containers`, or name" in done.stdout
    assert_plain(done, launch)


def test_an_output_that_cannot_be_written_is_named(launch: Launch) -> None:
    (launch.folder / "file").write_text("in the way")
    (launch.folder / "cohort").mkdir()
    done = launch.run("--input", "cohort", "--outdir", "file/results")
    assert done.returncode == 1
    assert "file/results" in done.stdout
    assert_plain(done, launch)


@pytest.mark.parametrize(
    ("arguments", "words", "first", "options"),
    [
        (
            (
                *("--input", "cohort", "--batch_min", "9", "--batch_max", "4", "--retry_failed", "all", "--deidentify"),
                *("--series_rules", "list", "--studies", "list"),
            ),
            "--deidentify': it needs a key",
            "INDEX",
            {
                *("--batch-min 9 --batch-max 4 ", "--retry-failed 'all' ", "--deidentify ", "--studies studies.csv "),
                "--series-rules series_rules.yml ",
            },
        ),
        (
            ("--input", "dicomweb+https://pacs/x", "--workflow", "train", "--fold", "7", "--label_values", "list"),
            "a DICOMweb server has no labelled cases",
            "FOLDS",
            {"'dicomweb+https://pacs/x' ", "--folds 5 --fold 7 ", "--label-values label_values.csv"},
        ),
    ],
)
def test_the_first_task_is_given_all_options_and_says_before_it_reads_anything_what_is_wrong(
    launch: Launch, arguments: tuple[str, ...], words: str, first: str, options: set[str]
) -> None:
    (launch.folder / "cohort").mkdir()
    (launch.folder / "list").write_text("")
    done = launch.run(*arguments)
    assert done.returncode == 1
    assert words in done.stdout
    assert {process for process, _ in launch.tasks("COMPLETED")} - {"CHECK"} == {first}
    (task,) = launch.folder.glob(f"work/{launch.attempts(first)[0]['hash']}*")
    command = (task / ".command.sh").read_text()
    assert {option for option in options if option in command} == options
    assert list(task.glob("index/*")) == []
    assert_no_trace_of_a_bug(done)


def test_all_wrong_rows_of_a_samplesheet_are_one_message(launch: Launch) -> None:
    (launch.folder / "sheet.csv").write_text("study,dicom\nPhi Name,gone\nb,phi/gone too\n")
    done = launch.run("--input", "sheet.csv", nextflow="nextflow-25", extra={"NXF_SYNTAX_PARSER": "v2"})
    assert done.returncode == 1
    assert "2 of the samplesheet's 2 rows are wrong" in done.stdout
    assert "line 3: its dicom does not exist" in done.stdout
    assert "phi" not in (done.stdout + (launch.folder / ".nextflow.log").read_text()).lower()
    assert_no_trace_of_a_bug(done)
