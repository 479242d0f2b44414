"""`scarnet evaluate` and `scarnet benchmark` on label maps made elsewhere: no network needed."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hearts import toy_case, toy_spec, write_emidec_case

from scarnet_cli.cli.main import cli
from scarnet_cli.image.volume import write_nifti
from scarnet_cli.model.registry import build_model
from scarnet_cli.model.weights import save_weights
from scarnet_cli.tables.parquet import read_table

NAMES = [f"Case_{number}" for number in range(4)]


def scarnet(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with four cases, and two evaluations: the experts' own labels, and these shifted by a column."""
    root = tmp_path_factory.mktemp("benchmark")
    for number, name in enumerate(NAMES):
        case = toy_case(name, scar=number % 2 == 0)
        write_emidec_case(case, root / "cases", case.labels)
        shifted = case.labels.with_array(np.roll(case.labels.array, 1, axis=2))
        for fold in range(2):
            write_nifti(case.labels, root / "runs" / "expert" / f"fold_{fold}" / "labels" / f"{name}.nii.gz")
            write_nifti(shifted, root / "runs" / "shifted" / f"fold_{fold}" / "labels" / f"{name}.nii.gz")
    for model in ("expert", "shifted"):
        for fold in range(2):
            options = ("--folds", "2", "--fold", str(fold), "--out", root / "evaluations" / f"{model}_{fold}")
            result = scarnet("evaluate", root / "cases", "--segment-run", root / "runs" / model, *options)
            assert result.exit_code == 0, result.output
    return root


def evaluations(root: Path, *names: str) -> list[Path]:
    return [root / "evaluations" / name for name in names]


def test_models_are_compared_over_all_their_folds(root: Path, tmp_path: Path) -> None:
    folders = evaluations(root, "shifted_0", "shifted_1", "expert_1", "expert_0")
    result = scarnet("benchmark", root / "cases", *folders, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("| model | scar, all 4 | with scar 2 | without 2 |")
    assert "| expert | 1.000 | 1.000 | 1.000 |" in result.output
    summary = read_table(tmp_path / "benchmark_summary.parquet").to_pylist()
    scar = {row["model"]: row for row in summary if row["region"] == "scar"}
    assert scar["expert"]["hd95_median_mm"] == 0.0
    assert scar["shifted"]["hd95_median_mm"] == pytest.approx(1.2)  # one column
    assert scar["shifted"]["bias_ml"] == pytest.approx(0.0)
    assert (tmp_path / "index.html").is_file()


def test_weights_that_are_given_are_timed(root: Path, tmp_path: Path) -> None:
    save_weights(tmp_path / "toy.safetensors", build_model(toy_spec()), toy_spec())
    folders = evaluations(root, "expert_0", "expert_1")
    timing = ("--weights", "expert", tmp_path / "toy.safetensors", "--threads", "1")
    result = scarnet("benchmark", root / "cases", *folders, *timing, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    (cost,) = read_table(tmp_path / "benchmark_cost.parquet").to_pylist()
    assert (cost["model"], cost["device"], cost["threads"]) == ("expert", "cpu", 1)
    assert cost["parameters"] == sum(p.numel() for p in build_model(toy_spec()).parameters())


def test_models_of_other_folds_are_not_compared(root: Path, tmp_path: Path) -> None:
    result = scarnet("benchmark", root / "cases", *evaluations(root, "expert_0", "shifted_1"), "--out", tmp_path)
    assert result.exit_code == 1
    assert "expert and shifted were not evaluated on the same cases" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("given", [[], ["--segment-run", "runs", "--prompted", "lite_medsam"]])
def test_a_run_and_a_prompt_exclude_each_other_and_one_is_needed(root: Path, tmp_path: Path, given: list[str]) -> None:
    places = [str(root / word) if word == "runs" else word for word in given]
    result = scarnet("evaluate", root / "cases", *places, "--folds", "2", "--out", tmp_path)
    assert result.exit_code == 2
    assert "Give either --segment-run or --prompted." in result.output


def test_a_fold_beyond_the_folds_is_refused(root: Path, tmp_path: Path) -> None:
    run = ("--segment-run", root / "runs" / "expert", "--folds", "2", "--fold", "2")
    result = scarnet("evaluate", root / "cases", *run, "--out", tmp_path)
    assert result.exit_code == 1
    assert "--fold 2 is not one of the 2 folds" in str(result.exception)


def test_a_network_without_a_localiser_is_refused(root: Path, tmp_path: Path) -> None:
    save_weights(tmp_path / "unet" / "fold_0" / "weights.safetensors", build_model(toy_spec()), toy_spec())
    run = ("--segment-run", tmp_path / "unet", "--folds", "2", "--fold", "0")
    result = scarnet("evaluate", root / "cases", *run, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "give --localise-run too" in str(result.exception)
