from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hearts import toy_case, toy_spec

from scarnet_cli.errors import TrainingError
from scarnet_cli.image.labels import Label
from scarnet_cli.model.spec import Task
from scarnet_cli.model.weights import load_weights
from scarnet_cli.train.augment import Augmentation
from scarnet_cli.train.batches import TrainingData, batches_in_epoch
from scarnet_cli.train.loop import Trainer, fit
from scarnet_cli.train.processes import multiplies_bf16_fast
from scarnet_cli.train.record import EpochReport, read_log
from scarnet_cli.train.settings import TrainingSettings
from scarnet_cli.train.stacks import Stack, make_stacks

SETTINGS = TrainingSettings(epochs=4, batch=4, validate_every=2, extra_fraction=0.5)


class KilledError(Exception):
    """Stands for a kill after an epoch."""


@pytest.fixture(scope="module")
def data() -> TrainingData:
    stacks = make_stacks([toy_case(f"Case_{i}", scar=i % 2 == 0) for i in range(4)], toy_spec())
    return TrainingData(train=stacks[:2], extra=stacks[2:3], held_out=stacks[3:])


def trainer(settings: TrainingSettings = SETTINGS) -> Trainer:
    return Trainer(toy_spec(), Augmentation(window=48), settings)


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


def test_other_settings_do_not_go_on_from_a_checkpoint(tmp_path: Path, data: TrainingData) -> None:
    fit(trainer(replace(SETTINGS, epochs=1)), data, tmp_path, lambda _: None)
    other = Trainer(toy_spec(), Augmentation(window=40), replace(SETTINGS, epochs=1, batch=3, seed=7))
    words = r"other settings \(batch 4, now 3; seed 0, now 7\) and other augmentation \(window 48, now 40\); use"
    with pytest.raises(TrainingError, match=words):
        fit(other, data, tmp_path, lambda _: None)


def test_a_finished_training_goes_on_to_more_epochs_but_not_to_fewer(tmp_path: Path, data: TrainingData) -> None:
    fit(trainer(replace(SETTINGS, epochs=2)), data, tmp_path, lambda _: None)
    reported: list[int] = []
    longer = trainer()
    fit(longer, data, tmp_path, lambda entry: reported.append(entry.epoch))
    assert reported == [3, 4]
    assert [entry.epoch for entry in read_log(tmp_path / "log.csv")] == [1, 2, 3, 4]
    with pytest.raises(TrainingError, match=r"\(epochs 4, now 2\)"):
        fit(trainer(replace(SETTINGS, epochs=2)), data, tmp_path, lambda _: None)


def test_every_batch_is_counted(tmp_path: Path, data: TrainingData) -> None:
    counted: list[int] = []
    fit(trainer(), data, tmp_path, lambda _: None, lambda steps=1, text="": counted.append(steps))
    assert sum(counted) == SETTINGS.epochs * batches_in_epoch(data, SETTINGS) > SETTINGS.epochs


def test_a_checkpoint_from_before_a_setting_existed_goes_on_where_it_is_off(tmp_path: Path, data: TrainingData) -> None:
    whole = fit(trainer(), data, tmp_path / "whole", lambda _: None).read_bytes()
    fit(trainer(), data, tmp_path / "old", lambda _: None)
    checkpoint = tmp_path / "old" / "checkpoint.pt"
    state = torch.load(checkpoint, weights_only=True)
    del state["augmentation"]["blur"], state["settings"]["weight_decay"]
    torch.save(state, checkpoint)
    assert fit(trainer(), data, tmp_path / "old", lambda _: None).read_bytes() == whole


def test_a_checkpoint_without_the_rates_of_its_groups_goes_on(tmp_path: Path, data: TrainingData) -> None:
    fit(trainer(replace(SETTINGS, epochs=1)), data, tmp_path, lambda _: None)
    checkpoint = tmp_path / "checkpoint.pt"
    state = torch.load(checkpoint, weights_only=True)
    del state["optimiser"]["param_groups"][0]["rate"], state["data_sha256"]
    state["settings"]["epochs"] = SETTINGS.epochs
    torch.save(state, checkpoint)
    learner = trainer()
    fit(learner, data, tmp_path, lambda _: None)
    assert learner.finished == SETTINGS.epochs


def test_other_cases_do_not_go_on_from_a_checkpoint(tmp_path: Path, data: TrainingData) -> None:
    settings = replace(SETTINGS, epochs=1)
    fit(trainer(settings), replace(data, sha256="these"), tmp_path, lambda _: None)
    with pytest.raises(TrainingError, match="made with other cases"):
        fit(trainer(settings), replace(data, sha256="those"), tmp_path, lambda _: None)


def test_gradients_of_two_batches_make_one_step_of_their_mean(data: TrainingData) -> None:
    one, two = trainer(replace(SETTINGS, accumulate=2)), trainer()
    image, labels = next(one._prepare(data, [[(0, 0), (0, 1)]], torch.Generator().manual_seed(0)))
    for _ in range(2):
        one._learn(image, labels, 0.5)
    two._learn(image, labels, 1.0)
    for ours, theirs in zip(one.network.parameters(), two.network.parameters(), strict=True):
        # the second pass sees the same batch and the same weights: the mean of two equal gradients
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-6)


def test_accumulating_takes_as_many_steps_as_there_are_groups_of_batches(data: TrainingData) -> None:
    # 6 real slices and 3 extra ones in batches of 2: 4 batches and a leftover, in groups of 3
    learner = trainer(replace(SETTINGS, batch=2, accumulate=3))
    learner.train_epoch(data)
    steps = {int(state["step"]) for state in learner.optimiser.state.values()}
    assert steps == {2}


def test_what_a_kill_left_half_written_is_cleared_away(tmp_path: Path, data: TrainingData) -> None:
    (tmp_path / ".abcdcheckpoint.pt").write_bytes(b"half")
    fit(trainer(replace(SETTINGS, epochs=1)), data, tmp_path, lambda _: None)
    assert not list(tmp_path.glob(".*"))


def test_mixed_precision_learns_about_the_same(data: TrainingData) -> None:
    losses = [trainer(replace(SETTINGS, precision=p)).train_epoch(data) for p in ("fp32", "bf16", "auto")]
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    assert losses[1] != losses[0]
    assert losses[2] == losses[1 if multiplies_bf16_fast("cpu") else 0]


def test_an_unknown_precision_and_too_few_slices_are_refused(data: TrainingData) -> None:
    with pytest.raises(TrainingError, match="no precision 'fp8'"):
        trainer(replace(SETTINGS, precision="fp8"))
    with pytest.raises(TrainingError, match="fewer slices than half a batch of 40"):
        trainer(replace(SETTINGS, batch=40)).train_epoch(data)


def test_the_published_loss_trains_too(data: TrainingData) -> None:
    settings = replace(SETTINGS, loss="published", loss_options={"gamma": 0.75}, learning_rate=1e-2)
    learner = trainer(settings)
    first, *_, last = (learner.train_epoch(data) for _ in range(4))
    assert last < first


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


def test_a_localiser_has_one_class_for_all_of_the_left_ventricle_but_is_shown_magnitude_images_of_its_parts() -> None:
    spec = toy_spec(Task.LOCALISE)
    stacks = make_stacks([toy_case(f"Case_{i}", scar=True) for i in range(2)], spec)
    assert set(stacks[0].labels.unique().tolist()) >= {Label.BLOOD_POOL, Label.MYOCARDIUM, Label.SCAR}
    data = TrainingData(train=stacks, extra=[], held_out=stacks)
    signed, magnitude = (Trainer(spec, Augmentation(window=48, magnitude=share), SETTINGS) for share in (0.0, 1.0))
    assert signed.train_epoch(data) != magnitude.train_epoch(data)
    heart = torch.stack([stack.labels > Label.BACKGROUND for stack in stacks])
    with torch.no_grad():  # a network that calls every pixel left ventricle
        dict(signed.average.named_parameters())["head.bias"].copy_(torch.tensor([-1e4, 1e4]))
    share = heart.float().mean().item()
    assert signed.validate(stacks) == pytest.approx([2 * share / (1 + share)])
