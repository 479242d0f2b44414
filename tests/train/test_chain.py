from pathlib import Path

import pytest
import torch
from hearts import toy_case
from torch import nn

from scarnet_cli.errors import TrainingError
from scarnet_cli.model.registry import build_model
from scarnet_cli.model.spec import NetworkSpec, Task
from scarnet_cli.model.stack_net import StackedScarNet
from scarnet_cli.model.weights import load_weights
from scarnet_cli.train.chain import ChainSettings, Material, read_probabilities, train_chain
from scarnet_cli.train.gradients import Gradients
from scarnet_cli.train.hearts import make_hearts
from scarnet_cli.train.losses import LossTerm, anatomy_loss, study_dice_loss
from scarnet_cli.train.optimising import Learner, LearningSettings, Pace, require_finite
from scarnet_cli.train.slice_stage import SliceSettings
from scarnet_cli.train.stack_stage import StackSettings
from scarnet_cli.train.variation import Variation

OPTIONS = {"encoder": "tiny_vit", "encoder_scale": 0.25, "features": 4, "levels": 3, "neighbours": True}
SPEC = NetworkSpec("toy", Task.SEGMENT, "scarnet", 5, 2.0, context=1, crop=64, options=OPTIONS, zoom=0.8)
SETTINGS = ChainSettings(
    SliceSettings(batch=2, cine_batch=2, variation=Variation(window=32)),
    StackSettings(batch=1, variation=Variation(window=32)),
    Pace(steps=2),
    Pace(steps=1),
)


@pytest.fixture(scope="module")
def material() -> Material:
    hearts = make_hearts([toy_case(f"Case_{i}", scar=i % 2 == 0) for i in range(4)], SPEC)
    cine = make_hearts([toy_case("cine", scar=False)], SPEC, shows_scar=False)
    return Material(hearts, cine, [["Case_0", "Case_1"], ["Case_2", "Case_3"]])


@pytest.fixture(scope="module")
def start() -> nn.Module:
    torch.manual_seed(0)
    return build_model(SPEC)


def test_every_member_becomes_one_file_and_folds_label_what_they_did_not_see(
    material: Material, start: nn.Module, tmp_path: Path
) -> None:
    train_chain(material, start, SPEC, SETTINGS, tmp_path, material.members)
    for member in ("0", "1", "all"):
        trained = load_weights(tmp_path / f"fold_{member}" / "weights.safetensors")
        assert isinstance(trained.network, StackedScarNet)
        assert trained.spec.architecture == "scarnet_stack"
    assert set(read_probabilities([tmp_path / "probabilities_0.npz"])) == {"Case_0", "Case_1"}
    # Started again nothing is trained again.
    before = (tmp_path / "fold_0" / "weights.safetensors").stat().st_mtime_ns
    train_chain(material, start, SPEC, SETTINGS, tmp_path, material.members)
    assert (tmp_path / "fold_0" / "weights.safetensors").stat().st_mtime_ns == before


def test_a_stack_network_without_the_folds_probabilities_is_refused(
    material: Material, start: nn.Module, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match=r"no probabilities_1; train the slice networks of those folds first"):
        train_chain(material, start, SPEC, SETTINGS, tmp_path, ["0"])


def test_gradients_replace_or_add() -> None:
    network = nn.Linear(2, 1, bias=False)
    nn.init.ones_(network.weight)
    first = Gradients(network, lambda x: network(x).sum(), recorded=True)
    second = Gradients(network, lambda x: network(x).sum(), recorded=True, adds=True)
    assert float(first.of(torch.tensor([[1.0, 2.0]]))) == 3.0
    second.of(torch.tensor([[10.0, 20.0]]))
    assert network.weight.grad is not None
    assert network.weight.grad.tolist() == [[11.0, 22.0]]
    first.of(torch.tensor([[1.0, 2.0]]))
    assert network.weight.grad.tolist() == [[1.0, 2.0]]


def test_a_learner_ends_after_its_steps_and_keeps_an_average() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.ones_(network.weight)
    learner = Learner(network, LearningSettings(learning_rate=0.1, weight_decay=0.0), Pace(steps=5))
    while learner.progress < 1:
        network.zero_grad()
        network(torch.ones(1, 1)).sum().backward()
        learner.step()
    assert learner.steps == 5
    assert float(network.weight.detach()) < float(learner.average.state_dict()["weight"]) < 1.0


def test_a_loss_that_is_no_number_stops_the_training() -> None:
    with pytest.raises(TrainingError, match="nan after 7 steps; lower the learning rate"):
        require_finite(torch.tensor(float("nan")), 7)


def test_a_small_study_counts_as_much_as_a_large_one() -> None:
    target = torch.zeros(2, 1, 64, 64, dtype=torch.long)
    target[0, :, :60] = 3
    target[1, :, :10] = 3
    logits = 20.0 * torch.nn.functional.one_hot(target, 5).movedim(-1, 2).float()
    scar = (LossTerm("scar", (3, 4), 1.0),)
    assert float(study_dice_loss(logits, target, scar)) == pytest.approx(0.0, abs=1e-3)
    missed = logits.clone()
    missed[1, :, 3] = 0.0
    missed[1, :, 2, :10] = 20.0
    # The second study's Dice falls to about 30 / (640 + 30); the mean of both losses is half of what is lost.
    assert float(study_dice_loss(missed, target, scar)) == pytest.approx((1 - 30 / 670) / 2, abs=1e-3)


def test_outlines_are_learnt_without_telling_scar_from_myocardium() -> None:
    target = torch.zeros(1, 8, 8, dtype=torch.long)
    target[:, :4] = 2
    logits = 20.0 * torch.nn.functional.one_hot(target, 5).movedim(-1, 1).float()
    as_scar = logits.clone()
    as_scar[:, 3], as_scar[:, 2] = logits[:, 2], logits[:, 3]
    assert float(anatomy_loss(as_scar, target)) == pytest.approx(float(anatomy_loss(logits, target)), abs=1e-5)
