"""Users have Nextflow 24.10 with the old parser, or a later one with the strict parser: both must take the pipeline."""

import subprocess
from pathlib import Path

import pytest
from nextflow_launch import BIN, PATIENCE_S, REPOSITORY, Launch, assert_plain, environment

pytestmark = pytest.mark.pipeline


@pytest.mark.parametrize(("launcher", "parser"), [("nextflow", "v1"), ("nextflow-25", "v2")])
def test_under_either_parser_the_pipeline_lists_its_parameters_and_keeps_to_the_output_directory(
    tmp_path: Path, launcher: str, parser: str
) -> None:
    launch = Launch(tmp_path)
    arguments = ("--help", "-profile", "test", "--outdir", "named")
    done = launch.run(*arguments, nextflow=launcher, extra={"NXF_SYNTAX_PARSER": parser})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "--input " in done.stdout
    assert "--outdir " in done.stdout
    assert_plain(done, launch)
    assert list((tmp_path / "named").rglob("*")) == [tmp_path / "named/pipeline_info"]
    assert not (tmp_path / "results").exists()


def test_the_oldest_nextflow_reads_the_files_of_all_profiles(tmp_path: Path) -> None:
    schedulers, clouds = "slurm,sge,pbs,pbspro,lsf", "awsbatch,googlebatch,azurebatch,k8s"
    profiles = f"local,test,gpu,{schedulers},{clouds},docker,podman,apptainer,charliecloud,conda"
    command = [BIN / "nextflow", "config", "-profile", profiles, REPOSITORY]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "executor = " in done.stdout
