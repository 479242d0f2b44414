"""Segmentation losses on the scored regions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from scarnet_cli.image.labels import REGIONS
from scarnet_cli.model.spec import Task

_SMOOTH: Final = 1.0


@dataclass(frozen=True, slots=True)
class LossTerm:
    """One region's part in the Dice loss: the classes that it joins and its weight."""

    classes: tuple[int, ...]
    weight: float


# Regions are nested as the challenge scores them, so that a scar called MVO costs little and a healthy one much.
LOSS_TERMS: Final[dict[Task, tuple[LossTerm, ...]]] = {
    Task.SEGMENT: (
        LossTerm(REGIONS["blood_pool"], 0.5),
        LossTerm(REGIONS["myocardium"], 1.0),
        LossTerm(REGIONS["scar"], 1.5),
        LossTerm(REGIONS["mvo"], 0.3),
    ),
    Task.LOCALISE: (LossTerm((1,), 1.0),),
}


def region_loss(logits: Tensor, target: Tensor, terms: Sequence[LossTerm]) -> Tensor:
    """Return cross entropy plus weighted Dice losses over the batch.

    Dice is summed over the whole batch, not slice by slice, so that slices without scar count: what is invented there
    lowers the one quotient (Dice loss: Milletari 2016, doi:10.1109/3DV.2016.79).

    Args:
        logits: (B, classes, Y, X).
        target: (B, Y, X) classes.
        terms: Regions and their weights.
    """
    probability = torch.softmax(logits, dim=1)
    loss = functional.cross_entropy(logits, target)
    for term in terms:
        predicted = probability[:, list(term.classes)].sum(dim=1)
        true = torch.isin(target, torch.tensor(term.classes, device=target.device)).float()
        overlap = 2 * (predicted * true).sum() + _SMOOTH
        loss = loss + term.weight * (1 - overlap / (predicted.sum() + true.sum() + _SMOOTH))
    return loss
