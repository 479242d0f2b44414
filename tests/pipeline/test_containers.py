"""What a container is shown of the machine, in the command that Nextflow itself writes; no container needs to start."""

import re
import subprocess
from pathlib import Path

import pytest
from nextflow_launch import BIN, PATIENCE_S, REPOSITORY, environment

pytestmark = pytest.mark.pipeline

# As in modules/: a training has all three, other processes some or none; fetching has the network.
PROCESSES = """
process TRAINING {
    label 'process_train'
    label 'torch'
    ext mount: '/input', store: '/store'
    script: 'true'
}
process SCORING {
    label 'process_gpu'
    label 'torch'
    ext mount: '/input'
    script: 'true'
}
process FETCHING {
    ext store: '/store', network: true
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

SECRET = "whisper-4711"
ENGINES = {
    "docker": ("--volume /input:/input:ro", "--volume /store:/store", "--gpus all"),
    "podman": ("--volume /input:/input:ro", "--volume /store:/store", "--device nvidia.com/gpu=all"),
    "apptainer": ("--bind /input:/input:ro", "--bind /store:/store", "--nv"),
    "charliecloud": ("-b /input:/input", "-b /store:/store", ""),
}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_process_with_several_labels_gets_its_mounts_and_its_gpu(tmp_path: Path, engine: str) -> None:
    (tmp_path / "main.nf").write_text(PROCESSES)
    configs = "".join(f"includeConfig '{REPOSITORY}/conf/{name}.config'\n" for name in ("base", "gpu", engine))
    ignore = "process { container = '/nowhere'\n errorStrategy = 'ignore' }\n"
    (tmp_path / "nextflow.config").write_text(
        "params.container_core = null\nparams.container_gpu = null\n" + configs + ignore
    )
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
    launches = {}
    for script in tmp_path.glob("work/*/*/.command.run"):
        text = script.read_text()
        name = re.search(r"### name: '(\w+)'", text)
        assert name is not None
        launches[name[1]] = text
    assert set(launches) == {"TRAINING", "SCORING", "FETCHING", "MERGING"}, done.stdout + done.stderr
    mount, store, gpu = ENGINES[engine]
    shown = {
        name: [option for option in (mount, store, gpu) if option and option in text] for name, text in launches.items()
    }
    assert shown == {
        "TRAINING": [option for option in (mount, store, gpu) if option],
        "SCORING": [option for option in (mount, gpu) if option],
        "FETCHING": [store],
        "MERGING": [],
    }
    if engine in ("docker", "podman"):
        assert {name for name, text in launches.items() if "--network none" not in text} == {"FETCHING"}
        assert {name for name, text in launches.items() if "--env SCARNET_PACS_TOKEN" in text} == {"FETCHING"}
    assert not [name for name, text in launches.items() if SECRET in text]
