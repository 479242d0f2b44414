"""Bilinear interpolation in the precision of the features at hand."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional


def resize(features: Tensor, size: Sequence[int]) -> Tensor:
    """Return (B, C, *size) of (B, C, H, W) features, in their own precision.

    Mixed precision on a CPU would interpolate in fp32, and all that follows would be as wide.
    """
    with torch.autocast(features.device.type, enabled=False):
        return functional.interpolate(features, list(size), mode="bilinear")
