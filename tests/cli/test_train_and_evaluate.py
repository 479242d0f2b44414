from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from hearts import toy_case, write_emidec_case

from scarnet_cli.cases.cases import read_cases
from scarnet_cli.cases.folds import deal_cases
from scarnet_cli.cli.main import cli
from scarnet_cli.errors import ModelError
from scarnet_cli.model.checkpoints import read_checkpoint
from scarnet_cli.model.pretrained import lite_medsam_path
from scarnet_cli.model.spec import Task
from scarnet_cli.model.weights import load_weights
from scarnet_cli.tables.benchmark import RobustnessRow
from scarnet_cli.tables.parquet import read_rows


def scarnet(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(a) for a in arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("emidec")
    for number in range(4):
        case = toy_case(f"Case_{number}", scar=number % 2 == 0, slices=5)
        write_emidec_case(case, root, case.labels)
    return root


@pytest.fixture(scope="module")
def runs(cases: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One short training of each network, without fold 0 of 2."""
    root = tmp_path_factory.mktemp("runs")
    for model in ("localiser", "unet"):
        options = ("--model", model, "--folds", 2, "--fold", 0, "--epochs", 1, "--threads", 1)
        result = scarnet("train", cases, *map(str, options), "--out", root / model / "fold_0")
        assert result.exit_code == 0, result.output
    return root


def test_training_writes_weights_that_say_what_they_are_for(runs: Path) -> None:
    for model, task in (("localiser", Task.LOCALISE), ("unet", Task.SEGMENT)):
        spec = load_weights(runs / model / "fold_0" / "weights.safetensors").spec
        assert (spec.name, spec.task) == (model, task)


def test_a_training_that_was_finished_is_not_trained_again(cases: Path, runs: Path) -> None:
    before = (runs / "unet" / "fold_0" / "log.csv").read_bytes()
    options = ("--model", "unet", "--folds", "2", "--fold", "0", "--epochs", "1")
    assert scarnet("train", cases, *options, "--out", runs / "unet" / "fold_0").exit_code == 0
    assert (runs / "unet" / "fold_0" / "log.csv").read_bytes() == before


def test_evaluating_scores_the_held_out_cases_and_writes_the_tables(cases: Path, runs: Path, tmp_path: Path) -> None:
    places = ("--segment-run", runs / "unet", "--localise-run", runs / "localiser", "--out", tmp_path)
    result = scarnet("evaluate", cases, "--folds", "2", "--fold", "0", *places)
    assert result.exit_code == 0, result.output
    assert "| all 2 |" in result.output
    assert (tmp_path / "summary.md").read_text() in result.output
    assert len((tmp_path / "cases.csv").read_text().splitlines()) == 3


def test_robustness_scores_disturbed_cases_and_is_the_same_by_seed(cases: Path, runs: Path, tmp_path: Path) -> None:
    places = ("--segment-run", runs / "unet", "--localise-run", runs / "localiser")
    options = ("--folds", "2", "--fold", "0", "--every", "2", "--robustness", "--disturbance", "rician_noise")
    for out in ("first", "again"):
        result = scarnet("evaluate", cases, *options, "--seed", "3", *places, "--out", tmp_path / out)
        assert result.exit_code == 0, result.output
    assert "| Rician noise (SD, % of the range) | 5 |" in result.output
    first, again = (read_rows(RobustnessRow, tmp_path / out / "robustness.parquet") for out in ("first", "again"))
    assert len(first) % 8 == 0  # as it is, three severities, and four more draws of one
    assert first == again
    assert (tmp_path / "again" / "robustness.svg").read_text().startswith("<svg")
    assert (tmp_path / "again" / "robustness.md").read_text() in result.output


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--robustness", "--disturbance", "fog"), "fog is none of rician_noise, bias_field"),
        (("--seed", "1"), "go with --robustness"),
    ],
)
def test_options_of_robustness_that_do_not_fit_are_refused(
    cases: Path, runs: Path, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    places = ("--segment-run", runs / "unet", "--localise-run", runs / "localiser", "--out", tmp_path)
    result = scarnet("evaluate", cases, "--folds", "2", "--fold", "0", *options, *places)
    assert result.exit_code == 2
    assert words in " ".join(result.output.split())


def test_a_share_of_the_cases_that_no_fold_holds_out_is_refused(cases: Path, runs: Path, tmp_path: Path) -> None:
    held_out = deal_cases(read_cases(cases), 2)
    without = next(fold for fold, ids in enumerate(held_out) if "Case_0" not in ids)
    places = ("--segment-run", runs / "unet", "--localise-run", runs / "localiser", "--out", tmp_path)
    options = ("--folds", "2", "--fold", str(without), "--every", "4")
    result = CliRunner().invoke(cli, [str(a) for a in ("evaluate", cases, *options, *places)])
    assert result.exit_code == 1
    assert "--every 4 leaves no case" in str(result.exception)


def test_a_fold_that_is_not_trained_is_named(cases: Path, runs: Path, tmp_path: Path) -> None:
    places = ("--segment-run", runs / "unet", "--localise-run", runs / "localiser", "--out", tmp_path)
    result = CliRunner().invoke(cli, [str(a) for a in ("evaluate", cases, "--folds", "2", "--fold", "1", *places)])
    assert result.exit_code == 1
    assert "There is no weights file" in str(result.exception)


def test_a_fold_beyond_the_folds_is_refused(cases: Path, tmp_path: Path) -> None:
    arguments = ("train", cases, "--model", "unet", "--folds", "2", "--fold", "2", "--out", tmp_path)
    result = CliRunner().invoke(cli, [str(a) for a in arguments])
    assert "--fold 2 is not one of the 2 folds" in str(result.exception)


def test_scarnet_starts_from_lite_medsam_s_encoder(cases: Path, tmp_path: Path) -> None:
    try:
        published = read_checkpoint(lite_medsam_path()).tensors
    except ModelError as error:
        pytest.skip(str(error))
    settings = tmp_path / "still.json"
    settings.write_text('{"settings": {"learning_rate": 0.0}}')  # what it starts from is what it ends with
    options = ("--model", "scarnet", "--folds", "2", "--fold", "0", "--epochs", "1", "--threads", "1")
    result = scarnet("train", cases, *options, "--settings", settings, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    encoder = load_weights(tmp_path / "run" / "weights.safetensors").network.get_submodule("transformer.encoder")
    for key, value in encoder.named_parameters():
        torch.testing.assert_close(value, published[f"image_encoder.{key}"], atol=1e-3, rtol=1e-3)  # kept as fp16
