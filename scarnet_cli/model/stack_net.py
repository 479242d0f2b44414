"""A small network over a whole stack, which corrects a slice network's probabilities by the neighbouring slices.

It is a 3D U-Net with split convolutions (as in Qiu 2017, doi:10.1109/ICCV.2017.590): each pair of in-plane convolutions
is followed by one along the stack, since LGE slices are six to ten times as thick as pixels are wide. All run as 2D
convolutions, at which CPUs are fast.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from scarnet_cli.model.scarnet import ScarNet, ScarNetOptions

# Probabilities are clamped to this, since the logarithm of smaller ones has no bound.
_LEAST = 1e-3
_LEAST_VARIANCE = 1e-8


@dataclass(frozen=True, slots=True)
class StackNetOptions:
    """Size of a stack network: channels of each level, finest first."""

    widths: Sequence[int] = (16, 32, 64, 112, 160)


class StackBlock(nn.Module):
    """Two 3 x 3 convolutions in plane, and one over three slices along the stack that adds to their result."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        """Create the layers."""
        super().__init__()
        layers: list[nn.Module] = []
        for source in (channels_in, channels_out):
            layers += [nn.Conv2d(source, channels_out, 3, padding=1, bias=False), nn.BatchNorm2d(channels_out)]
            layers.append(nn.ReLU())
        self.plane = nn.Sequential(*layers)
        self.along = nn.Sequential(
            nn.Conv2d(3 * channels_out, channels_out, 1, bias=False), nn.BatchNorm2d(channels_out), nn.ReLU()
        )

    def forward(self, features: Tensor, present: Tensor) -> Tensor:
        """Return (B, Z, C', H, W) from (B, Z, C, H, W); slices not in `present`, (B, Z), stay zero."""
        stacks, slices = features.shape[:2]
        mask = present.flatten()[:, None, None, None]
        plane = self.plane(features.flatten(0, 1)) * mask
        stack = plane.unflatten(0, (stacks, slices))
        nothing = torch.zeros_like(stack[:, :1])
        below, above = torch.cat([nothing, stack[:, :-1]], dim=1), torch.cat([stack[:, 1:], nothing], dim=1)
        three = torch.cat([below, stack, above], dim=2).flatten(0, 1)
        return ((plane + self.along(three)) * mask).unflatten(0, (stacks, slices))


class StackNet(nn.Module):
    """A U-Net from a stack's image and probabilities to corrected logits, whose blocks also look along the stack."""

    def __init__(self, classes: int, options: StackNetOptions) -> None:
        """Create all layers; the correction is near zero at first."""
        super().__init__()
        widths = options.widths
        # Two channels for the image, normalised slice by slice and over the stack.
        sources = (2 + classes, *widths)
        self.encoder = nn.ModuleList(StackBlock(i, o) for i, o in zip(sources, widths, strict=False))
        self.decoder = nn.ModuleList(StackBlock(w + below, w) for w, below in itertools.pairwise(widths))
        self.head = nn.Conv2d(widths[0], classes, 1)
        for parameter in self.head.parameters():
            nn.init.normal_(parameter, std=0.01)

    def forward(self, image: Tensor, probability: Tensor, present: Tensor) -> Tensor:
        """Return (B, Z, classes, H, W) logits; H and W are multiples of 2 ** (levels - 1).

        Args:
            image: (B, Z, 2, H, W), normalised slice by slice and over the stack.
            probability: (B, Z, classes, H, W) probabilities of the slice network.
            present: (B, Z), 1 for slices, 0 for padding.
        """
        present = present.to(image.dtype)
        mask = present[:, :, None, None, None]
        skips = [self.encoder[0](torch.cat([image, probability], dim=2) * mask, present)]
        for level in self.encoder[1:]:
            skips.append(level(_by_slice(skips[-1], lambda slices: functional.max_pool2d(slices, 2)), present))
        features = skips.pop()
        for level in reversed(self.decoder):
            doubled = _by_slice(features, lambda slices: functional.interpolate(slices, scale_factor=2, mode="nearest"))
            features = torch.cat([doubled, skips.pop()], dim=2)
            features = level(features, present)
        return torch.log(probability.clamp(min=_LEAST)) + _by_slice(features, self.head)


def stack_input(
    image: Tensor, signal: Tensor, present: Tensor, middle: tuple[slice, slice] = (slice(None), slice(None))
) -> Tensor:
    """Return stacks as (B, Z, 2, Y, X): slices normalised one by one, and slices normalised together.

    Args:
        image: (B, Z, Y, X), normalised slice by slice.
        signal: (B, Z, Y, X) on any scale that is the same for all slices of a stack.
        present: (B, Z), 1 for slices, 0 for padding.
        middle: Rows and columns from which mean and SD are taken.
    """
    mask, inner = present[:, :, None, None].to(signal.dtype), signal[(..., *middle)]
    number = (mask.sum(dim=1, keepdim=True) * inner.shape[-2] * inner.shape[-1]).clamp(min=1)
    mean = (inner * mask).sum(dim=(1, 2, 3), keepdim=True) / number
    variance = ((inner - mean) ** 2 * mask).sum(dim=(1, 2, 3), keepdim=True) / number
    return torch.stack([image, (signal - mean) / (variance + _LEAST_VARIANCE).sqrt()], dim=2)


def _by_slice(features: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    """Return (B, Z, ...) features after applying `change` to all slices as a batch, (B * Z, C, H, W)."""
    return change(features.flatten(0, 1)).unflatten(0, features.shape[:2])


class StackedScarNet(nn.Module):
    """A network for single slices (`slices`, called by `forward`) and one for the whole stack (`stack`)."""

    def __init__(self, in_channels: int, classes: int, stack: Mapping[str, Sequence[int]], **slices: object) -> None:
        """Create both; `stack` holds fields of `StackNetOptions`, the other options are fields of `ScarNetOptions`."""
        super().__init__()
        self.slices = ScarNet(in_channels, classes, ScarNetOptions(**slices))  # type: ignore[arg-type]
        self.stack = StackNet(classes, StackNetOptions(**stack))

    def forward(self, image: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Return the slice network's logits of (B, C, H, W) slices with their neighbours."""
        return self.slices(image)
