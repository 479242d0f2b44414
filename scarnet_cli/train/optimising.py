"""The optimiser of every training, with the running average of the weights; and training for a number of steps."""

import copy
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from scarnet_cli.errors import TrainingError
from scarnet_cli.model.encoders import ENCODERS

_LARGEST_NORM: Final = 5.0


def parameter_groups(network: nn.Module, encoder_rate: float) -> list[dict[str, object]]:
    """Return the optimiser's groups: all parameters but a pretrained encoder's, and those, with `encoder_rate`."""
    encoders = [module for module in network.modules() if isinstance(module, ENCODERS)]
    pretrained = {id(p) for encoder in encoders for p in encoder.parameters()}
    groups = (
        {"params": [p for p in network.parameters() if (id(p) in pretrained) == inside], "rate": rate}
        for inside, rate in ((False, 1.0), (True, encoder_rate))
    )
    return [group for group in groups if group["params"]]


def cosine_fall(progress: float, warm_up: float) -> float:
    """Return the learning rate as a fraction of its peak: 1 until the warm-up ends, then a cosine down to 0."""
    return 0.5 * (1 + math.cos(math.pi * max(0.0, progress - warm_up) / (1 - warm_up)))


class RunningAverage:
    """Running average of a network's weights; integers, such as counts, keep their newest value."""

    def __init__(self, average: nn.Module, network: nn.Module) -> None:
        """Pair the tensors of both networks, which must keep them from now on."""
        pairs = list(zip(average.state_dict().values(), network.state_dict().values(), strict=True))
        self._means, self._news = map(list, zip(*[p for p in pairs if p[0].is_floating_point()], strict=True))
        self._counts = [p for p in pairs if not p[0].is_floating_point()]

    @torch.no_grad()
    def update(self, decay: float) -> None:
        """Add the network's weights to the average, whose old value keeps the weight `decay`."""
        get_ema_multi_avg_fn(decay)(self._means, self._news, 0)
        for mean, new in self._counts:
            mean.copy_(new)


log = logging.getLogger(__name__)

_TELL_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Pace:
    """Length of a training: a number of steps, or, if `until` is given, until that time (`time.time()`)."""

    steps: int = 4000
    until: float | None = None


@dataclass(frozen=True, slots=True)
class LearningSettings:
    """Settings of the optimiser.

    Attributes:
        learning_rate: Peak; the rate warms up over the first part of a training and then falls to zero along a cosine.
        weight_decay: Weight decay of AdamW.
        ema: Decay of the running average of the weights, which is the result of a training.
        encoder_rate: Learning rate of a pretrained encoder, as a fraction of that of the other parameters.
        warm_up: Length of the warm-up, as a fraction of the training.
    """

    learning_rate: float = 1.5e-3
    weight_decay: float = 1e-2
    ema: float = 0.998
    encoder_rate: float = 0.3
    warm_up: float = 0.04


class Learner:
    """A network, AdamW over its parameters, and the running average of its weights since the start."""

    def __init__(self, network: nn.Module, settings: LearningSettings, pace: Pace) -> None:
        """Create the optimiser for a network on the device to train on, and start the clock."""
        self.network, self.settings, self.pace = network, settings, pace
        self.average = copy.deepcopy(network).eval()
        groups = parameter_groups(network, settings.encoder_rate)
        self.adamw = torch.optim.AdamW(
            groups, lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        self._running = RunningAverage(self.average, network)
        self.steps, self._start = 0, time.time()

    def update(self, rise: float, fall: float, decay: float) -> None:
        """Update the weights with the current gradients.

        Args:
            rise: Fraction of the peak learning rate that the warm-up has reached.
            fall: Fraction of the peak that `cosine_fall` leaves.
            decay: Weight of the running average's old value.
        """
        for group in self.adamw.param_groups:
            group["lr"] = self.settings.learning_rate * group["rate"] * rise * fall
        nn.utils.clip_grad_norm_(self.network.parameters(), _LARGEST_NORM)
        self.adamw.step()
        self._running.update(decay)

    @property
    def progress(self) -> float:
        """Finished part of the training, 0 to 1."""
        if self.pace.until is None:
            return self.steps / self.pace.steps
        return min(1.0, (time.time() - self._start) / max(self.pace.until - self._start, 1.0))

    def step(self) -> None:
        """Update the weights with the current gradients, at the pace of the training."""
        done, warm = self.progress, self.settings.warm_up
        self.steps += 1
        # The average forgets faster at first, or short trainings would keep part of their random start.
        decay = min(self.settings.ema, (1 + self.steps) / (10 + self.steps))
        self.update(min(1.0, (done + 1e-4) / warm), cosine_fall(done, warm), decay)

    def learn(self, add_gradients: Callable[[], Tensor]) -> nn.Module:
        """Train to the end and return the running average of the weights.

        Args:
            add_gradients: Sets the gradients of one step on the network's parameters and returns its loss.

        Raises:
            TrainingError: The loss is no longer finite.
        """
        self.network.train()
        total = torch.zeros((), device=next(self.network.parameters()).device)
        told = time.monotonic()
        while self.progress < 1:
            total += add_gradients()
            self.step()
            if time.monotonic() - told > _TELL_SECONDS:
                log.info("step %d, %.0f %%, loss %.3f", self.steps, 100 * self.progress, float(total) / self.steps)
                require_finite(total, self.steps)
                told = time.monotonic()
        log.info("%d steps", self.steps)
        return self.average


def require_finite(loss: Tensor, steps: int) -> None:
    """Stop a training that has diverged.

    Raises:
        TrainingError: The loss is no longer finite.
    """
    if not math.isfinite(float(loss)):
        message = f"The loss is {float(loss)} after {steps} steps; lower the learning rate."
        raise TrainingError("diverged", message)
