"""ScarNet's gates (Tavakoli 2025, doi:10.1016/j.jocmr.2025.101945), which weight features and keep their shape."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from scarnet_cli.model.upsample import resize

# Gates start nearly open (0.95), so that the weights of a U-Net trained without them still work in the path.
_OPEN = 3.0


class SqueezeExcitation(nn.Module):
    """Gate that weights the channels by their means over all pixels (Hu 2018, doi:10.1109/CVPR.2018.00745)."""

    def __init__(self, channels: int, ratio: int = 16) -> None:
        """Create the gate; its middle layer has at least 4 channels."""
        super().__init__()
        middle = max(channels // ratio, 4)
        last = nn.Linear(middle, channels)
        nn.init.constant_(last.bias, _OPEN)
        self.gate = nn.Sequential(nn.Linear(channels, middle), nn.ReLU(), last, nn.Sigmoid())

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape, (B, C, H, W)."""
        return features * self.gate(features.mean(dim=(2, 3)))[:, :, None, None]


class ScarAttention(nn.Module):
    """Gate that weights the channels, then the pixels, because scar is a few pixels in a few slices."""

    def __init__(self, channels: int) -> None:
        """Create the channel gate (to an eighth of the channels, at least 4) and the 7 x 7 spatial gate."""
        super().__init__()
        middle = max(channels // 8, 4)
        last, norm = nn.Linear(middle, channels), nn.BatchNorm2d(1)
        nn.init.constant_(last.bias, _OPEN)
        nn.init.constant_(norm.bias, _OPEN)
        nn.init.constant_(norm.weight, 0.5)
        # Linear layers on the pooled channels equal the paper's 1 x 1 convolutions on a single pixel, at less cost.
        self.channel_gate = nn.Sequential(
            nn.Linear(channels, middle, bias=False),
            nn.BatchNorm1d(middle),
            nn.ReLU(),
            last,
            nn.Sigmoid(),
        )
        self.spatial_gate = nn.Sequential(nn.Conv2d(channels, 1, 7, padding=3, bias=False), norm, nn.Sigmoid())

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape, (B, C, H, W)."""
        features = features * self.channel_gate(features.mean(dim=(2, 3)))[:, :, None, None]
        return features * self.spatial_gate(features)


class MultiScaleScarAttention(nn.Module):
    """Scar attention on the features averaged over 1, 2 and 4 pixels, joined by a 1 x 1 convolution."""

    def __init__(self, channels: int, scales: Sequence[int] = (1, 2, 4)) -> None:
        """Create one gate per scale."""
        super().__init__()
        self.scales = tuple(scales)
        self.gates = nn.ModuleList(ScarAttention(channels) for _ in self.scales)
        self.join = nn.Conv2d(channels * len(self.scales), channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape, (B, C, H, W)."""
        size = features.shape[-2:]
        seen = [
            gate(features) if scale == 1 else resize(gate(functional.avg_pool2d(features, scale, ceil_mode=True)), size)
            for gate, scale in zip(self.gates, self.scales, strict=True)
        ]
        return self.join(torch.cat(seen, dim=1))
