"""A user's own weights, by name, in the fast mode; and what happens when the file changes."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from nextflow_launch import REPOSITORY, Launch

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
