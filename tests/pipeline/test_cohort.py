"""The cohort workflow from end to end, and what -resume does again; each test goes on from the run before."""

import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pydicom
import pytest
from nextflow_launch import BIN, PATIENCE_S, REPOSITORY, SMALL_NETWORK, Launch, digests, environment, scarnet
from planted import BIRTH, DAY, TOKEN, holders, plant

from scarnet_cli.diff.diff import diff_runs
from scarnet_cli.files import read_json
from scarnet_cli.image.volume import read_nifti, same_grid
from scarnet_cli.phantom.cohort import write_cohort

pytestmark = pytest.mark.pipeline

STUDIES, BROKEN = 4, 1
STAGES = ("CONVERT", "CROP", "SEGMENT", "QUANTIFY")
# With these sizes the ids of the phantoms make two batches: of three studies (one of them broken) and of one.
SMALL = ("--batch_min", "2", "--batch_max", "8", "--max_cpus", "1")


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four studies, the last one broken; the folder's name must not come out anywhere."""
    folder = tmp_path_factory.mktemp("DOE_JANE")
    write_cohort(STUDIES, folder, broken=BROKEN)
    for path in sorted((folder / "dicom").rglob("*")):
        if path.is_file():
            plant_in_file(path)
    return folder


def plant_in_file(path: Path) -> None:
    """Plant names and dates in a file wherever they may be; a broken one stays as it is."""
    try:
        dataset = pydicom.dcmread(path, force=True)
        plant(dataset)
        dataset.save_as(path)
    except (AttributeError, ValueError, EOFError):
        return


@pytest.fixture(scope="module")
def arguments(phantoms: Path) -> tuple[str, ...]:
    return ("--input", str(phantoms / "dicom"), *SMALL, *SMALL_NETWORK)


@pytest.fixture(scope="module")
def launch(tmp_path_factory: pytest.TempPathFactory, arguments: tuple[str, ...]) -> Launch:
    """The first run, which the others resume; a stranger's `scarnet` that comes first on the PATH is not taken."""
    launch = Launch(tmp_path_factory.mktemp("launch"))
    stranger = tmp_path_factory.mktemp("stranger") / "scarnet"
    stranger.write_text("#!/bin/sh\nexit 9\n")
    stranger.chmod(0o755)
    launch.succeed(*arguments, extra={"PATH": f"{stranger.parent}{os.pathsep}{environment()['PATH']}"})
    return launch


def test_every_study_is_measured_or_says_why_not(launch: Launch, phantoms: Path) -> None:
    assert launch.ids("scans") == measurable(phantoms)
    (failure,) = pq.read_table(launch.out / "tables" / "failures.parquet").to_pylist()
    assert failure["study_id"] == next(row["study_id"] for row in truth_of(phantoms) if row["broken"] is not None)
    assert failure["code"]
    assert failure["message"]


def test_each_measured_study_has_its_files_on_one_grid(launch: Launch) -> None:
    studies = launch.ids("scans")
    assert sorted(path.name for path in (launch.out / "studies").iterdir() if (path / "study.json").exists()) == studies
    for study_id in studies:
        folder = launch.out / "studies" / study_id
        assert same_grid(read_nifti(folder / "image.nii.gz"), read_nifti(folder / "labels.nii.gz"))
        assert (folder / "overlay.png").stat().st_size > 0


def test_results_hold_the_report_the_dictionary_and_how_they_came_about(launch: Launch) -> None:
    page = (launch.out / "report" / "index.html").read_text()
    assert all(study_id in page for study_id in launch.ids("scans"))
    names = {path.relative_to(launch.out).as_posix() for path in launch.out.rglob("*") if path.is_file()}
    info = {"trace.txt", "timeline.html", "parameters.json", "versions.json", "index.parquet", "unread.parquet"}
    assert not (launch.out / "pipeline_info" / "index_parts").exists()
    assert names >= {f"pipeline_info/{name}" for name in info} | {"tables/dictionary.csv", "tables/segments.parquet"}


def test_a_run_without_nextflow_gives_the_same_labels_and_layout(
    launch: Launch, phantoms: Path, tmp_path: Path
) -> None:
    study_id = launch.ids("scans")[-1]
    uid = study_uid(launch, study_id)
    source = next(path for path in (phantoms / "dicom").rglob("*") if holds(path, uid))
    folder = phantoms / "dicom" / source.relative_to(phantoms / "dicom").parts[0]
    other = tmp_path / "studies" / "other" / "study.json"
    other.parent.mkdir(parents=True)
    other.write_text("{}")
    command = [BIN / "scarnet", "run", folder, tmp_path, *SMALL_NETWORK]
    done = subprocess.run(command, check=True, timeout=PATIENCE_S, env=environment(), capture_output=True, text=True)
    assert f"{tmp_path} holds 1 other study (other), which will not be in the new tables but in" in done.stderr
    assert (tmp_path / "earlier_run" / other.relative_to(tmp_path)).exists()
    alone, piped = (read_nifti(out / "studies" / study_id / "labels.nii.gz").array for out in (tmp_path, launch.out))
    # Batches of another size may round a probability differently.
    assert (alone != piped).mean() < 1e-5
    names = {path.name for path in (tmp_path / "studies" / study_id).iterdir()}
    assert names == {path.name for path in (launch.out / "studies" / study_id).iterdir()}
    versions, parameters = ("versions.json", "parameters.json")
    info, piped_info = (out / "pipeline_info" for out in (tmp_path, launch.out))
    assert read_json(info / versions) == read_json(piped_info / versions)
    assert read_json(info / parameters).items() <= read_json(piped_info / parameters).items()
    for out in (tmp_path, launch.out):
        assert f"Software: python {platform.python_version()}" in (out / "report" / "index.html").read_text()
    assert pq.read_table(tmp_path / "tables" / "scans.parquet")["study_id"].to_pylist() == [study_id]


def test_no_result_or_log_holds_the_inputs_path_or_a_patients_name_or_birth_date(launch: Launch) -> None:
    names = [text.lower().encode() for text in (TOKEN, BIRTH, DAY, "PHANTOM^")]
    results = [path for path in launch.out.rglob("*") if path.is_file()]
    tasks = [path for path in launch.folder.glob("work/*/*/.command.*") if path.is_file()]
    said = [path for path in tasks if path.suffix in (".log", ".out", ".err", ".trace")]
    assert holders([*results, *said], [b"doe_jane", *names]) == {}
    # Nextflow's own log, and the scripts that it makes, hold the command line with the input as the user named it.
    assert holders([*tasks, launch.folder / ".nextflow.log"], names) == {}


def test_another_decision_and_mode_replace_every_result_and_nothing_measured_keeps_them_aside(
    launch: Launch, phantoms: Path, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    before = launch.held()
    assert before == launch.made()
    own, decision = tmp_path / "own.safetensors", tmp_path / "decision.json"
    decision.write_text('{"scar_share": 0.9}')
    scarnet("weights", "decide", REPOSITORY / "weights/unet.safetensors", decision, "--out", own)
    said = launch.succeed("--input", str(phantoms / "dicom"), *SMALL, "--weights", str(own), "-resume")
    earlier = launch.out / "pipeline_info" / "earlier_tables"
    assert "What changed since the run before: scarnet diff results/pipeline_info/earlier_tables results" in said
    assert [setting.name for setting in diff_runs(earlier, launch.out).settings] == [
        *("model_sha256", "segment_mode", "decision_scar_share", "decision_least_scar_percent"),
        *("--weights", "--fast"),
    ]
    held = launch.held()
    assert held == launch.made()
    assert set(held) == set(before)
    assert held != before
    rules = tmp_path / "rules.yml"
    names = sorted({row["description"] for row in series(launch)})
    rules.write_text(f"- series: leave\n  description: {json.dumps(names)}\n  why: a test\n")
    nothing = launch.run(*arguments, "--series_rules", str(rules), "-resume")
    assert nothing.returncode == 1
    assert "No study could be measured: results/tables/failures.parquet says why" in nothing.stdout
    assert launch.ids("scans") == []
    assert launch.held() == launch.made()
    aside = launch.out / "earlier_run"
    assert {path: digests(aside, path)[path] for path in held} == held


def test_a_readers_decisions_are_carried_into_scans_and_redo_tables_and_report_alone(
    launch: Launch, arguments: tuple[str, ...], phantoms: Path, tmp_path: Path
) -> None:
    rejected, *others = measurable(phantoms)
    decisions = tmp_path / "decisions.csv"
    decisions.write_text(f"study_id,decision\n{rejected},reject\n")
    launch.succeed(*arguments, "--reviewed", str(decisions), "--tidy", "-resume")
    assert {process for process, _ in launch.tasks("COMPLETED")} == {"INDEX", "GATHER", "REPORT"}
    assert {process for process, _ in launch.tasks("CACHED")} == {"CHECK", *STAGES}
    assert not (launch.out / "earlier_run").exists()
    reviewed = pq.read_table(launch.out / "tables" / "scans.parquet")["reviewed"].to_pylist()
    assert reviewed == ["reject", *[None] * len(others)]
    assert "Rejected by a reader" in (launch.out / "report" / "studies" / f"{rejected}.html").read_text()
    assert launch.held() == launch.made()
    # Its intermediates are gone; the runs that follow take its batches from the cache all the same.
    work = launch.folder / "work"
    assert [*work.glob("*/*/crop/studies/*/*"), *work.glob("*/*/convert/studies/*/study.json")] == []


def test_changed_series_rules_choose_anew_and_touch_no_batch_whose_choice_stays(
    launch: Launch, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    batches = launch.batch_of()
    lone = next(study_id for study_id in launch.ids("scans") if len(members(batches, batches[study_id])) == 1)
    names = {row["description"] for row in series(launch) if row["study_id"] == lone}
    touched = {row["study_id"] for row in series(launch) if row["chosen"] and row["description"] in names}
    rules = tmp_path / "rules.yml"
    rules.write_text(f"- series: leave\n  description: {json.dumps(sorted(names))}\n  why: a test\n")
    launch.succeed(*arguments, "--series_rules", str(rules), "-resume")
    failures = pq.read_table(launch.out / "tables" / "failures.parquet").to_pylist()
    assert {row["code"] for row in failures if row["study_id"] == lone} == {"no_lge_stack"}
    reasons = [row["reason"] for row in series(launch) if row["study_id"] == lone]
    assert any("left by a rule of the site's file" in reason for reason in reasons)
    redone = {tag for process, tag in launch.tasks("COMPLETED") if process in STAGES}
    assert redone <= {batches[study_id] for study_id in touched} - {batches[lone]}
    assert launch.held() == launch.made()
    assert lone in {path.name for path in (launch.out / "earlier_run" / "studies").iterdir()}


def test_resume_after_a_file_changed_in_place_redoes_its_batch_alone(
    launch: Launch, arguments: tuple[str, ...], phantoms: Path
) -> None:
    study_id = launch.ids("scans")[0]
    batch = launch.batch_of()[study_id]
    changed = next(path for path in sorted((phantoms / "dicom").rglob("*")) if holds(path, study_uid(launch, study_id)))
    status = changed.stat()
    os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))
    launch.succeed(*arguments, "-resume")
    assert {tag for process, tag in launch.tasks("COMPLETED") if process in STAGES} == {batch}
    assert {process for process, tag in launch.tasks("COMPLETED") if tag == batch} == set(STAGES)


def test_a_study_is_added_by_a_run_that_is_killed_and_by_its_successor_and_then_taken_away(
    launch: Launch,
    arguments: tuple[str, ...],
    phantoms: Path,
    tmp_path: Path,
) -> None:
    before = launch.batch_of()
    write_cohort(STUDIES + 1, tmp_path)
    known = {row["study_id"] for row in truth_of(phantoms)}
    added = next(row for row in truth_of(tmp_path) if row["seed"] == STUDIES)
    source = next(path for path in (tmp_path / "dicom").rglob("*") if holds(path, added["study_instance_uid"]))
    top = source.relative_to(tmp_path / "dicom").parts[0]
    shutil.copytree(tmp_path / "dicom" / top, phantoms / "dicom" / top)

    first = launch.start(*arguments, "-resume")
    orphan = launch.wait_for_task("convert", first)
    os.kill(orphan, signal.SIGSTOP)
    refuse_a_second_run(launch, arguments, first.pid)
    with first:  # closes the pipe, which nobody reads
        first.kill()
    taken_over = launch.succeed(*arguments, "-resume")
    assert f"from a run that ended without giving it back (on {socket.gethostname()}, process {first.pid}" in taken_over

    after = launch.batch_of()
    assert set(after) - set(before) == {added["study_id"]}
    redone = {tag for process, tag in launch.tasks("COMPLETED") if process == "CONVERT"}
    assert redone == {batch for batch in after.values() if members(after, batch) != members(before, batch)}
    assert 1 <= len(redone) <= 2
    assert len(launch.tasks("CACHED")) >= len(STAGES)
    assert len(launch.ids("scans")) + len(launch.ids("failures")) == len(known) + 1
    assert launch.held() == launch.made()

    # The killed run's task shares its successor's directory: what it writes there late is the same, file by file.
    held, tasks = launch.held(), converted(launch)
    os.kill(orphan, signal.SIGCONT)
    while runs(orphan):
        time.sleep(0.05)
    assert launch.held() == held
    assert converted(launch) == tasks

    shutil.rmtree(phantoms / "dicom" / top)
    said = launch.succeed(*arguments, "-resume")
    assert f"did not measure: 1 ({added['study_id']}). They are in results/earlier_run" in said
    assert launch.held() == launch.made()
    assert set(digests(launch.out / "earlier_run", "studies/*/*")) == {
        f"studies/{added['study_id']}/{name}"
        for name in ("image.nii.gz", "labels.nii.gz", "overlay.png", "plain.webp", "study.json")
    }


def converted(launch: Launch) -> dict[str, str | None]:
    """Return all paths in the directories of CONVERT, with the digests of results."""
    folders = [path for path in launch.folder.glob("work/*/*/convert") if not path.is_symlink()]
    results = digests(launch.folder, "work/*/*/convert/studies/*/*")
    paths = [path.relative_to(launch.folder).as_posix() for folder in folders for path in folder.rglob("*")]
    return {name: results.get(name) for name in paths}


def runs(process: int) -> bool:
    """Tell whether a process runs; one that has ended may wait for ever for its parent to ask."""
    try:
        return Path("/proc", str(process), "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def refuse_a_second_run(launch: Launch, arguments: tuple[str, ...], holder: int) -> None:
    """Start another run into the output of one that lives, and see it refused without a trace."""
    before = sorted(path.name for path in (launch.out / "pipeline_info").iterdir())
    second = Launch(launch.folder / "second")
    second.folder.mkdir()
    done = second.run(*arguments, "--outdir", str(launch.out))
    assert done.returncode == 1
    words = f"Another run writes into --outdir '{launch.out}': on {socket.gethostname()}, process {holder}, session "
    assert words in done.stdout
    assert not (second.folder / "work").exists() or not any((second.folder / "work").glob("*/*"))
    assert sorted(path.name for path in (launch.out / "pipeline_info").iterdir()) == before


def truth_of(phantoms: Path) -> list[dict[str, Any]]:
    return pq.read_table(phantoms / "truth.parquet").to_pylist()


def measurable(phantoms: Path) -> list[str]:
    return [row["study_id"] for row in truth_of(phantoms) if row["broken"] is None]


def series(launch: Launch) -> list[dict[str, Any]]:
    return pq.read_table(launch.out / "tables" / "series.parquet").to_pylist()


def members(batch_of: dict[str, str], batch: str) -> set[str]:
    return {study_id for study_id, its_batch in batch_of.items() if its_batch == batch}


def study_uid(launch: Launch, study_id: str) -> str:
    rows = pq.read_table(launch.out / "tables" / "scans.parquet").to_pylist()
    return next(row["study_instance_uid"] for row in rows if row["study_id"] == study_id)


def holds(path: Path, uid: str) -> bool:
    """Tell whether a DICOM file names this study in its header, or is no file."""
    return path.is_file() and uid.encode() in path.read_bytes()
