"""The training loop: one network, one split, resumable after any epoch with the result of an uninterrupted run."""

import copy
import csv
import logging
import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from scarnet_cli.errors import TrainingError
from scarnet_cli.files import atomic_path, write_json
from scarnet_cli.model.encoders import ENCODERS
from scarnet_cli.model.registry import build_model
from scarnet_cli.model.spec import NetworkSpec
from scarnet_cli.model.take_over import take_over
from scarnet_cli.model.weights import TrainedNetwork, save_weights
from scarnet_cli.train.augment import Augmentation, augment, centre_window
from scarnet_cli.train.losses import LOSS_TERMS, region_loss
from scarnet_cli.train.stacks import Stack, slice_index, with_context

log = logging.getLogger(__name__)

CHECKPOINT: Final = "checkpoint.pt"
WEIGHTS: Final = "weights.safetensors"
_WARM_UP: Final = 0.05


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How long and how hard to train.

    Attributes:
        epochs: Passes over the real slices.
        batch: Slices a step.
        learning_rate: Peak; it warms up over 5 % of the steps and falls along a cosine to zero.
        weight_decay: Of AdamW.
        ema: Decay of the running average of weights, which is what is kept.
        extra_fraction: Slices of the extra stacks (phantoms) drawn an epoch, as a fraction of the real ones.
        validate_every: Epochs between validations.
        encoder_rate: Learning rate of a pretrained encoder as a fraction of the rest's.
        path_weight: Weight of the loss of each path of a network that has several, beside that of its fused result.
        seed: Of weights, order and augmentation.
    """

    epochs: int = 60
    batch: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 1e-3
    ema: float = 0.99
    extra_fraction: float = 0.15
    validate_every: int = 5
    encoder_rate: float = 1.0
    path_weight: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Stacks to train on, extra (made) ones to mix in, and held-out ones to watch."""

    train: Sequence[Stack]
    extra: Sequence[Stack]
    held_out: Sequence[Stack]


@dataclass(frozen=True, slots=True)
class EpochReport:
    """What one epoch came to; `dice` is empty where the epoch was not validated."""

    epoch: int
    loss: float
    dice: tuple[float, ...]


class Trainer:
    """State of one training: network, its average, optimiser and the number of finished epochs."""

    def __init__(self, spec: NetworkSpec, how: Augmentation, settings: TrainingSettings, device: str) -> None:
        """Create the network from the seed."""
        torch.manual_seed(settings.seed)
        self.spec, self.how, self.settings, self.device = spec, how, settings, device
        self.network = build_model(spec).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.network).eval()
        self.optimiser = torch.optim.AdamW(
            parameter_groups(self.network, settings), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.finished = 0

    def start_from(self, trained: TrainedNetwork) -> None:
        """Take over the tensors of weights: of a pretrained encoder, of an earlier round, of one path alone.

        Raises:
            ModelError: The weights fit neither this network nor a path of it.
        """
        for network in (self.network, self.average):
            take_over(network, trained)

    def train_epoch(self, data: TrainingData) -> float:
        """Train one epoch and return its mean loss."""
        generator = torch.Generator().manual_seed(_epoch_seed(self.settings.seed, self.finished))
        batches = list(_draw_batches(data, self.settings, generator))
        total = 0.0
        self.network.train()
        for number, (stacks, picks) in enumerate(batches):
            image, labels = collate(stacks, picks, self.spec.context)
            image, labels = augment(image, labels, self.how, generator)
            self._set_learning_rate((self.finished + number / len(batches)) / self.settings.epochs)
            total += self._step(image, labels)
        self.finished += 1
        return total / len(batches)

    def _step(self, image: Tensor, labels: Tensor) -> float:
        with torch.autocast("cuda", torch.bfloat16, enabled=self.device == "cuda"):
            outputs = self.network(image.to(self.device, memory_format=torch.channels_last))
        loss = self._loss(outputs, labels.to(self.device))
        if not torch.isfinite(loss):
            message = f"The loss is {loss.item()} in epoch {self.finished}; lower the learning rate."
            raise TrainingError("diverged", message)
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimiser.step()
        self._update_average()
        return loss.item()

    def _loss(self, outputs: Tensor | tuple[Tensor, ...], labels: Tensor) -> Tensor:
        """Return the loss of the result, and of each path beside it where the network gives them."""
        logits, *paths = (outputs,) if isinstance(outputs, Tensor) else outputs
        terms = LOSS_TERMS[self.spec.task]
        loss = region_loss(logits.float(), labels, terms)
        for path in paths if self.settings.path_weight else ():
            loss = loss + self.settings.path_weight * region_loss(path.float(), labels, terms)
        return loss

    @torch.no_grad()
    def _update_average(self) -> None:
        for mean, new in zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(new, 1 - self.settings.ema)
            else:
                mean.copy_(new)

    def _set_learning_rate(self, progress: float) -> None:
        rise = min(1.0, progress / _WARM_UP)
        fall = 0.5 * (1 + math.cos(math.pi * max(0.0, progress - _WARM_UP) / (1 - _WARM_UP)))
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.learning_rate * group["rate"] * rise * fall

    @torch.no_grad()
    def validate(self, stacks: Sequence[Stack]) -> tuple[float, ...]:
        """Return the Dice of each scored region over all slices together, of the averaged network, unaugmented."""
        terms = LOSS_TERMS[self.spec.task]
        overlap, sizes = torch.zeros(len(terms)), torch.zeros(len(terms))
        for picks in _chunks(slice_index(stacks), self.settings.batch):
            image, labels = centre_window(*collate(stacks, picks, self.spec.context), self.how.window)
            predicted = self.average(image.to(self.device)).argmax(dim=1).cpu()
            for number, term in enumerate(terms):
                classes = torch.tensor(term.classes)
                ours, true = torch.isin(predicted, classes), torch.isin(labels, classes)
                overlap[number] += (ours & true).sum()
                sizes[number] += ours.sum() + true.sum()
        return tuple((2 * overlap / sizes.clamp(min=1)).tolist())

    def save(self, path: Path) -> None:
        """Write a checkpoint atomically."""
        with atomic_path(path) as temporary:
            torch.save(self.state(), temporary)

    def state(self) -> dict[str, Any]:
        """Return all that `load` needs, with the settings that made it."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "finished": self.finished,
            "settings": asdict(self.settings),
            "augmentation": asdict(self.how),
            # Without the decision: it is chosen after training, and must not keep a finished one from being written.
            "spec": replace(self.spec, decision={}).to_json(),
        }

    def load(self, path: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            TrainingError: It was made with other settings.
        """
        state = torch.load(path, map_location=self.device, weights_only=True)
        # Rebuilt as records: a setting that is newer than the checkpoint counts as its default.
        compared = {
            "settings": (TrainingSettings(**state["settings"]), self.settings),
            "augmentation": (Augmentation(**state["augmentation"]), self.how),
            "spec": (NetworkSpec.from_json(state["spec"]), replace(self.spec, decision={})),
        }
        for key, (theirs, ours) in compared.items():
            if theirs != ours:
                message = f"{path.name} was made with other {key}; use the same, or another --out folder."
                raise TrainingError("other_settings", message)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.finished = state["finished"]


def parameter_groups(network: nn.Module, settings: TrainingSettings) -> list[dict[str, Any]]:
    """Return the optimiser's groups: the parameters, and apart those of a pretrained encoder, which learns slower."""
    encoders = [module for module in network.modules() if isinstance(module, ENCODERS)]
    pretrained = {id(p) for encoder in encoders for p in encoder.parameters()}
    groups = (
        {"params": [p for p in network.parameters() if (id(p) in pretrained) == inside], "rate": rate}
        for inside, rate in ((False, 1.0), (True, settings.encoder_rate))
    )
    return [group for group in groups if group["params"]]


def fit(trainer: Trainer, data: TrainingData, out: Path, report: Callable[[EpochReport], None]) -> Path:
    """Train to the end, or go on from `out`/checkpoint.pt, and return the path of the weights written.

    Args:
        trainer: A fresh trainer.
        data: What to train on and what to watch.
        out: Folder for checkpoint.pt (each epoch), log.csv, settings.json and weights.safetensors.
        report: Called after every epoch.
    """
    checkpoint = out / CHECKPOINT
    if checkpoint.exists():
        trainer.load(checkpoint)
        log.info("going on after epoch %d", trainer.finished)
    write_json(out / "settings.json", {k: v for k, v in trainer.state().items() if k in ("settings", "augmentation")})
    while trainer.finished < trainer.settings.epochs:
        loss = trainer.train_epoch(data)
        due = trainer.finished % trainer.settings.validate_every == 0 or trainer.finished == trainer.settings.epochs
        dice = trainer.validate(data.held_out) if due and data.held_out else ()
        trainer.save(checkpoint)
        entry = EpochReport(trainer.finished, loss, dice)
        _append_log(out / "log.csv", entry)
        report(entry)
    save_weights(out / WEIGHTS, trainer.average, trainer.spec)
    return out / WEIGHTS


def collate(stacks: Sequence[Stack], picks: Sequence[tuple[int, int]], context: int) -> tuple[Tensor, Tensor]:
    """Return (B, C, Y, X) images and (B, Y, X) labels of the slices picked."""
    images = torch.stack([with_context(stacks[s].image, z, context) for s, z in picks])
    return images, torch.stack([stacks[s].labels[z] for s, z in picks])


def _draw_batches(
    data: TrainingData, settings: TrainingSettings, generator: torch.Generator
) -> Iterator[tuple[Sequence[Stack], list[tuple[int, int]]]]:
    """Yield one epoch's batches: every real slice once, and a share of the extra ones, in random order."""
    stacks = [*data.train, *data.extra]
    real = slice_index(data.train)
    extra = [(s + len(data.train), z) for s, z in slice_index(data.extra)]
    drawn = torch.randperm(len(extra), generator=generator)[: int(settings.extra_fraction * len(real))].tolist()
    picks = real + [extra[i] for i in drawn]
    order = torch.randperm(len(picks), generator=generator).tolist()
    for chunk in _chunks([picks[i] for i in order], settings.batch):
        # Batch statistics of a lone leftover slice would be noise.
        if len(chunk) > settings.batch // 2:
            yield stacks, chunk


def _chunks(items: list[tuple[int, int]], size: int) -> Iterator[list[tuple[int, int]]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _epoch_seed(seed: int, epoch: int) -> int:
    return zlib.crc32(f"{seed}/{epoch}".encode())


def _append_log(path: Path, entry: EpochReport) -> None:
    with path.open("a", newline="") as file:
        csv.writer(file).writerow([entry.epoch, f"{entry.loss:.5f}", *(f"{d:.4f}" for d in entry.dice)])
