"""What every training shares: which parameters learn how fast, and when, and the running average that is kept."""

import copy
import math
from typing import Final

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from scarnet_cli.model.encoders import ENCODERS

_LARGEST_NORM: Final = 5.0


def parameter_groups(network: nn.Module, encoder_rate: float) -> list[dict[str, object]]:
    """Return the optimiser's groups: the parameters, and apart those of a pretrained encoder, which learns slower."""
    encoders = [module for module in network.modules() if isinstance(module, ENCODERS)]
    pretrained = {id(p) for encoder in encoders for p in encoder.parameters()}
    groups = (
        {"params": [p for p in network.parameters() if (id(p) in pretrained) == inside], "rate": rate}
        for inside, rate in ((False, 1.0), (True, encoder_rate))
    )
    return [group for group in groups if group["params"]]


def cosine_fall(progress: float, warm_up: float) -> float:
    """Return the part of the learning rate that is left: 1 until the warm-up has ended, then a cosine down to 0."""
    return 0.5 * (1 + math.cos(math.pi * max(0.0, progress - warm_up) / (1 - warm_up)))


class RunningAverage:
    """The average of a network's weights over its last steps; of what cannot be averaged, as counts, the newest."""

    def __init__(self, average: nn.Module, network: nn.Module) -> None:
        """Pair their tensors, which both networks keep for good."""
        pairs = list(zip(average.state_dict().values(), network.state_dict().values(), strict=True))
        self._means, self._news = map(list, zip(*[p for p in pairs if p[0].is_floating_point()], strict=True))
        self._counts = [p for p in pairs if not p[0].is_floating_point()]

    @torch.no_grad()
    def update(self, decay: float) -> None:
        """Take the network's weights into the average, which keeps `decay` of itself."""
        get_ema_multi_avg_fn(decay)(self._means, self._news, 0)
        for mean, new in self._counts:
            mean.copy_(new)


class Optimiser:
    """A network, AdamW over its parameters, and the running average of its weights."""

    def __init__(self, network: nn.Module, learning_rate: float, weight_decay: float, encoder_rate: float) -> None:
        """Start from the network as it is.

        Args:
            network: On the device to train on.
            learning_rate: Peak.
            weight_decay: Of AdamW.
            encoder_rate: Learning rate of a pretrained encoder as a fraction of the rest's.
        """
        self.network, self._peak = network, learning_rate
        self.average = copy.deepcopy(network).eval()
        groups = parameter_groups(network, encoder_rate)
        self.adamw = torch.optim.AdamW(groups, lr=learning_rate, weight_decay=weight_decay, fused=True)
        self._running = RunningAverage(self.average, network)

    def step(self, rise: float, fall: float, decay: float) -> None:
        """Change the weights by the gradients at hand.

        Args:
            rise: Part of the peak learning rate that the warm-up has reached.
            fall: Part that is left of it (see `cosine_fall`).
            decay: How much the running average keeps of itself.
        """
        for group in self.adamw.param_groups:
            group["lr"] = self._peak * group["rate"] * rise * fall
        nn.utils.clip_grad_norm_(self.network.parameters(), _LARGEST_NORM)
        self.adamw.step()
        self._running.update(decay)
