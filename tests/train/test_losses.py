import pytest
import torch

from scarnet_cli.model.spec import Task
from scarnet_cli.train.losses import LOSS_TERMS, LossTerm, region_loss


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
    loss = region_loss(logits, labels, [LossTerm((3,), 1.0)]).item()
    assert loss - cross_entropy == pytest.approx(1 - 9 / 13, abs=1e-5)
