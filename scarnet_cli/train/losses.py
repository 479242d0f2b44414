"""Segmentation losses: on scored regions, as ScarNet was published, on whole studies, and on cine without scar."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from scarnet_cli.errors import TrainingError
from scarnet_cli.image.labels import REGIONS, Label
from scarnet_cli.model.spec import Task

Loss = Callable[[Tensor, Tensor], Tensor]

_SMOOTH: Final = 1.0


@dataclass(frozen=True, slots=True)
class LossTerm:
    """One region's part in the Dice loss: its name, its classes and its weight."""

    region: str
    classes: tuple[int, ...]
    weight: float


# Regions are nested as the challenge scores them: scar labelled MVO costs little, scar labelled healthy costs much.
LOSS_TERMS: Final[dict[Task, tuple[LossTerm, ...]]] = {
    Task.SEGMENT: (
        LossTerm("blood_pool", REGIONS["blood_pool"], 0.5),
        LossTerm("myocardium", REGIONS["myocardium"], 1.0),
        LossTerm("scar", REGIONS["scar"], 1.5),
        LossTerm("mvo", REGIONS["mvo"], 0.3),
    ),
    Task.LOCALISE: (LossTerm("left_ventricle", (1,), 1.0),),
}


def loss_with_paths(outputs: Sequence[Tensor], path_weight: float, loss_of: Callable[[Tensor], Tensor]) -> Tensor:
    """Return the loss of a network's result plus, if it has paths, their weighted losses.

    Args:
        outputs: Logits of the result, then of the paths if any, each (B, classes, Y, X).
        path_weight: Weight of each path's loss.
        loss_of: Function from logits in single precision to a loss.
    """
    result, *paths = outputs
    loss = loss_of(result.float())
    for path in paths if path_weight else ():
        loss = loss + path_weight * loss_of(path.float())
    return loss


@dataclass(frozen=True, slots=True)
class PublishedLoss:
    """ScarNet's loss (Tavakoli 2025, doi:10.1016/j.jocmr.2025.101945), with the published values as defaults.

    The paper has four classes; our fifth, microvascular obstruction, has the weight of scar.

    Attributes:
        tversky: Weight of the focal Tversky term (Abraham 2019, doi:10.1109/ISBI.2019.8759329).
        dice: Weight of the Dice term.
        cross_entropy: Weight of the class-weighted cross entropy.
        alpha: Cost of a missed pixel in the Tversky index.
        beta: Cost of an invented pixel in the Tversky index.
        gamma: Exponent of the Tversky term: above 1, hard classes count more.
        scar_factor: Factor of the Tversky term in slices that have scar.
        class_weights: Weights of the classes in the cross entropy.
    """

    tversky: float = 0.5
    dice: float = 0.4
    cross_entropy: float = 0.1
    alpha: float = 0.7
    beta: float = 0.3
    gamma: float = 1.0
    scar_factor: float = 1.5
    class_weights: tuple[float, ...] = (0.1, 0.3, 0.3, 0.3, 0.3)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of a batch.

        Tversky index and Dice are computed for each slice and class except the background; a class that is neither in a
        slice nor predicted there costs next to nothing (`_SMOOTH`).

        Args:
            logits: (B, classes, Y, X).
            target: (B, Y, X) classes.
        """
        probability = torch.softmax(logits, dim=1)
        true = functional.one_hot(target, logits.shape[1]).movedim(-1, 1).to(probability)
        found = (probability * true).sum(dim=(2, 3))[:, 1:]
        missed = true.sum(dim=(2, 3))[:, 1:] - found
        invented = probability.sum(dim=(2, 3))[:, 1:] - found
        index = (found + _SMOOTH) / (found + self.alpha * missed + self.beta * invented + _SMOOTH)
        dice = (2 * found + _SMOOTH) / (2 * found + missed + invented + _SMOOTH)
        has_scar = (target >= Label.SCAR).any(dim=2).any(dim=1)
        factor = torch.where(has_scar, self.scar_factor, 1.0)
        tversky_loss = (factor * ((1 - index) ** self.gamma).mean(dim=1)).mean()
        weights = torch.tensor(self.class_weights, device=logits.device)
        entropy = functional.cross_entropy(logits, target, weights)
        return self.tversky * tversky_loss + self.dice * (1 - dice).mean() + self.cross_entropy * entropy


def region_loss(logits: Tensor, target: Tensor, terms: Sequence[LossTerm]) -> Tensor:
    """Return cross entropy plus weighted Dice losses over the batch.

    Dice is computed over the whole batch, not slice by slice, so that slices without scar count: scar invented there
    lowers the common quotient (Dice loss: Milletari 2016, doi:10.1109/3DV.2016.79).

    Args:
        logits: (B, classes, Y, X).
        target: (B, Y, X) classes.
        terms: Regions and their weights.
    """
    # One product for all regions takes half to two thirds of the time of selecting each region's classes.
    belongs, weights = term_tensors(tuple(terms), logits.shape[1], logits.device)
    predicted = torch.einsum("tc,bcyx->tbyx", belongs, torch.softmax(logits, dim=1))
    true = belongs[:, target]
    dice = _soft_dice(predicted, true, (1, 2, 3), _SMOOTH)
    return functional.cross_entropy(logits, target) + (weights * (1 - dice)).sum()


def _soft_dice(probability: Tensor, true: Tensor, dims: tuple[int, ...], smooth: float) -> Tensor:
    """Return the Dice of a probability with a mask over these axes; `smooth` pixels are added to both sides of it."""
    overlap = 2 * (probability * true).sum(dim=dims) + smooth
    return overlap / (probability.sum(dim=dims) + true.sum(dim=dims) + smooth)


@cache
def term_tensors(terms: tuple[LossTerm, ...], classes: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return a (terms, classes) matrix, 1 if a class belongs to a term, and the (terms,) weights; cached by device."""
    belongs = [[float(c in term.classes) for c in range(classes)] for term in terms]
    return torch.tensor(belongs, device=device), torch.tensor([term.weight for term in terms], device=device)


def build_loss(name: str, task: Task, options: Mapping[str, float | list[float]]) -> Loss:
    """Return the loss of a training.

    Args:
        name: "region" (see `region_loss`) or "published" (see `PublishedLoss`).
        task: Task of the network; the published loss is for SEGMENT only.
        options: Fields of `PublishedLoss` that differ from their defaults; the region loss has none.

    Raises:
        TrainingError: There is no such loss for this task, or it has no such option.
    """
    if name == "region" and not options:
        return partial(region_loss, terms=LOSS_TERMS[task])
    if name == "published" and task is Task.SEGMENT and options.keys() <= PublishedLoss.__dataclass_fields__.keys():
        return PublishedLoss(**options)  # type: ignore[arg-type]  # checked by name, used as numbers
    known = f"'region' without options, or for '{Task.SEGMENT}' 'published' with {', '.join(PublishedLoss.__slots__)}"
    message = f"There is no loss '{name}' with the options {sorted(options)} for '{task}'; known: {known}."
    raise TrainingError("unknown_loss", message)


# Pixels (1 mm2) added to numerator and denominator: less scar than this in a whole study hardly matters.
_STUDY_SMOOTH: Final = 30.0


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
    dice = _soft_dice(found, true, (2, 3, 4), _STUDY_SMOOTH)
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
    dice = _soft_dice(outer, true, (0, 2, 3), _SMOOTH)
    return entropy + 0.5 * (1 - dice[Label.BLOOD_POOL]) + (1 - dice[Label.MYOCARDIUM])
