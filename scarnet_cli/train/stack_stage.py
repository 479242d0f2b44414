"""Training the stack network on the slice networks' out-of-fold probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import torch
from torch import Tensor, nn

from scarnet_cli.image.intensity import middle_of
from scarnet_cli.image.labels import Label
from scarnet_cli.infer.network import neighbour_channels
from scarnet_cli.infer.views import View, mean_over_views
from scarnet_cli.model.spec import Task
from scarnet_cli.model.stack_net import stack_input
from scarnet_cli.train.gradients import Gradients
from scarnet_cli.train.hearts import Hearts
from scarnet_cli.train.invented_scar import Scars
from scarnet_cli.train.losses import LOSS_TERMS, region_loss, study_dice_loss
from scarnet_cli.train.optimising import Learner, LearningSettings, Pace
from scarnet_cli.train.variation import Variation, vary

_BYTE: Final = 255.0
# The slice network already finds most MVO, so here it can count more.
STACK_TERMS: Final = tuple(
    replace(term, weight=0.6) if term.region == "mvo" else term for term in LOSS_TERMS[Task.SEGMENT]
)


@dataclass(frozen=True, slots=True)
class StackSettings:
    """Settings of a stack network's training.

    Attributes:
        batch: Stacks per step.
        study_weight: Weight of the Dice loss of single studies, added to the loss over the batch.
        recorded: Whether a GPU records its work (see gradients.py).
        forget: Probability that a slice loses part of its scar's probability, to be restored from its neighbours.
        reverse: Probability that the order of a stack's slices is reversed.
        seed: Seed of order and augmentation.
        learning: Settings of the optimiser.
        variation: Augmentation of the stacks.
    """

    batch: int = 8
    study_weight: float = 1.0
    recorded: bool = True
    forget: float = 0.15
    reverse: float = 0.5
    seed: int = 0
    learning: LearningSettings = field(default_factory=lambda: LearningSettings(learning_rate=2e-3, weight_decay=2e-2))
    variation: Variation = field(default_factory=lambda: Variation(scars=Scars(probability=0.0)))


@torch.inference_mode()
def window_probabilities(
    network: nn.Module, hearts: Hearts, row: int, views: Sequence[View], middle: slice, normalised_by: int
) -> Tensor:
    """Return (Z, classes, y, x) probabilities of one heart's `middle`, as `infer.segment` computes them for a crop.

    Args:
        network: Slice network on the hearts' device.
        hearts: Hearts to choose from.
        row: Number of the heart.
        views: Views to average.
        middle: Rows and columns to use.
        normalised_by: Rows and columns in their middle by which slices are normalised.
    """
    number = int(hearts.slices[row])
    picture = hearts.image[row, :number, middle, middle].float().cpu().numpy() / _BYTE
    device = hearts.image.device
    seen = torch.from_numpy(neighbour_channels(picture, 1, normalised_by)).to(device)
    with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
        return mean_over_views(network, seen, views)


def padded_maps(probability: Tensor, slices: int, size: int) -> Tensor:
    """Return a window's (Z, classes, y, x) probabilities padded to (slices, classes, size, size) with background."""
    maps = torch.zeros((slices, probability.shape[1], size, size), dtype=torch.float16)
    maps[:, Label.BACKGROUND] = 1.0
    middle = middle_of(size, probability.shape[-1])
    maps[: len(probability), :, middle, middle] = probability.cpu().half()
    return maps


def train_stacks(network: nn.Module, hearts: Hearts, maps: Tensor, settings: StackSettings, pace: Pace) -> nn.Module:
    """Train a stack network and return the running average of its weights.

    Args:
        network: Network on the hearts' device.
        hearts: Hearts to train on.
        maps: (N, V, Z, classes, S, S) float16 probabilities from slice networks not trained on the heart, for V pairs
            of views, on the hearts' device.
        settings: Settings of the training.
        pace: Length of the training.

    Raises:
        TrainingError: The loss is no longer finite.
    """
    device = hearts.image.device
    generator = torch.Generator(device).manual_seed(settings.seed)
    learner = Learner(network, settings.learning, pace)
    gradients = Gradients(network, partial(_loss, network, settings.study_weight), recorded=settings.recorded)
    return learner.learn(lambda: gradients.of(*_draw(hearts, maps, settings, generator)))


def _draw(
    hearts: Hearts, maps: Tensor, settings: StackSettings, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the network's three inputs for a batch of augmented stacks, and their (B, Z, Y, X) classes."""
    device = hearts.image.device
    number, deep = settings.batch, hearts.image.shape[1]
    rows = torch.randint(len(hearts.slices), (number,), generator=generator, device=device)
    ways = torch.randint(maps.shape[1], (number,), generator=generator, device=device)
    order = _order(hearts.slices[rows], deep, settings.reverse, generator)
    image, labels, depth = (part[rows[:, None], order] for part in (hearts.image, hearts.labels, hearts.depth))
    batch = vary(image, labels, depth, maps[rows[:, None], ways[:, None], order], settings.variation, generator)
    present = (torch.arange(deep, device=device) < hearts.slices[rows, None]).float()
    probability = _forget(batch.maps, settings.forget, generator)
    classes = torch.where(present.bool()[:, :, None, None], batch.labels, int(Label.BACKGROUND))
    return stack_input(batch.image, batch.signal, present), probability, present, classes


def _loss(
    network: nn.Module, study_weight: float, image: Tensor, probability: Tensor, present: Tensor, target: Tensor
) -> Tensor:
    with torch.autocast(image.device.type, torch.bfloat16, enabled=image.is_cuda):
        logits = network(image, probability, present)
    logits = logits.float()
    loss = region_loss(logits.flatten(0, 1), target.flatten(0, 1), STACK_TERMS)
    return loss + study_weight * study_dice_loss(logits, target, STACK_TERMS)


def _order(slices: Tensor, deep: int, reverse: float, generator: torch.Generator) -> Tensor:
    """Return (B, Z) slice numbers in the order to show; some stacks are reversed, and padding stays at the end."""
    along = torch.arange(deep, device=slices.device).expand(len(slices), deep)
    turned = torch.rand((len(slices), 1), generator=generator, device=slices.device) < reverse
    return torch.where(turned & (along < slices[:, None]), slices[:, None] - 1 - along, along)


def _forget(probability: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Return (B, Z, K, Y, X) probabilities with part of the scar's moved to the myocardium in some slices."""
    stacks, slices = probability.shape[:2]
    draw = torch.rand((2, stacks, slices, 1, 1, 1), generator=generator, device=probability.device)
    kept = torch.where(draw[0] < share, 0.7 * draw[1], 1.0)
    scar = probability[:, :, Label.SCAR :]
    myocardium = probability[:, :, Label.MYOCARDIUM : Label.SCAR] + ((1 - kept) * scar).sum(dim=2, keepdim=True)
    return torch.cat([probability[:, :, : Label.MYOCARDIUM], myocardium, kept * scar], dim=2)
