import csv
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hearts import toy_case, toy_spec

from scarnet_cli.errors import TrainingError
from scarnet_cli.model.weights import load_weights
from scarnet_cli.train.augment import Augmentation
from scarnet_cli.train.loop import EpochReport, Trainer, TrainingData, TrainingSettings, fit
from scarnet_cli.train.stacks import Stack, make_stacks

SETTINGS = TrainingSettings(epochs=4, batch=4, validate_every=2, extra_fraction=0.5)


class KilledError(Exception):
    """Stands for a kill after an epoch."""


@pytest.fixture(scope="module")
def data() -> TrainingData:
    stacks = make_stacks([toy_case(f"Case_{i}", scar=i % 2 == 0) for i in range(4)], toy_spec())
    return TrainingData(train=stacks[:2], extra=stacks[2:3], held_out=stacks[3:])


def trainer(settings: TrainingSettings = SETTINGS) -> Trainer:
    return Trainer(toy_spec(), Augmentation(window=48), settings, "cpu")


def test_a_killed_training_goes_on_to_the_same_weights(tmp_path: Path, data: TrainingData) -> None:
    whole = fit(trainer(), data, tmp_path / "whole", lambda _: None)

    def kill_after_two(entry: EpochReport) -> None:
        if entry.epoch == 2:
            raise KilledError

    (tmp_path / "cut").mkdir()
    with pytest.raises(KilledError):
        fit(trainer(), data, tmp_path / "cut", kill_after_two)
    resumed = fit(trainer(), data, tmp_path / "cut", lambda _: None)
    assert resumed.read_bytes() == whole.read_bytes()


def test_the_log_has_one_line_an_epoch_and_dice_where_validated(tmp_path: Path, data: TrainingData) -> None:
    fit(trainer(), data, tmp_path, lambda _: None)
    rows = list(csv.reader((tmp_path / "log.csv").read_text().splitlines()))
    assert [int(row[0]) for row in rows] == [1, 2, 3, 4]
    assert [len(row) for row in rows] == [2, 6, 2, 6]


def test_other_settings_do_not_go_on_from_a_checkpoint(tmp_path: Path, data: TrainingData) -> None:
    fit(trainer(replace(SETTINGS, epochs=1)), data, tmp_path, lambda _: None)
    with pytest.raises(TrainingError, match="made with other settings"):
        fit(trainer(), data, tmp_path, lambda _: None)


def test_a_checkpoint_from_before_a_setting_existed_goes_on_where_it_is_off(tmp_path: Path, data: TrainingData) -> None:
    whole = fit(trainer(), data, tmp_path / "whole", lambda _: None).read_bytes()
    fit(trainer(), data, tmp_path / "old", lambda _: None)
    checkpoint = tmp_path / "old" / "checkpoint.pt"
    state = torch.load(checkpoint, weights_only=True)
    del state["augmentation"]["blur"], state["settings"]["weight_decay"]
    torch.save(state, checkpoint)
    assert fit(trainer(), data, tmp_path / "old", lambda _: None).read_bytes() == whole


def test_a_few_epochs_teach_the_toy_heart(tmp_path: Path) -> None:
    stacks: list[Stack] = make_stacks([toy_case(f"Case_{i}", scar=i % 2 == 0, slices=6) for i in range(6)], toy_spec())
    data = TrainingData(train=stacks[:4], extra=[], held_out=stacks[4:])
    settings = TrainingSettings(epochs=12, batch=4, learning_rate=1e-2, ema=0.8)
    learner = trainer(settings)
    path = fit(learner, data, tmp_path, lambda _: None)
    blood_pool, myocardium, _, _ = learner.validate(data.held_out)
    assert blood_pool > 0.8
    assert myocardium > 0.7
    assert load_weights(path).spec == toy_spec()


def test_training_can_start_from_trained_weights(tmp_path: Path, data: TrainingData) -> None:
    trained = load_weights(fit(trainer(replace(SETTINGS, epochs=1)), data, tmp_path, lambda _: None))
    second = trainer(replace(SETTINGS, seed=5))
    second.start_from(trained)
    for ours, theirs in zip(second.average.parameters(), trained.network.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_loss_that_is_not_finite_ends_the_training(data: TrainingData) -> None:
    learner = trainer()
    with torch.no_grad():
        next(learner.network.parameters()).fill_(torch.nan)
    with pytest.raises(TrainingError, match="The loss is nan in epoch 0"):
        learner.train_epoch(data)
