"""Training of one network for a number of steps or a time: steps, learning rate, running average."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from scarnet_cli.errors import TrainingError
from scarnet_cli.train.optimising import Optimiser, cosine_fall

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
    """A network with its running average and its optimiser."""

    def __init__(self, network: nn.Module, settings: LearningSettings, pace: Pace) -> None:
        """Create the optimiser and start the clock."""
        self.network, self.settings, self.pace = network, settings, pace
        self._optimiser = Optimiser(network, settings.learning_rate, settings.weight_decay, settings.encoder_rate)
        self.average = self._optimiser.average
        self.steps, self._start = 0, time.time()

    @property
    def progress(self) -> float:
        """Finished part of the training, 0 to 1."""
        if self.pace.until is None:
            return self.steps / self.pace.steps
        return min(1.0, (time.time() - self._start) / max(self.pace.until - self._start, 1.0))

    def step(self) -> None:
        """Update the weights with the current gradients."""
        done, warm = self.progress, self.settings.warm_up
        self.steps += 1
        # The average forgets faster at first, or short trainings would keep part of their random start.
        decay = min(self.settings.ema, (1 + self.steps) / (10 + self.steps))
        self._optimiser.step(min(1.0, (done + 1e-4) / warm), cosine_fall(done, warm), decay)

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
