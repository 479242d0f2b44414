"""One network being trained against the clock: steps, learning rate, running average."""

import copy
import math
import time
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from scarnet_cli.errors import TrainingError
from scarnet_cli.model.encoders import ENCODERS

_CLIP: Final = 5.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a training lasts: so many steps, or until a time of the clock (`time.time()`) where that is given."""

    steps: int = 4000
    until: float | None = None


@dataclass(frozen=True, slots=True)
class LearningSettings:
    """How hard a network learns.

    Attributes:
        learning_rate: Peak; it warms up over the first part of a training and falls along a cosine to zero.
        weight_decay: Of AdamW.
        ema: Decay of the running average of the weights, which is what is kept.
        encoder_rate: Learning rate of a pretrained encoder as a fraction of the rest's.
        warm_up: That first part.
    """

    learning_rate: float = 1.5e-3
    weight_decay: float = 1e-2
    ema: float = 0.998
    encoder_rate: float = 0.3
    warm_up: float = 0.04


class Learner:
    """Network, its running average and its optimiser."""

    def __init__(self, network: nn.Module, settings: LearningSettings, pace: Pace) -> None:
        """Start the clock."""
        self.network, self.settings, self.pace = network, settings, pace
        self.average = copy.deepcopy(network).eval()
        self._optimiser = torch.optim.AdamW(
            _groups(network, settings), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        pairs = list(zip(self.average.state_dict().values(), network.state_dict().values(), strict=True))
        self._means, self._news = map(list, zip(*[p for p in pairs if p[0].is_floating_point()], strict=True))
        self._counts = [p for p in pairs if not p[0].is_floating_point()]
        self.steps, self._start = 0, time.time()

    @property
    def progress(self) -> float:
        """The part of the training that is done, 0 to 1."""
        if self.pace.until is None:
            return self.steps / self.pace.steps
        return min(1.0, (time.time() - self._start) / max(self.pace.until - self._start, 1.0))

    def step(self) -> None:
        """Change the weights by the gradients at hand."""
        done, warm = self.progress, self.settings.warm_up
        fall = 0.5 * (1 + math.cos(math.pi * max(0.0, done - warm) / (1 - warm)))
        for group in self._optimiser.param_groups:
            group["lr"] = self.settings.learning_rate * group["rate"] * min(1.0, (done + 1e-4) / warm) * fall
        nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP)
        self._optimiser.step()
        self.steps += 1
        self._update_average()

    @torch.no_grad()
    def _update_average(self) -> None:
        # Young averages forget faster, or the random start would stay in short trainings.
        decay = min(self.settings.ema, (1 + self.steps) / (10 + self.steps))
        get_ema_multi_avg_fn(decay)(self._means, self._news, 0)
        for mean, new in self._counts:
            mean.copy_(new)


def require_finite(loss: Tensor, steps: int) -> None:
    """Stop a training that has gone astray.

    Raises:
        TrainingError: The loss is no number any more.
    """
    if not math.isfinite(float(loss)):
        message = f"The loss is {float(loss)} after {steps} steps; lower the learning rate."
        raise TrainingError("diverged", message)


def _groups(network: nn.Module, settings: LearningSettings) -> list[dict[str, object]]:
    encoders = [module for module in network.modules() if isinstance(module, ENCODERS)]
    pretrained = {id(p) for encoder in encoders for p in encoder.parameters()}
    groups = (
        {"params": [p for p in network.parameters() if (id(p) in pretrained) == inside], "rate": rate}
        for inside, rate in ((False, 1.0), (True, settings.encoder_rate))
    )
    return [group for group in groups if group["params"]]
