"""The test profile under a scheduler and in containers, for real, where the machine has them."""

import os
import shutil
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from faults.catalogue.cluster import Slurm
from nextflow_launch import REPOSITORY, SMALL_NETWORK, Launch

pytestmark = pytest.mark.pipeline

PROFILE = ("--phantoms", "2", *SMALL_NETWORK)
QUICK = "executor { pollInterval = '1 sec'; queueStatInterval = '2 sec' }\n"
IMAGES = ("localhost/scarnet-core:0.1.0", "localhost/scarnet-gpu:0.1.0")


def measured(launch: Launch) -> tuple[int, list[str]]:
    """Return the number of measured studies, and of the broken ones the codes."""
    codes = pq.read_table(launch.out / "tables" / "failures.parquet")["code"].to_pylist()
    return len(launch.ids("scans")), codes


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("slurmctld", path=f"{os.environ['PATH']}:/usr/sbin:/sbin"),
    reason="needs root and Slurm (Debian: slurm-wlm munge)",
)
def test_a_cluster_runs_the_tasks_as_jobs(tmp_path: Path) -> None:
    launch, slurm = Launch(tmp_path), Slurm(tmp_path / "slurm")
    (tmp_path / "quick.config").write_text(QUICK)
    slurm.start()
    try:
        launch.succeed("-profile", "test,slurm", "-c", "quick.config", *PROFILE, extra=slurm.variables)
        last_job = int(slurm.say("scontrol", "show", "job", "--oneliner").split("JobId=")[-1].split()[0])
    finally:
        slurm.stop()
    assert measured(launch) == (1, ["bad_pixels"])
    assert last_job == len(launch.trace())


def built_from_here() -> str:
    """Return why the images cannot be tested, or an empty text."""
    if not shutil.which("podman"):
        return "podman is not installed"
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    label = '{{index .Labels "org.opencontainers.image.revision"}}'
    for image in IMAGES:
        command = ["podman", "image", "inspect", "--format", label, image]
        revision = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
        if revision != head.stdout.strip():
            return f"{image} is not built from this commit: make containers"
    return ""


@pytest.mark.skipif(bool(reason := built_from_here()), reason=reason)
def test_containers_run_the_tasks_without_network(tmp_path: Path) -> None:
    launch = Launch(tmp_path)
    launch.succeed("-profile", "test,podman", *PROFILE)
    assert measured(launch) == (1, ["bad_pixels"])
