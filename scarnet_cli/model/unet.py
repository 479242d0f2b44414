"""U-Net (Ronneberger 2015, doi:10.1007/978-3-319-24574-4_28) with batch norm, in any size."""

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from scarnet_cli.model.attention import ScarAttention, SqueezeExcitation


@dataclass(frozen=True, slots=True)
class UNetOptions:
    """Size of a U-Net: `features` channels at full resolution, doubled per level up to `most_features`.

    Each of the `levels` after the first halves the resolution. With `attention`, squeeze-excitation and scar attention
    end each block, as in ScarNet's convolutional path.
    """

    features: int = 16
    levels: int = 5
    most_features: int = 256
    attention: bool = False

    def widths(self) -> list[int]:
        """Return the number of channels of each level, finest first."""
        return [min(self.features * 2**level, self.most_features) for level in range(self.levels)]


def double_convolution(channels_in: int, channels_out: int, *, attention: bool = False) -> nn.Sequential:
    """Return two 3 x 3 convolutions, each with batch norm and ReLU, and both gates if `attention` is set."""
    layers: list[nn.Module] = []
    for source in (channels_in, channels_out):
        layers += [nn.Conv2d(source, channels_out, 3, padding=1, bias=False), nn.BatchNorm2d(channels_out), nn.ReLU()]
    if attention:
        layers += [SqueezeExcitation(channels_out), ScarAttention(channels_out)]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """Encoder and decoder joined by skips, from (B, C, H, W) images to (B, classes, H, W) logits.

    H and W are multiples of 2 ** (levels - 1).
    """

    def __init__(self, in_channels: int, classes: int, options: UNetOptions) -> None:
        """Create all layers; `forward` creates none."""
        super().__init__()
        widths, gates = options.widths(), options.attention
        self.encoder = nn.ModuleList(
            double_convolution(i, o, attention=gates) for i, o in zip([in_channels, *widths], widths, strict=False)
        )
        self.decoder = nn.ModuleList(
            double_convolution(w + below, w, attention=gates) for w, below in itertools.pairwise(widths)
        )
        self.head = nn.Conv2d(widths[0], classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Return (B, classes, H, W) logits of (B, C, H, W) images."""
        skips = [self.encoder[0](image)]
        for level in self.encoder[1:]:
            skips.append(level(functional.max_pool2d(skips[-1], 2)))
        features = skips.pop()
        for level in reversed(self.decoder):
            features = functional.interpolate(features, scale_factor=2, mode="nearest")
            features = level(torch.cat([features, skips.pop()], dim=1))
        return self.head(features)
