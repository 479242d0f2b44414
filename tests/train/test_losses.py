import pytest
import torch

from scarnet_cli.errors import TrainingError
from scarnet_cli.model.spec import Task
from scarnet_cli.train.losses import LOSS_TERMS, LossTerm, PublishedLoss, build_loss, region_loss


def logits_of(labels: torch.Tensor, sure: float) -> torch.Tensor:
    return torch.nn.functional.one_hot(labels, 5).permute(0, 3, 1, 2).float() * sure


def test_a_perfect_and_sure_answer_costs_nothing() -> None:
    labels = torch.arange(5).repeat(2, 5, 1)
    assert region_loss(logits_of(labels, 50.0), labels, LOSS_TERMS[Task.SEGMENT]).item() == pytest.approx(0, abs=1e-5)


def test_calling_scar_mvo_costs_less_than_calling_it_myocardium() -> None:
    labels = torch.full((1, 8, 8), 3)
    as_mvo, as_myocardium = (
        region_loss(logits_of(torch.full((1, 8, 8), wrong), 5.0), labels, LOSS_TERMS[Task.SEGMENT]) for wrong in (4, 2)
    )
    assert as_mvo < as_myocardium


def test_dice_is_summed_over_the_batch() -> None:
    # slice 1: 4 of 4 scar pixels found; slice 2: 4 invented -> Dice (2*4+1)/(8+4+1)
    labels = torch.zeros(2, 2, 2, dtype=torch.long)
    labels[0] = 3
    predicted = torch.full((2, 2, 2), 3)
    logits = logits_of(predicted, 100.0)
    cross_entropy = torch.nn.functional.cross_entropy(logits, labels).item()
    loss = region_loss(logits, labels, [LossTerm("infarct", (3,), 1.0)]).item()
    assert loss - cross_entropy == pytest.approx(1 - 9 / 13, abs=1e-5)


def test_the_published_loss_of_a_perfect_and_sure_answer_is_nothing() -> None:
    labels = torch.arange(5).repeat(2, 5, 1)
    assert PublishedLoss()(logits_of(labels, 50.0), labels).item() == pytest.approx(0, abs=1e-5)


# One slice of 4 x 4: 8 pixels of myocardium, all called background. Of four classes one is wrong, hence a quarter of
# its loss. Tversky index (0 + 1) / (0 + 0.7 x 8 + 1), Dice (0 + 1) / (8 + 1).
TVERSKY, DICE = (1 - 1 / 6.6) / 4, (1 - 1 / 9) / 4


def missed_myocardium() -> tuple[torch.Tensor, torch.Tensor]:
    labels = torch.zeros(1, 4, 4, dtype=torch.long)
    labels[0, :2] = 2
    return logits_of(torch.zeros_like(labels), 100.0), labels


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (PublishedLoss(dice=0, cross_entropy=0), 0.5 * TVERSKY),
        (PublishedLoss(tversky=0, cross_entropy=0), 0.4 * DICE),
        (PublishedLoss(tversky=1, dice=0, cross_entropy=0, gamma=2), (1 - 1 / 6.6) ** 2 / 4),
        # each missed pixel costs 100 with weight 0.3, each right one 0 with weight 0.1; over the sum of weights
        (PublishedLoss(tversky=0, dice=0), 0.1 * (8 * 0.3 * 100) / (8 * 0.3 + 8 * 0.1)),
    ],
)
def test_each_term_of_the_published_loss_is_as_worked_out_by_hand(loss: PublishedLoss, expected: float) -> None:
    assert loss(*missed_myocardium()).item() == pytest.approx(expected, rel=1e-5)


def test_an_invented_pixel_costs_less_than_a_missed_one() -> None:
    logits, labels = missed_myocardium()
    invented = PublishedLoss(dice=0, cross_entropy=0)(logits_of(labels, 100.0), torch.zeros_like(labels)).item()
    assert invented == pytest.approx(0.5 * (1 - 1 / (0.3 * 8 + 1)) / 4, rel=1e-5)
    assert invented < PublishedLoss(dice=0, cross_entropy=0)(logits, labels).item()


@pytest.mark.parametrize("label", [3, 4])
def test_a_slice_with_scar_or_mvo_counts_one_and_a_half_times(label: int) -> None:
    labels = torch.zeros(2, 4, 4, dtype=torch.long)
    labels[0, :2] = label
    labels[1, :2] = 2
    loss = PublishedLoss(tversky=1, dice=0, cross_entropy=0)(logits_of(torch.zeros_like(labels), 100.0), labels)
    assert loss.item() == pytest.approx((1.5 * TVERSKY + TVERSKY) / 2, rel=1e-5)


def test_a_loss_is_chosen_by_name_with_its_options() -> None:
    logits, labels = missed_myocardium()
    assert build_loss("published", Task.SEGMENT, {"gamma": 2.0}) == PublishedLoss(gamma=2.0)
    region = build_loss("region", Task.LOCALISE, {})(logits[:, :2], labels.clamp(max=1))
    # a missed class: cross entropy 100 for half of the pixels, Dice loss 1 - 1 / (8 + 1)
    assert region.item() == pytest.approx(50 + 1 - 1 / 9, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "task", "options"),
    [("tversky", Task.SEGMENT, {}), ("published", Task.LOCALISE, {}), ("published", Task.SEGMENT, {"delta": 1.0})],
)
def test_an_unknown_loss_or_option_raises(name: str, task: Task, options: dict[str, float]) -> None:
    with pytest.raises(TrainingError, match=f"There is no loss '{name}'"):
        build_loss(name, task, options)
