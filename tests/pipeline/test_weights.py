"""A user's own weights, by name, in the fast mode; and what happens when the file changes."""

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from nextflow_launch import PATIENCE_S, REPOSITORY, Launch

pytestmark = pytest.mark.pipeline


def test_own_weights_are_used_by_name_and_a_changed_file_is_refused_by_its_digest(
    tmp_path: Path, make_phantoms: Callable[..., None]
) -> None:
    launch, own = Launch(tmp_path), tmp_path / "own"
    make_phantoms(tmp_path / "cohort", 1)
    own.mkdir()
    shutil.copy(REPOSITORY / "weights" / "unet.safetensors", own / "mine.safetensors")
    digest = hashlib.sha256((own / "mine.safetensors").read_bytes()).hexdigest()
    (own / "SHA256SUMS").write_text(f"{digest}  mine.safetensors\n")
    arguments = ("--input", str(tmp_path / "cohort" / "dicom"), "--weights", "mine", "--max_cpus", "1")
    extra = {"SCARNET_WEIGHTS": str(own)}

    launch.succeed(*arguments, "--fast", extra=extra)
    (scan,) = pq.read_table(launch.out / "tables" / "scans.parquet").to_pylist()
    assert (scan["segment_mode"], scan["model_sha256"]) == ("fast", digest)

    (own / "mine.safetensors").write_bytes((own / "mine.safetensors").read_bytes()[:-2])
    done = launch.run(*arguments, "--fast", "-resume", extra=extra)
    assert done.returncode == 1
    assert "mine.safetensors is not the file that SHA256SUMS beside it lists" in done.stdout
    assert "CROP" in {name for name, _ in launch.tasks("CACHED")}
    go_on = f"{' '.join(launch.command(*arguments, '--fast'))} -resume {session_of(launch)}"
    stopped, finished, words, command = done.stdout.rstrip().splitlines()[-4:]
    assert re.fullmatch(r"The run stopped: SEGMENT \(batch-\w+\) failed with exit code 1\. Error: .*mine.*", stopped)
    assert finished == "Finished so far: INDEX 1 of 1, CONVERT 1 of 1, CROP 1 of 1 tasks; studies measured: 0."
    assert words == f"To go on with it, once that is put right, from {tmp_path}:"
    assert command == f"  {go_on}"

    nextflow = launch.start(*arguments, "--fast", "-name", "again", "-resume", extra=extra)
    launch.wait_for_task("index", nextflow)
    nextflow.terminate()  # as Ctrl-C does, which a run in the background may have been told to ignore
    output, _ = nextflow.communicate(timeout=PATIENCE_S)
    assert nextflow.returncode == 1
    assert output.rstrip().splitlines()[-3::2] == ["Interrupted (SIGTERM).", f"  {go_on}"]
    assert not (launch.out / "pipeline_info" / "claim.json").exists()


def session_of(launch: Launch) -> str:
    return json.loads((launch.out / "pipeline_info" / "last_run.json").read_text())["session"]
