"""Training a network on single slices with their neighbours, with all data on one device."""

from dataclasses import dataclass, field
from functools import partial
from typing import Final

import torch
from torch import Tensor, nn

from scarnet_cli.image.labels import Label
from scarnet_cli.model.spec import Task
from scarnet_cli.train.gradients import Gradients
from scarnet_cli.train.hearts import Hearts
from scarnet_cli.train.losses import LOSS_TERMS, anatomy_loss, loss_with_paths, region_loss
from scarnet_cli.train.optimising import Learner, LearningSettings, Pace
from scarnet_cli.train.variation import Variation, vary

# Cine slices take part in every second step, and their loss has this weight.
_CINE_EVERY: Final = 2
_CINE_WEIGHT: Final = 0.3


@dataclass(frozen=True, slots=True)
class SliceSettings:
    """Settings of a slice network's training.

    Attributes:
        batch: Slices per step.
        cine_batch: Additional cine slices per step.
        cine_until: First part of the training, 0 to 1, in which cine takes part: batch norms must end on LGE.
        path_weight: Weight of the loss of each path, added to that of the fused result, if the network has paths.
        recorded: Whether a GPU records its work (see gradients.py).
        lone: Probability that copies of a slice are shown in place of its neighbours.
        seed: Seed of order and augmentation.
        learning: Settings of the optimiser.
        variation: Augmentation of the slices.
    """

    batch: int = 32
    cine_batch: int = 8
    cine_until: float = 0.6
    path_weight: float = 0.5
    recorded: bool = True
    lone: float = 0.1
    seed: int = 0
    learning: LearningSettings = field(default_factory=LearningSettings)
    variation: Variation = field(default_factory=Variation)


def train_slices(
    network: nn.Module, hearts: Hearts, cine: Hearts | None, settings: SliceSettings, pace: Pace
) -> nn.Module:
    """Train a network that sees a slice and its two neighbours, and return the running average of its weights.

    Raises:
        TrainingError: The loss is no longer finite.
    """
    device = hearts.image.device
    generator = torch.Generator(device).manual_seed(settings.seed)
    learner = Learner(network, settings.learning, pace)
    lge = Gradients(network, partial(_lge_loss, network, settings.path_weight), recorded=settings.recorded)
    outlines = Gradients(network, partial(_cine_loss, network), recorded=settings.recorded, adds=True)
    picks = slice_picks(hearts)
    cine_picks = slice_picks(cine) if cine is not None and settings.cine_batch else None

    def add_gradients() -> Tensor:
        loss = lge.of(*_draw(hearts, picks, settings.batch, settings, generator))
        with_cine = learner.steps % _CINE_EVERY == 0 and learner.progress < settings.cine_until
        if with_cine and cine is not None and cine_picks is not None:
            outlines.of(*_draw(cine, cine_picks, settings.cine_batch, settings, generator))
        return loss

    return learner.learn(add_gradients)


def slice_picks(hearts: Hearts) -> Tensor:
    """Return an (n, 2) tensor with the heart and the slice number of every slice."""
    pairs = [(row, z) for row, number in enumerate(hearts.slices.tolist()) for z in range(number)]
    return torch.tensor(pairs, device=hearts.image.device)


def _lge_loss(network: nn.Module, path_weight: float, seen: Tensor, target: Tensor) -> Tensor:
    terms = LOSS_TERMS[Task.SEGMENT]
    return loss_with_paths(_forward(network, seen), path_weight, lambda logits: region_loss(logits, target, terms))


def _cine_loss(network: nn.Module, seen: Tensor, target: Tensor) -> Tensor:
    # Invented scars count as myocardium, since cine teaches only the outlines.
    target = target.clamp(max=int(Label.MYOCARDIUM))
    losses = [anatomy_loss(one.float(), target) for one in _forward(network, seen)]
    return _CINE_WEIGHT * torch.stack(losses).sum()


def _forward(network: nn.Module, seen: Tensor) -> tuple[Tensor, ...]:
    """Return the logits of the result and, if the network gives them, of each path."""
    with torch.autocast(seen.device.type, torch.bfloat16, enabled=seen.device.type == "cuda"):
        outputs = network(seen.contiguous(memory_format=torch.channels_last))
    return outputs if isinstance(outputs, tuple) else (outputs,)


def _draw(
    hearts: Hearts, picks: Tensor, number: int, settings: SliceSettings, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return augmented slices with their neighbours, (B, 3, Y, X), and the classes of the slices, (B, Y, X)."""
    device = picks.device
    rows, middle = picks[torch.randint(len(picks), (number,), generator=generator, device=device)].T
    lone = torch.rand(number, generator=generator, device=device) < settings.lone
    step = torch.where(lone, 0, 1)
    last = hearts.slices[rows] - 1
    around = torch.stack([(middle - step).clamp(min=0), middle, torch.minimum(middle + step, last)], dim=1)
    image, labels, depth = (part[rows[:, None], around] for part in (hearts.image, hearts.labels, hearts.depth))
    batch = vary(image, labels, depth, None, settings.variation, generator)
    return batch.image, batch.labels[:, 1]
