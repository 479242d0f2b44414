"""The training workflow for real: a killed training goes on, and what is finished is not trained again."""

import json
import os
import shutil
import signal
import time

import pytest
from hearts import write_sheet
from nextflow_launch import PATIENCE_S, Launch

from scarnet_cli.model.weights import load_weights
from scarnet_cli.train.record import read_log

pytestmark = pytest.mark.pipeline

EPOCHS = 3
ARGUMENTS = ("--workflow", "train", "--input", "cases.csv", "--label_values", "values.csv", "--model", "unet")
SIZES = ("--folds", "2", "--epochs", str(EPOCHS), "--max_cpus", "1")


@pytest.fixture(scope="module")
def launch(tmp_path_factory: pytest.TempPathFactory) -> Launch:
    """A folder with a table of four cases, whose labels are ten times ours."""
    root = tmp_path_factory.mktemp("launch")
    write_sheet(root, 4, slices=5, times=10)
    (root / "values.csv").write_text("value,label\n10,blood_pool\n20,myocardium\n30,scar\n")
    return Launch(root)


def test_a_training_whose_task_is_killed_goes_on_in_the_next_and_all_are_kept(launch: Launch) -> None:
    nextflow = launch.start(*ARGUMENTS, *SIZES)
    log = launch.out / "train" / "localiser" / "fold_0" / "log.csv"
    while not read_log(log) and nextflow.poll() is None:
        time.sleep(0.05)
    os.kill(launch.wait_for_task("train", nextflow, argument=str(log.parent)), signal.SIGKILL)
    output, _ = nextflow.communicate(timeout=PATIENCE_S)
    assert nextflow.returncode == 0, output
    tries = [(row["status"], row["exit"]) for row in launch.trace() if "TRAIN (localiser 0)" in row["name"]]
    assert sorted(tries) == [("COMPLETED", "0"), ("FAILED", "137")]
    for model in ("localiser", "unet"):
        for fold in ("fold_0", "fold_1", "fold_all"):
            folder = launch.out / "train" / model / fold
            assert load_weights(folder / "weights.safetensors").spec.name == model
            assert [entry.epoch for entry in read_log(folder / "log.csv")] == [1, 2, 3]
        assert f"Weights: results/weights/{model}.safetensors" in output
    kept = load_weights(launch.out / "weights" / "unet.safetensors")
    chosen = json.loads((launch.out / "benchmark" / "decisions" / "unet.json").read_text())
    assert kept.spec.decision == {name: value for name, value in chosen.items() if value is not None}
    assert "| unet |" in output
    assert (launch.out / "benchmark" / "index.html").exists()


def test_resuming_trains_nothing_again_and_publishes_what_was_removed(launch: Launch) -> None:
    weights = launch.out / "train" / "unet" / "fold_all" / "weights.safetensors"
    before = weights.read_bytes()
    shutil.rmtree(launch.out / "train")
    launch.succeed(*ARGUMENTS, *SIZES, "-resume")
    assert launch.tasks("COMPLETED") == {("FOLDS", "cases")}
    assert weights.read_bytes() == before
