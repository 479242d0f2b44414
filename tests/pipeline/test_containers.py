"""What a container is shown of the machine, in the command that Nextflow itself writes; no container needs to start."""

import re
import subprocess
import time
from pathlib import Path

import pytest
from nextflow_launch import BIN, PATIENCE_S, REPOSITORY, environment

pytestmark = pytest.mark.pipeline

# As in modules/: a training has all three, other processes some or none; fetching has the network.
PROCESSES = """
process TRAINING {
    label 'process_train'
    label 'torch'
    ext mount: '/input', shared: '/shared'
    script: 'true'
}
process SCORING {
    label 'process_gpu'
    label 'torch'
    ext mount: '/input'
    script: 'true'
}
process FETCHING {
    ext shared: '/shared', network: true
    script: 'true'
}
process MERGING {
    script: 'true'
}
workflow {
    TRAINING()
    SCORING()
    FETCHING()
    MERGING()
}
"""

PARAMETERS = "".join(
    f"params.{name} = null\n"
    for name in (
        "container_core",
        "container_gpu",
        "queue",
        "account",
        "qos",
        "cluster_options",
        "study_minutes",
    )
)
SECRET = "whisper-4711"
ENGINES = {
    "docker": ("--volume /input:/input:ro", "--volume /shared:/shared", "--gpus all"),
    "podman": ("--volume /input:/input:ro", "--volume /shared:/shared", "--device nvidia.com/gpu=all"),
    "apptainer": ("--bind /input:/input:ro", "--bind /shared:/shared", "--nv"),
    "charliecloud": ("-b /input:/input", "-b /shared:/shared", ""),
}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_process_with_several_labels_gets_its_mounts_and_its_gpu(tmp_path: Path, engine: str) -> None:
    (tmp_path / "main.nf").write_text(PROCESSES)
    configs = "".join(f"includeConfig '{REPOSITORY}/conf/{name}.config'\n" for name in ("base", "gpu", engine))
    ignore = "process { container = '/nowhere'\n errorStrategy = 'ignore' }\n"
    (tmp_path / "nextflow.config").write_text(PARAMETERS + configs + ignore)
    done = subprocess.run(
        [BIN / "nextflow", "run", "main.nf"],
        cwd=tmp_path,
        env={
            **environment(),
            "CH_IMAGE_STORAGE": str(tmp_path / "storage"),
            "SCARNET_PACS_TOKEN": SECRET,
        },  # charliecloud wants it elsewhere
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    launches = launches_of(tmp_path)
    assert set(launches) == {"TRAINING", "SCORING", "FETCHING", "MERGING"}, done.stdout + done.stderr
    mount, shared, gpu = ENGINES[engine]
    shown = {
        name: [option for option in (mount, shared, gpu) if option and option in text]
        for name, text in launches.items()
    }
    assert shown == {
        "TRAINING": [option for option in (mount, shared, gpu) if option],
        "SCORING": [option for option in (mount, gpu) if option],
        "FETCHING": [shared],
        "MERGING": [],
    }
    if engine == "charliecloud":
        apart = {name for name, text in launches.items() if "unshare --map-current-user --net" in text}
        assert apart == {"SCORING", "MERGING"}
    if engine in ("docker", "podman"):
        assert all("--read-only --" in text and "--cap-drop all" in text for text in launches.values())
        assert {name for name, text in launches.items() if "--network none" not in text} == {"FETCHING"}
        for variable in ("SCARNET_PACS_TOKEN", "AWS_ACCESS_KEY_ID"):
            assert {name for name, text in launches.items() if f"--env {variable} " in text} == {"FETCHING"}
    assert not [name for name, text in launches.items() if SECRET in text]


def test_a_site_s_slurm_options_are_kept_beside_the_gpu(tmp_path: Path) -> None:
    (tmp_path / "main.nf").write_text(PROCESSES)
    configs = "".join(f"includeConfig '{REPOSITORY}/conf/{name}.config'\n" for name in ("base", "gpu", "slurm"))
    (tmp_path / "nextflow.config").write_text(PARAMETERS + configs + "process.errorStrategy = 'ignore'\n")
    (tmp_path / "site.config").write_text("process.clusterOptions = '--account=heart --qos=low'\n")
    # A job is written before it is submitted, so that no cluster is needed; all jobs are refused.
    refusing = tmp_path / "bin" / "sbatch"
    refusing.parent.mkdir()
    refusing.write_text("#!/bin/sh\nexit 1\n")
    refusing.chmod(0o755)
    variables = {**environment(), "PATH": f"{refusing.parent}:{environment()['PATH']}"}
    command = [BIN / "nextflow", "run", "main.nf", "-c", "site.config", "--max_time", "1h"]
    nextflow = subprocess.Popen(command, cwd=tmp_path, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        for _ in range(600):
            if nextflow.poll() is not None or len(launches_of(tmp_path)) == 4:
                break
            time.sleep(0.1)
        launches = launches_of(tmp_path)
    finally:
        nextflow.kill()
        output, _ = nextflow.communicate()
    site = "--account=heart --qos=low"
    assert {name: re.findall(r"#SBATCH (.*--account.*)", text) for name, text in launches.items()} == {
        "TRAINING": [f"{site} --gres=gpu:1"],
        "SCORING": [f"{site} --gres=gpu:1"],
        "FETCHING": [site],
        "MERGING": [site],
    }, output


def launches_of(folder: Path) -> dict[str, str]:
    """Return process -> the script that Nextflow wrote to launch its task; one that it is still writing is left out."""
    texts = (script.read_text() for script in folder.glob("work/*/*/.command.run"))
    whole = (text for text in texts if text.rstrip().endswith("$NXF_ENTRY"))
    return {text.split("### name: '")[1].split("'")[0].split(" ")[0]: text for text in whole}
