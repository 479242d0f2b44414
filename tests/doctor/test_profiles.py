import os
import time
from pathlib import Path

import pytest

from scarnet_cli.doctor.checks import Finding, State, ask, run_checks
from scarnet_cli.doctor.profiles import PIPELINE, Profile, profile_checks, read_profiles
from scarnet_cli.errors import InputError


def findings(names: str, patience_s: float = 20) -> list[Finding]:
    return run_checks(profile_checks(read_profiles(names.split(",")), patience_s))


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that alone is on the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def write_program(folder: Path, name: str, body: str = "") -> None:
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


def test_profiles_are_what_the_configuration_declares() -> None:
    core, gpu = (f"localhost/scarnet-{name}:0.1.0" for name in ("core", "gpu"))
    files = tuple(f"{PIPELINE}/containers/scarnet-{name}.sif" for name in ("core", "gpu"))
    assert read_profiles(["slurm", "podman", "apptainer", "conda", "googlebatch", "test"]) == [
        Profile("slurm", executor="slurm"),
        Profile("podman", engine="podman", images=(core, gpu)),
        Profile("apptainer", engine="apptainer", images=files),
        Profile("conda", engine="conda"),
        Profile("googlebatch", executor="google-batch"),
        Profile("test"),
    ]


def test_every_declared_profile_can_be_read() -> None:
    names = [path.stem for path in (PIPELINE / "conf").glob("*.config")]
    parts = {"base", "modules", "cluster", "login", "mounts"}
    profiles = read_profiles(sorted(set(names) - parts))
    neither = {profile.name for profile in profiles if not profile.executor and not profile.engine}
    assert neither == {"test", "gpu"}


@pytest.mark.parametrize(
    ("name", "words"),
    [("slrum", "There is no profile 'slrum'; did you mean 'slurm'?"), ("xyz", "there are local, test, gpu, slurm")],
)
def test_an_unknown_profile_is_answered_with_the_nearest_or_with_all(name: str, words: str) -> None:
    with pytest.raises(InputError, match="no profile") as raised:
        read_profiles(["local", name])
    assert words in str(raised.value)


def test_a_scheduler_that_answers_is_ok_and_the_nodes_engine_is_no_fault_of_this_machine(bin_folder: Path) -> None:
    for name in ("sbatch", "squeue", "scancel", "sinfo"):
        write_program(bin_folder, name)
    scheduler, engine, *images = findings("slurm,podman")
    assert (scheduler.state, scheduler.words) == (State.OK, "slurm has sbatch, squeue, scancel, and answers.")
    assert (engine.state, engine.words) == (State.NOTE, "podman is not on the PATH.")
    assert [image.state for image in images] == [State.NOTE, State.NOTE]
    assert images[0].words.startswith("Every node needs localhost/scarnet-core:0.1.0 in its own podman")


def test_a_scheduler_s_missing_commands_and_its_own_words_are_named(bin_folder: Path) -> None:
    write_program(bin_folder, "qsub")
    (missing,) = findings("sge")
    assert missing.words == "sge needs qsub, qstat, qdel; not on the PATH: qstat, qdel."
    write_program(bin_folder, "qdel")
    write_program(bin_folder, "qstat", "echo 'error: no qmaster' >&2; exit 1")
    (failed,) = findings("sge")
    assert (failed.state, failed.words) == (State.WRONG, "`qstat` failed: error: no qmaster")


def test_commands_that_hang_are_ended_with_their_children_at_the_same_time(bin_folder: Path) -> None:
    for name in ("sbatch", "squeue", "scancel"):
        write_program(bin_folder, name)
    for name in ("sinfo", "podman"):
        write_program(bin_folder, name, f"/bin/sleep 60 & echo $! >>{bin_folder}/children; wait")
    begin = time.monotonic()
    scheduler, podman, *_ = findings("slurm,podman", patience_s=0.5)
    assert time.monotonic() - begin < 20  # far from 60, also on a busy machine
    assert scheduler.words == "`sinfo --noheader` has not answered within 0.5 s."
    assert (podman.state, podman.advice) == (State.WRONG, "Run `podman version` to see why.")
    children = [int(line) for line in (bin_folder / "children").read_text().split()]
    assert not [child for child in children if is_running(child)]


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_images_that_make_containers_builds_are_looked_for_in_the_engine(bin_folder: Path) -> None:
    body = 'case $* in *core*|version) ;; *) echo "Error: no such image $3"; exit 1;; esac'
    write_program(bin_folder, "docker", body)
    engine, core, gpu = findings("docker")
    assert (engine.state, core.state, gpu.state) == (State.OK, State.OK, State.WRONG)
    assert gpu.words == "docker has no localhost/scarnet-gpu:0.1.0."
    assert gpu.advice.startswith("Say `make containers`, or name others with --container_core")


def test_an_engine_that_is_missing_is_wrong_where_tasks_run_here(bin_folder: Path) -> None:
    assert [finding.words for finding in findings("test,docker")] == ["docker is not on the PATH."]
    assert findings("conda,slurm")[0].state is State.WRONG
    assert list(bin_folder.iterdir()) == []


def test_image_files_are_looked_for_where_the_profile_has_them(tmp_path: Path) -> None:
    (tmp_path / "core.sif").touch()
    images = (f"{tmp_path}/core.sif", f"{tmp_path}/gpu.sif", "ghcr.io/heart/core:1")
    checks = profile_checks([Profile("apptainer", engine="apptainer", images=images)], 1)
    _, core, gpu, served = run_checks(checks)
    assert (core.state, gpu.state, served.state) == (State.OK, State.WRONG, State.OK)
    assert gpu.words == f"{tmp_path}/gpu.sif is missing."
    assert "registry" in served.words


def test_what_a_cloud_needs_is_only_named() -> None:
    (finding,) = findings("k8s")
    assert (finding.state, finding.words) == (State.NOTE, "What k8s needs is not checked from here.")


def test_a_command_that_is_not_there_is_an_answer_too() -> None:
    assert ask([os.devnull], 1).code == 127
