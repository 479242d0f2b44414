"""Two CPU processes stand for two GPUs: the same code, with gloo in NCCL's process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hearts import toy_spec

from scarnet_cli.errors import TrainingError
from scarnet_cli.train.augment import Augmentation
from scarnet_cli.train.loop import Trainer
from scarnet_cli.train.processes import Process, join_processes, multiplies_bf16_fast
from scarnet_cli.train.settings import TrainingSettings

TESTS = Path(__file__).parents[1]
PATIENCE_S = 300


def test_two_processes_keep_the_same_weights_and_go_on_to_the_same_result(tmp_path: Path) -> None:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    paths = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    done = subprocess.run(
        [*launcher, str(TESTS / "train" / "two_processes.py"), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # equal in spite of different slices, for their gradients are averaged
    assert (tmp_path / "agree.txt").read_text() == "True"
    # a thread of the group that outlives it may abort the process at its end
    assert not any("gloo" in (tmp_path / f"threads_{rank}.txt").read_text() for rank in (0, 1))
    whole, cut = (tmp_path / name / "weights.safetensors" for name in ("whole", "cut"))
    assert whole.read_bytes() == cut.read_bytes()
    assert sorted(done.stdout.split("\n"))[1:] == sorted(f"rank 0 epoch {e}" for e in (1, 2, 2))


def test_a_process_alone_is_the_first_on_the_best_device() -> None:
    with join_processes() as process:
        assert (process.rank, process.world, process.is_first) == (0, 1, True)
        assert process.mean(torch.tensor(2.5)) == 2.5


def test_more_processes_than_slices_of_a_small_batch_are_refused() -> None:
    settings = TrainingSettings(batch=4)
    with pytest.raises(TrainingError, match="Batches of 4 slices are too small for 4 processes"):
        Trainer(toy_spec(), Augmentation(window=48), settings, Process(world=4))


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="the CPU's features are read as Linux tells them")
def test_a_cpu_with_instructions_for_bf16_and_every_gpu_multiply_it_fast() -> None:
    flags = Path("/proc/cpuinfo").read_text().split()
    assert multiplies_bf16_fast("cpu") == ("avx512_bf16" in flags or "amx_bf16" in flags)
    assert multiplies_bf16_fast("cuda")
