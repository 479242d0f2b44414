"""The benchmark's workflow for real: one short training, one finished run, both in one table."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from hearts import toy_case, write_emidec_case
from nextflow_launch import Launch

from scarnet_cli.image.volume import write_nifti
from scarnet_cli.model.weights import load_weights

pytestmark = pytest.mark.pipeline

NAMES = [f"Case_{number}" for number in range(4)]
SLICES = 5


def make_cases_and_finished_run(cases: Path, run: Path) -> None:
    """Write cases, and label maps as nnU-Net's run leaves them: the experts' own."""
    for number, name in enumerate(NAMES):
        case = toy_case(name, scar=number % 2 == 0, slices=SLICES)
        write_emidec_case(case, cases, case.labels)
        write_nifti(case.labels, run / "fold_0" / "labels" / f"{name}.nii.gz")


def test_a_trained_model_and_a_finished_run_are_compared_on_the_same_cases(tmp_path: Path) -> None:
    make_cases_and_finished_run(tmp_path / "cases", tmp_path / "runs" / "nnunet")
    launch = Launch(tmp_path)
    settings = ("--models", "scarnet,nnunet", "--runs", "runs", "--folds", "2", "--fold", "0", "--epochs", "1")
    output = launch.succeed("--workflow", "benchmark", "--input", "cases", *settings, "--max_cpus", "2")
    assert launch.tasks("COMPLETED") == {
        ("FOLDS", "cases"),
        ("TRAIN", "localiser 0"),
        ("TRAIN", "unet 0"),
        ("TRAIN_FROM_UNET", "scarnet 0"),
        ("EVALUATE", "scarnet 0"),
        ("EVALUATE", "nnunet 0"),
        ("COMPARE", "models"),
    }
    assert "| nnunet | 1.000 |" in output
    rows = pq.read_table(launch.out / "benchmark" / "benchmark.parquet").to_pylist()
    held_out = {row["case_id"] for row in rows}
    assert len(held_out) == 2
    assert len(rows) == 2 * 2 * 4  # models, cases, regions
    assert np.mean([row["dice"] for row in rows if row["model"] == "nnunet"]) == 1.0
    cost = pq.read_table(launch.out / "benchmark" / "benchmark_cost.parquet").to_pylist()
    assert [row["model"] for row in cost] == ["scarnet"]
    assert "Bland" in (launch.out / "benchmark" / "index.html").read_text()
    unet, scarnet = (
        load_weights(tmp_path / "runs" / m / "fold_0" / "weights.safetensors") for m in ("unet", "scarnet")
    )
    # after one step whose learning rate is next to nothing, the path is still the U-Net's
    path = scarnet.network.get_submodule("convolution.head").state_dict()
    for key, value in unet.network.get_submodule("head").state_dict().items():
        assert torch.allclose(path[key], value, atol=0.05), key
