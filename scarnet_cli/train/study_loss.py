"""Losses of whole studies, and of cine slices, in which scar is not visible."""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from scarnet_cli.image.labels import Label
from scarnet_cli.train.losses import LossTerm, term_tensors

# Pixels (1 mm2) added to numerator and denominator: less scar than this in a whole study hardly matters.
_SMOOTH: Final = 30.0
_BATCH_SMOOTH: Final = 1.0


def study_dice_loss(logits: Tensor, target: Tensor, terms: Sequence[LossTerm]) -> Tensor:
    """Return 1 - Dice, averaged over studies and summed over weighted regions: small scars count like large ones.

    Args:
        logits: (B, Z, classes, Y, X).
        target: (B, Z, Y, X) classes.
        terms: Regions and their weights.
    """
    belongs, weights = term_tensors(tuple(terms), logits.shape[2], logits.device)
    found = torch.einsum("tc,bzcyx->tbzyx", belongs, torch.softmax(logits, dim=2))
    true = belongs[:, target]
    overlap = 2 * (found * true).sum(dim=(2, 3, 4)) + _SMOOTH
    dice = overlap / (found.sum(dim=(2, 3, 4)) + true.sum(dim=(2, 3, 4)) + _SMOOTH)
    return (weights * (1 - dice).mean(dim=1)).sum()


def anatomy_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Return the loss of slices whose scar is not drawn: cross entropy and Dice loss of blood pool and myocardium.

    Args:
        logits: (B, classes, Y, X); myocardium, scar and MVO count as one.
        target: (B, Y, X) background, blood pool or myocardium.
    """
    probability = torch.softmax(logits, dim=1)
    wall = probability[:, Label.MYOCARDIUM :].sum(dim=1, keepdim=True)
    outer = torch.cat([probability[:, : Label.MYOCARDIUM], wall], dim=1)
    entropy = functional.nll_loss(torch.log(outer.clamp(min=1e-6)), target)
    true = (target[:, None] == torch.arange(outer.shape[1], device=target.device)[:, None, None]).float()
    overlap = 2 * (outer * true).sum(dim=(0, 2, 3)) + _BATCH_SMOOTH
    dice = overlap / (outer.sum(dim=(0, 2, 3)) + true.sum(dim=(0, 2, 3)) + _BATCH_SMOOTH)
    return entropy + 0.5 * (1 - dice[Label.BLOOD_POOL]) + (1 - dice[Label.MYOCARDIUM])
