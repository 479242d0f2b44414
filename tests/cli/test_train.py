"""`scarnet train` and `scarnet folds` from the command line, a real kill included."""

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hearts import write_sheet
from PIL import Image

from scarnet_cli.cli.main import cli
from scarnet_cli.train.record import read_log

PATIENCE_S = 300


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of six cases of three patients, their labels a hundred times ours."""
    root = tmp_path_factory.mktemp("cases")
    (root / "values.csv").write_text("value,label\n100,blood_pool\n200,myocardium\n300,scar\n")
    (root / "small.json").write_text(json.dumps({"settings": {"batch": 4}, "augmentation": {"window": 40}}))
    return write_sheet(root, 6, slices=4, times=100, scans=2)


def arguments(sheet: Path, *more: str | Path) -> list[str]:
    fixed = ("--label-values", sheet.parent / "values.csv", "--model", "localiser", "--folds", 3, "--threads", 1)
    return ["train", str(sheet), *map(str, (*fixed, *more))]


def scarnet(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


def test_a_killed_training_started_again_ends_as_if_it_had_not_been_killed(sheet: Path, tmp_path: Path) -> None:
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    options = ("--fold", "0", "--epochs", "5", "--settings", sheet.parent / "small.json")
    killed = subprocess.Popen(
        [sys.executable, "-m", "scarnet_cli", *arguments(sheet, *options, "--out", tmp_path / "cut")]
    )
    deadline = time.monotonic() + PATIENCE_S
    while len(read_log(tmp_path / "cut" / "log.csv")) < 2:
        assert killed.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline, "no epoch was finished"
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert not (tmp_path / "cut" / "weights.safetensors").exists()
    for name in ("cut", "whole"):
        result = scarnet(*arguments(sheet, *options, "--out", tmp_path / name))
        assert result.exit_code == 0, result.output
    for name in ("weights.safetensors", "log.csv", "curve.svg", "settings.json"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert [entry.epoch for entry in read_log(tmp_path / "cut" / "log.csv")] == [1, 2, 3, 4, 5]


def test_each_epochs_line_tells_the_loss_and_the_latest_dice(sheet: Path, tmp_path: Path) -> None:
    result = scarnet(
        *arguments(sheet, "--fold", "1", "--epochs", "6", "--settings", sheet.parent / "small.json", "--out", tmp_path)
    )
    lines = [line for line in result.stderr.splitlines() if line.startswith("epoch")]
    assert len(lines) == 6
    assert lines[0].startswith("epoch 1 of 6: loss ")
    assert "Dice" not in lines[0]
    assert "held-out Dice after 5: left_ventricle 0." in lines[4]
    assert "held-out Dice after 6" in lines[5]
    assert (tmp_path / "curve.svg").read_text().startswith("<svg")
    assert list((tmp_path / "tensorboard").glob("events.*"))


def test_settings_of_one_training_change_another(sheet: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps({"settings": {"learning_rate": 1e-3}, "augmentation": {"blur": 0}}))
    changed = ("--settings", tmp_path / "mine.json", "--epochs", "1", "--seed", "7")
    result = scarnet(*arguments(sheet, *changed, "--out", tmp_path / "run"))
    assert result.exit_code == 0, result.output
    kept = json.loads((tmp_path / "run" / "settings.json").read_text())
    assert (kept["settings"]["learning_rate"], kept["settings"]["seed"], kept["augmentation"]["blur"]) == (1e-3, 7, 0)


@pytest.mark.parametrize("text", ["{", "[]", '{"settings": {"speed": 9}}'])
def test_wrong_settings_are_refused(sheet: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.json").write_text(text)
    result = scarnet(*arguments(sheet, "--settings", tmp_path / "mine.json", "--out", tmp_path / "run"))
    assert result.exit_code == 1
    assert "The settings are" in str(result.exception)


def test_a_preview_is_drawn_without_training(sheet: Path, tmp_path: Path) -> None:
    result = scarnet(*arguments(sheet, "--preview", tmp_path / "look.png"))
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "look.png") as picture:
        # six crops wide
        assert picture.size[0] == 6 * 244 + 4
    assert [path.name for path in tmp_path.iterdir()] == ["look.png"]


def test_without_a_folder_there_is_nothing_to_train_into(sheet: Path) -> None:
    result = scarnet(*arguments(sheet))
    assert result.exit_code == 2
    assert "--out" in result.output


def test_a_fold_beyond_the_folds_is_refused(sheet: Path, tmp_path: Path) -> None:
    result = scarnet(*arguments(sheet, "--fold", "3", "--out", tmp_path))
    assert "--fold 3 is not one of the 3 folds" in str(result.exception)


def test_the_table_of_folds_keeps_a_patients_scans_together(sheet: Path, tmp_path: Path) -> None:
    options = ("--label-values", sheet.parent / "values.csv", "--folds", "3", "--out", tmp_path / "folds.csv")
    assert scarnet("folds", sheet, *options).exit_code == 0
    with (tmp_path / "folds.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["case"] for row in rows] == [f"scan{number}" for number in range(6)]
    assert [row["has_scar"] for row in rows] == ["true", "false"] * 3
    assert len({(row["patient"], row["fold"]) for row in rows}) == 3
    assert {row["fold"] for row in rows} == {"0", "1", "2"}
    # the same heart with scar and without, three times each
    assert len({row["sha256"] for row in rows}) == 2


def test_wrong_cases_are_an_error_or_a_message_for_the_workflow(sheet: Path, tmp_path: Path) -> None:
    result = scarnet("folds", sheet, "--out", tmp_path / "folds.csv")
    assert result.exit_code == 1
    assert "6 of the samplesheet's 6 rows are wrong" in str(result.exception)
    options = ("--out", tmp_path / "folds.csv", "--problem", tmp_path / "problem.txt")
    assert scarnet("folds", sheet, *options).exit_code == 0
    assert "line 2: scan0: label values [100, 200, 300] are not among" in (tmp_path / "problem.txt").read_text()
    assert not (tmp_path / "folds.csv").exists()
