"""The parts that every training shares: AdamW, learning rates by parameter and time, and the running average."""

import copy
import math
from typing import Final

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

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


class Optimiser:
    """A network, AdamW over its parameters, and the running average of its weights."""

    def __init__(self, network: nn.Module, learning_rate: float, weight_decay: float, encoder_rate: float) -> None:
        """Start the average from the network's current weights.

        Args:
            network: Network on the device to train on.
            learning_rate: Peak learning rate.
            weight_decay: Weight decay of AdamW.
            encoder_rate: Learning rate of a pretrained encoder, as a fraction of that of the other parameters.
        """
        self.network, self._peak = network, learning_rate
        self.average = copy.deepcopy(network).eval()
        groups = parameter_groups(network, encoder_rate)
        self.adamw = torch.optim.AdamW(groups, lr=learning_rate, weight_decay=weight_decay, fused=True)
        self._running = RunningAverage(self.average, network)

    def step(self, rise: float, fall: float, decay: float) -> None:
        """Update the weights with the current gradients.

        Args:
            rise: Fraction of the peak learning rate that the warm-up has reached.
            fall: Fraction of the peak that `cosine_fall` leaves.
            decay: Weight of the running average's old value.
        """
        for group in self.adamw.param_groups:
            group["lr"] = self._peak * group["rate"] * rise * fall
        nn.utils.clip_grad_norm_(self.network.parameters(), _LARGEST_NORM)
        self.adamw.step()
        self._running.update(decay)
