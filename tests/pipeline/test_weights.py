"""Own weights, by name, in the fast mode; what happens when the file changes; a failed study is tried again."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from nextflow_launch import PATIENCE_S, REPOSITORY, Launch, scarnet

from scarnet_cli.phantom.cohort import write_cohort

pytestmark = pytest.mark.pipeline


def overwrite(path: Path, content: bytes) -> bytes:
    """Write other bytes of the same number and leave the time as it is; return what was there."""
    status, before = path.stat(), path.read_bytes()
    path.write_bytes(content.ljust(len(before), b"\0"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    return before


def test_own_weights_are_used_by_name_and_a_changed_file_is_refused_by_its_digest(tmp_path: Path) -> None:
    launch, own = Launch(tmp_path), tmp_path / "own"
    write_cohort(2, tmp_path / "cohort")
    own.mkdir()
    shutil.copy(REPOSITORY / "weights" / "unet.safetensors", own / "mine.safetensors")
    digest = hashlib.sha256((own / "mine.safetensors").read_bytes()).hexdigest()
    (own / "SHA256SUMS").write_text(f"{digest}  mine.safetensors\n")
    arguments = ("--input", str(tmp_path / "cohort" / "dicom"), "--weights", "mine", "--max_cpus", "1")
    extra = {"SCARNET_WEIGHTS": str(own)}

    # A fault that passes, as of a file server that gives zeros: INDEX remembers the files as they are in truth.
    scarnet("index", tmp_path / "cohort" / "dicom", "--out", launch.out / "pipeline_info")
    (batch,) = (launch.out / "pipeline_info" / "batches").iterdir()
    chosen = json.loads(batch.read_text())["studies"][0]["sources"][0]["path"]
    content = overwrite(tmp_path / "cohort" / "dicom" / chosen, b"")

    launch.succeed(*arguments, "--fast", extra=extra)
    assert len(launch.ids("failures")) == 1
    (scan,) = pq.read_table(launch.out / "tables" / "scans.parquet").to_pylist()
    assert (scan["segment_mode"], scan["model_sha256"]) == ("fast", digest)

    overwrite(tmp_path / "cohort" / "dicom" / chosen, content)
    launch.succeed(*arguments, "--fast", "-resume", "--retry_failed", "all", extra=extra)
    assert (len(launch.ids("scans")), launch.ids("failures")) == (2, [])
    (own / "SHA256SUMS").write_text(f"{digest}  mine.safetensors\n{'0' * 64}  another.safetensors\n")
    launch.succeed(*arguments, "--fast", "-resume", extra=extra)
    assert launch.tasks("COMPLETED") == {("CHECK", "networks"), ("INDEX", "input")}
    assert (len(launch.ids("scans")), launch.ids("failures")) == (2, [])

    (own / "mine.safetensors").write_bytes((own / "mine.safetensors").read_bytes()[:-2])
    done = launch.run(*arguments, "--fast", "-resume", extra=extra)
    assert done.returncode == 1
    assert "mine.safetensors is not the file that SHA256SUMS beside it lists" in done.stdout
    assert launch.tasks("COMPLETED") == {("CHECK", "networks")}
    assert launch.tasks("CACHED") == set()
    assert done.stdout.rstrip().splitlines()[-4:] == [
        "The run stopped for the reason above.",
        "Finished so far: CHECK 1 of 1 tasks.",
        f"To go on with it, once that is put right, from {tmp_path}:",
        f"  {go_on(launch, *arguments)}",
    ]

    shutil.copy(REPOSITORY / "weights" / "unet.safetensors", own / "mine.safetensors")
    nextflow = launch.start(*arguments, "--fast", "-name", "again", "-resume", extra=extra)
    launch.wait_for_task("index", nextflow)
    nextflow.terminate()  # as Ctrl-C does, which a run in the background may have been told to ignore
    output, _ = nextflow.communicate(timeout=PATIENCE_S)
    assert nextflow.returncode == 1
    stopped, _finished, _from, command = output.rstrip().splitlines()[-4:]
    assert (stopped, command) == ("Interrupted (SIGTERM).", f"  {go_on(launch, *arguments)}")
    assert not (launch.out / "pipeline_info" / "claim.json").exists()


def go_on(launch: Launch, *arguments: str) -> str:
    """Return the command that is to be advised: without -name and a bare -resume, with the session's id."""
    session = json.loads((launch.out / "pipeline_info" / "last_run.json").read_text())["session"]
    return f"{' '.join(launch.command(*arguments, '--fast'))} -resume {session}"
