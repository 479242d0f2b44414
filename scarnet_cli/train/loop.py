"""The training loop for one network and one split; resumed after any epoch, it gives an uninterrupted run's result."""

import logging
import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Final, TypeVar

import torch
from torch import Tensor

from scarnet_cli.errors import TrainingError
from scarnet_cli.files import atomic_path, write_json
from scarnet_cli.model.registry import build_model
from scarnet_cli.model.spec import NetworkSpec
from scarnet_cli.model.take_over import take_over
from scarnet_cli.model.weights import TrainedNetwork, save_weights
from scarnet_cli.progress import Advance, advance_nothing
from scarnet_cli.train.augment import Augmentation, augment, centre_window
from scarnet_cli.train.batches import Pick, TrainingData, ahead, chunks, collate, draw_picks
from scarnet_cli.train.losses import LOSS_TERMS, build_loss, loss_with_paths
from scarnet_cli.train.optimising import Learner, LearningSettings, Pace, cosine_fall
from scarnet_cli.train.processes import Process, multiplies_bf16_fast
from scarnet_cli.train.record import EpochReport, Record
from scarnet_cli.train.settings import TrainingSettings
from scarnet_cli.train.stacks import Stack, slice_index

log = logging.getLogger(__name__)

CHECKPOINT: Final = "checkpoint.pt"
WEIGHTS: Final = "weights.safetensors"
_WARM_UP: Final = 0.05
_PRECISIONS: Final = ("auto", "fp32", "bf16")
_Settings = TypeVar("_Settings", TrainingSettings, Augmentation, NetworkSpec)


class Trainer:
    """State of one training: the network, its running average, the optimiser and the number of finished epochs."""

    def __init__(
        self, spec: NetworkSpec, how: Augmentation, settings: TrainingSettings, process: Process | None = None
    ) -> None:
        """Create the network from the seed.

        Raises:
            TrainingError: The settings name an unknown loss or precision, or batches too small for the processes.
        """
        self.spec, self.how, self.settings, self.process = spec, how, settings, process or Process()
        self._loss_of = build_loss(settings.loss, spec.task, settings.loss_options)
        _check(settings, self.process)
        torch.manual_seed(settings.seed)
        network = build_model(spec)
        self.network = network.to(self.process.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        rates = (settings.learning_rate, settings.weight_decay, settings.ema, settings.encoder_rate, _WARM_UP)
        self._learner = Learner(self.network, LearningSettings(*rates), Pace())
        self.average, self.optimiser = self._learner.average, self._learner.adamw
        self.finished = 0

    def start_from(self, trained: TrainedNetwork) -> None:
        """Copy trained tensors: a pretrained encoder, an earlier training of this network, or one of its paths.

        Raises:
            ModelError: The weights fit neither this network nor a path of it.
        """
        for network in (self.network, self.average):
            take_over(network, trained)

    def train_epoch(self, data: TrainingData, advance: Advance = advance_nothing) -> float:
        """Train one epoch and return its mean loss; each batch is counted by `advance`.

        Raises:
            TrainingError: There are too few slices to make a batch, or the loss is no longer finite.
        """
        generator = torch.Generator().manual_seed(_epoch_seed(self.settings.seed, self.finished))
        batches = draw_picks(data, self.settings, generator)
        if not batches:
            message = f"There are fewer slices than half a batch of {self.settings.batch}; add cases."
            raise TrainingError("too_little_data", message)
        # Each process augments its own share of every batch, with its own random numbers.
        if not self.process.is_first:
            generator.manual_seed(_epoch_seed(self.settings.seed, self.finished, self.process.rank))
        total = torch.zeros((), device=self.process.device)
        self.network.train()
        at_once = self.settings.accumulate
        for number, (image, labels) in enumerate(ahead(self._prepare(data, batches, generator))):
            first = number - number % at_once
            group = min(at_once, len(batches) - first)
            total += self._learn(image, labels, 1 / group)
            if number == first + group - 1:
                self._step((self.finished + first / len(batches)) / self.settings.epochs)
            advance()
        mean = self.process.mean(total / len(batches))
        if not math.isfinite(mean):
            message = f"The loss is {mean} in epoch {self.finished}; lower the learning rate."
            raise TrainingError("diverged", message)
        self.finished += 1
        return mean

    def _prepare(
        self, data: TrainingData, batches: Sequence[Sequence[Pick]], generator: torch.Generator
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield this process's share of each batch, augmented."""
        stacks = [*data.train, *data.extra]
        for picks in batches:
            share = picks[self.process.rank :: self.process.world]
            yield augment(*collate(stacks, share, self.spec.context), self.how, generator)

    def _learn(self, image: Tensor, labels: Tensor, share: float) -> Tensor:
        """Add a batch's gradients, times `share`, to the current ones, and return its loss."""
        device = torch.device(self.process.device)
        auto = self.settings.precision == "auto" and multiplies_bf16_fast(device.type)
        with torch.autocast(device.type, torch.bfloat16, enabled=auto or self.settings.precision == "bf16"):
            outputs = self.network(image.to(device, memory_format=torch.channels_last))
        loss = self._loss(outputs, self._classes(labels).to(device))
        (share * loss).backward()
        return loss.detach()

    def _classes(self, labels: Tensor) -> Tensor:
        """Return the network's classes: the localiser has one for all that belongs to the left ventricle."""
        return labels.clamp(max=self.spec.classes - 1)

    def _loss(self, outputs: Tensor | tuple[Tensor, ...], labels: Tensor) -> Tensor:
        """Return the loss of the result plus, if the network gives them, the weighted losses of its paths."""
        every = (outputs,) if isinstance(outputs, Tensor) else outputs
        return loss_with_paths(every, self.settings.path_weight, lambda logits: self._loss_of(logits, labels))

    def _step(self, progress: float) -> None:
        """Update the weights with the current gradients; `progress` is the finished part of the training, 0 to 1."""
        self.process.average_gradients(self.network)
        self._learner.update(min(1.0, progress / _WARM_UP), cosine_fall(progress, _WARM_UP), self.settings.ema)
        self.optimiser.zero_grad()

    @torch.no_grad()
    def validate(self, stacks: Sequence[Stack]) -> tuple[float, ...]:
        """Return the averaged network's Dice of each scored region, over all slices together, without augmentation."""
        terms = LOSS_TERMS[self.spec.task]
        overlap, sizes = torch.zeros(len(terms)), torch.zeros(len(terms))
        for picks in chunks(slice_index(stacks), self.settings.batch):
            image, labels = centre_window(*collate(stacks, picks, self.spec.context), self.how)
            labels = self._classes(labels)
            predicted = self.average(image.to(self.process.device)).argmax(dim=1).cpu()
            for number, term in enumerate(terms):
                classes = torch.tensor(term.classes)
                ours, true = torch.isin(predicted, classes), torch.isin(labels, classes)
                overlap[number] += (ours & true).sum()
                sizes[number] += ours.sum() + true.sum()
        return tuple((2 * overlap / sizes.clamp(min=1)).tolist())

    def state(self) -> dict[str, object]:
        """Return everything needed to resume the training, with its settings."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "finished": self.finished,
            "settings": asdict(self.settings),
            "augmentation": asdict(self.how),
            # Without the decision, which is chosen after training: a new one must not invalidate the checkpoint.
            "spec": replace(self.spec, decision={}).to_json(),
        }

    def save(self, path: Path, data_sha256: str) -> None:
        """Write a checkpoint atomically."""
        with atomic_path(path) as temporary:
            torch.save({**self.state(), "data_sha256": data_sha256}, temporary)

    def load(self, path: Path, data_sha256: str) -> None:
        """Resume from a checkpoint.

        It may be one of fewer epochs, even a finished one: the learning rate then goes on where the cosine over all
        epochs has it, so the result is not that of a training that was meant to be as long from the first.

        Raises:
            TrainingError: It was made with other settings or on other data; the message names what differs.
        """
        state = torch.load(path, map_location=self.process.device, weights_only=True)
        # Rebuilt as records, so that a setting newer than the checkpoint gets its default.
        settings = TrainingSettings(**state["settings"])
        others = [
            *_differences(
                "settings", replace(settings, epochs=max(settings.epochs, self.settings.epochs)), self.settings
            ),
            *_differences("augmentation", Augmentation(**state["augmentation"]), self.how),
            *_differences("network", NetworkSpec.from_json(state["spec"]), replace(self.spec, decision={})),
            *(["cases"] if state.get("data_sha256", data_sha256) != data_sha256 else []),
        ]
        if others:
            message = (
                f"{path.name} was made with other {' and other '.join(others)}; use the same, or another --out folder."
            )
            raise TrainingError("other_settings", message)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        rates = [group["rate"] for group in self.optimiser.param_groups]
        self.optimiser.load_state_dict(state["optimiser"])
        for group, rate in zip(self.optimiser.param_groups, rates, strict=True):
            group["rate"] = rate  # which older checkpoints lack
        self.finished = state["finished"]


def _differences(kind: str, theirs: _Settings, ours: _Settings) -> list[str]:
    """Return the kind of settings with the names and both values of those that differ; nothing if none does."""
    pairs = ((field.name, getattr(theirs, field.name), getattr(ours, field.name)) for field in fields(ours))
    differing = [f"{name} {there}, now {here}" for name, there, here in pairs if there != here]
    return [f"{kind} ({'; '.join(differing)})"] if differing else []


def _check(settings: TrainingSettings, process: Process) -> None:
    if settings.precision not in _PRECISIONS:
        message = f"There is no precision '{settings.precision}'; choose one of {', '.join(_PRECISIONS)}."
        raise TrainingError("unknown_precision", message)
    if settings.batch // 2 + 1 < process.world:
        message = f"Batches of {settings.batch} slices are too small for {process.world} processes; start fewer."
        raise TrainingError("too_many_processes", message)


def fit(
    trainer: Trainer,
    data: TrainingData,
    out: Path,
    report: Callable[[EpochReport], None],
    advance: Advance = advance_nothing,
) -> Path:
    """Train to the end, resuming from `out`/checkpoint.pt if it exists, and return the path of the weights.

    Args:
        trainer: A fresh trainer. Of several processes, only the first writes and reports.
        data: Stacks to train on and to validate on.
        out: Folder for checkpoint.pt (each epoch), settings.json, weights.safetensors and the files of record.py.
        report: Called after every epoch.
        advance: Called after every batch.

    Raises:
        TrainingError: The checkpoint is from another training, there are too few slices, or the loss diverged.
    """
    checkpoint = out / CHECKPOINT
    if checkpoint.exists():
        trainer.load(checkpoint, data.sha256)
        log.info("going on after epoch %d", trainer.finished)
    first, total = trainer.process.is_first, trainer.settings.epochs
    if first:
        for half in out.glob(f".*{CHECKPOINT}"):  # left behind if a process was killed while writing
            half.unlink()
        kept = {key: value for key, value in trainer.state().items() if key in ("settings", "augmentation")}
        write_json(out / "settings.json", kept)
    record = Record(out, regions_of(trainer.spec), trainer.finished) if first and trainer.finished < total else None
    while trainer.finished < total:
        loss = trainer.train_epoch(data, advance)
        if record:
            due = trainer.finished % trainer.settings.validate_every == 0 or trainer.finished == total
            dice = trainer.validate(data.held_out) if due and data.held_out else ()
            # Rounded as in the log, so that a resumed training draws the same curve.
            entry = EpochReport(trainer.finished, round(loss, 5), tuple(round(value, 4) for value in dice))
            # The checkpoint comes last: after a kill in between, the epoch is trained and logged again.
            record.add(entry)
            trainer.save(checkpoint, data.sha256)
            report(entry)
    if record:
        record.close()
    if first:
        save_weights(out / WEIGHTS, trainer.average, trainer.spec)
    return out / WEIGHTS


def regions_of(spec: NetworkSpec) -> list[str]:
    """Return the names of the regions whose Dice `validate` returns."""
    return [term.region for term in LOSS_TERMS[spec.task]]


def _epoch_seed(seed: int, epoch: int, rank: int = 0) -> int:
    return zlib.crc32(f"{seed}/{epoch}/{rank}".encode() if rank else f"{seed}/{epoch}".encode())
